"""Everything that the store knows of one row."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from state.keyed import rows_of
from state.tables import chunks, fingerprints, redeliveries, rejects
from state.values import Entries, Redelivery, StoredReject


@dataclass(frozen=True, slots=True)
class Following:
    """An accepted chunk whose event has not ended, as one of its rows sees it."""

    event_id: str
    accepted_at: float
    status: str
    polls: int
    rows: int


@dataclass(frozen=True, slots=True)
class RowState:
    """One row as the store knows it."""

    key: str
    fingerprint: bytes | None = None
    """As it was delivered last."""
    following: tuple[Following, ...] = ()
    """Oldest first; an event that ended is forgotten."""
    again: Redelivery | None = None
    """Why it is sent again, or was: until that settles."""
    due: bool = False
    """Whether the next run sends it again."""
    reject: StoredReject | None = None

    @property
    def is_known(self) -> bool:
        """Whether the store knows anything at all of the row."""
        return bool(self.fingerprint or self.following or self.again or self.reject)


def state_of(connection: Connection, stream: str, key: str) -> RowState:
    """What is kept of one row."""
    marks = dict(rows_of(connection, fingerprints, "key, fingerprint", stream, [key]))
    again = rows_of(connection, redeliveries, "attempts, code, message, due", stream, [key])
    failed = connection.execute(select(rejects).where((rejects.c.stream == stream) & (rejects.c.key == key))).first()
    return RowState(
        key,
        bytes(marks[key]) if key in marks else None,
        tuple(_following(connection, stream, key)),
        Redelivery(key, *again[0][:3]) if again else None,
        bool(again and again[0][3]),
        None if failed is None else StoredReject(**failed._mapping),
    )


def _following(connection: Connection, stream: str, key: str) -> Iterator[Following]:
    found = connection.execute(select(chunks).where(chunks.c.stream == stream).order_by(chunks.c.id))
    for row in found:
        if any(one == key for one, _ in Entries(row.entries)):
            yield Following(row.event_id, row.accepted_at, row.status, row.polls, row.rows)


def unsettled_among(connection: Connection, stream: str, keys: Collection[str]) -> set[str]:
    """Those of these keys that are in an accepted chunk whose event has not ended."""
    wanted, found = set(keys), set()
    for packed in connection.scalars(select(chunks.c.entries).where(chunks.c.stream == stream)):
        found |= {key for key, _ in Entries(packed) if key in wanted}
    return found
