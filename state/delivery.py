"""What became of rows: accepted, settled, to be sent again, rejected. Each function works inside a transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, select, update

from state.keyed import (
    bind,
    delete_keys,
    delete_sent,
    doubt,
    holds,
    insert_rows,
    keys_beginning,
    not_due,
    remember,
    rows_of,
    upsert,
    which_hold,
)
from state.tables import chunks, fingerprints, positions, redeliveries, rejects
from state.values import AcceptedChunk, Entries, Entry, Failure, Position, Redelivery, Step, StoredReject, Unsettled

FIRST_POLL = 2.0
"""Seconds after acceptance at which an event is first asked for."""
ATTEMPTS = 3
"""How often a row whose event failed is sent in all before it becomes a reject."""
LONGEST_MESSAGE = 1000
"""Characters kept of a server's words about a row."""


def apply(connection: Connection, stream: str, step: Step, now: float, part: str = "") -> None:
    """Write one step: accepted chunks, rejects, keys that are gone, and the position after them."""
    doubt(connection, stream, step.doubted)
    _accept(connection, stream, part, step.accepted, step.destination, now)
    file_rejects(connection, stream, step.rejects, now)
    fail(connection, stream, step.failed, now)
    forget(connection, stream, step.removed)
    if step.purpose is not None and step.position is not None:
        set_position(connection, stream, step.purpose, step.position, now)


def _accept(
    connection: Connection, stream: str, part: str, accepted: Sequence[AcceptedChunk], destination: str, now: float
) -> None:
    if not accepted:
        return
    bind(connection, stream, destination)
    timing = (now, 0, now + FIRST_POLL, "accepted", part)
    insert_rows(
        connection,
        chunks,
        ("stream", "event_id", "rows", "entries", "accepted_at", "polls", "next_poll_at", "status", "part"),
        [
            (stream, chunk.event_id, len(chunk.entries), Entries.pack(chunk.entries, chunk.refused), *timing)
            for chunk in accepted
        ],
    )
    entries = [entry for chunk in accepted for entry in chunk.entries]
    unsound = _leaning_on_failed(connection, stream, entries)
    entries = [entry for entry in entries if entry.key not in unsound] if unsound else entries
    remember(connection, stream, entries)
    has_rejects, has_redeliveries = which_hold(connection, (rejects, redeliveries), stream)
    keys = [entry.key for entry in entries] if has_rejects or has_redeliveries else []
    if has_rejects:
        delete_keys(connection, rejects, stream, keys)
    if has_redeliveries:
        not_due(connection, redeliveries, stream, keys)


def _leaning_on_failed(connection: Connection, stream: str, entries: Sequence[Entry]) -> set[str]:
    """The keys of rows whose left-out texts went with a delivery that failed meanwhile: they stay due, or rejects."""
    leaning = [entry.key for entry in entries if entry.leans]
    if not leaning:
        return set()
    again = {key for key, due in rows_of(connection, redeliveries, "key, due", stream, leaning) if due}
    return again | {key for (key,) in rows_of(connection, rejects, "key", stream, leaning)}


def forget_due(connection: Connection, stream: str) -> None:
    """Forget which rows are due again: all is read anyway, and the keys may mean nothing any more."""
    connection.execute(delete(redeliveries).where(redeliveries.c.stream == stream))


def set_position(connection: Connection, stream: str, purpose: str, position: Position, now: float) -> None:
    """Move one reading of a stream to where it is now."""
    row = {
        "stream": stream,
        "purpose": purpose,
        "cursor": None if position.cursor is None else json.dumps(position.cursor),
        "complete": position.complete,
        "map_hash": position.map_hash,
        "origin": position.origin,
        "destination": position.destination,
        "updated_at": now,
    }
    upsert(connection, positions, [row])


def file_rejects(connection: Connection, stream: str, failures: Sequence[Failure], now: float) -> None:
    """Keep rows that could not be delivered; what was delivered of them before no longer counts."""
    failed = {f.key: f for f in map(_storable, failures)}
    if not failed:
        return
    keys = list(failed)
    before = dict(rows_of(connection, rejects, "key, attempts", stream, keys))
    sent = dict(rows_of(connection, redeliveries, "key, attempts", stream, keys))
    rows = [
        {"stream": stream, "key": key, "code": f.code, "message": f.message, "first_at": now, "last_at": now}
        | {"attempts": before.get(key, 0) + sent.get(key, 0) + 1}
        for key, f in failed.items()
    ]
    upsert(connection, rejects, rows, keep=["first_at"])
    delete_keys(connection, fingerprints, stream, keys)
    delete_keys(connection, redeliveries, stream, keys)


def fail(connection: Connection, stream: str, failures: Sequence[Failure], now: float) -> int:
    """Note rows that the server failed: due again, or rejects after ATTEMPTS; returns how many became rejects."""
    failed = {f.key: f for f in map(_storable, failures)}
    tries = dict(rows_of(connection, redeliveries, "key, attempts", stream, list(failed)))
    final = {key for key, f in failed.items() if f.final or tries.get(key, 0) + 1 >= ATTEMPTS}
    rows = [
        {"stream": stream, "key": key, "attempts": tries.get(key, 0) + 1, "due": True}
        | {"code": f.code, "message": f.message}
        for key, f in failed.items()
        if key not in final
    ]
    upsert(connection, redeliveries, rows)
    delete_keys(connection, fingerprints, stream, [str(row["key"]) for row in rows])
    file_rejects(connection, stream, [failed[key] for key in final], now)
    return len(final)


def _storable(failure: Failure) -> Failure:
    """The failure in characters that every database takes: servers answer with anything."""
    return replace(failure, code=_plain(failure.code), message=_plain(failure.message)[:LONGEST_MESSAGE])


def _plain(text: str) -> str:
    return text.replace("\0", "?").encode(errors="replace").decode()


def settle(connection: Connection, stream: str, chunk: Unsettled, failures: Sequence[Failure], now: float) -> int:
    """End a chunk; its failed rows are due again or become rejects; returns how many became rejects."""
    if not connection.execute(delete(chunks).where(chunks.c.id == chunk.id)).rowcount:
        return 0  # somebody else settled it meanwhile, with these failures
    if holds(connection, redeliveries, stream):
        failed = {f.key for f in failures}
        delete_sent(connection, redeliveries, stream, [key for key, _ in chunk.entries if key not in failed])
    return fail(connection, stream, failures, now)


def forget(connection: Connection, stream: str, keys: Sequence[str]) -> None:
    """Drop what is kept of these keys: they are gone from the source."""
    for table in (fingerprints, redeliveries, rejects):
        delete_keys(connection, table, stream, keys)


def drop_rejects(connection: Connection, stream: str, keys: Sequence[str]) -> None:
    """Take rejects off the list."""
    delete_keys(connection, rejects, stream, keys)


def poll_again(connection: Connection, chunk: Unsettled, status: str, next_poll_at: float) -> None:
    """Remember an event's status and when to ask again."""
    change = {"polls": chunk.polls + 1, "status": _plain(status), "next_poll_at": next_poll_at}
    connection.execute(update(chunks).where(chunks.c.id == chunk.id).values(change))


def unsettled(connection: Connection, stream: str, part: str = "") -> list[Unsettled]:
    """The chunks whose events have not ended, oldest first; only those that a part sent, where one is named."""
    found = connection.execute(select(chunks).where(_sent_by(stream, part)).order_by(chunks.c.id))
    return [_unsettled(row) for row in found]


_EVENT = [column for column in chunks.c if column is not chunks.c.entries]


def open_events(connection: Connection, stream: str, part: str = "") -> list[Unsettled]:
    """The same without their entries: a million rows may wait, and their keys are needed when an event ends."""
    found = connection.execute(select(*_EVENT).where(_sent_by(stream, part)).order_by(chunks.c.id))
    return [_event(row) for row in found]


def entries_of(connection: Connection, chunk: Unsettled) -> Entries:
    """The entries of a chunk; none when somebody else settled it meanwhile."""
    packed = connection.scalar(select(chunks.c.entries).where(chunks.c.id == chunk.id))
    return Entries(Entries.pack(()) if packed is None else packed)


def _sent_by(stream: str, part: str) -> ColumnElement[bool]:
    of_stream = chunks.c.stream == stream
    return of_stream & (chunks.c.part == part) if part else of_stream


def due_event(connection: Connection, stream: str, now: float, part: str = "") -> Unsettled | None:
    """The chunk whose event is to be asked for first, if that is due; without its entries."""
    due = _sent_by(stream, part) & (chunks.c.next_poll_at <= now)
    row = connection.execute(select(*_EVENT).where(due).order_by(chunks.c.next_poll_at).limit(1)).first()
    return None if row is None else _event(row)


def _unsettled(row: Row[Any]) -> Unsettled:
    return replace(_event(row), entries=Entries(row.entries))


def _event(row: Row[Any]) -> Unsettled:
    return Unsettled(
        id=row.id,
        event_id=row.event_id,
        rows=row.rows,
        accepted_at=row.accepted_at,
        polls=row.polls,
        next_poll_at=row.next_poll_at,
        status=row.status,
    )


def due_redeliveries(connection: Connection, stream: str) -> list[Redelivery]:
    """The rows to be re-read by key and sent again."""
    due = (redeliveries.c.stream == stream) & redeliveries.c.due
    return [
        Redelivery(r.key, r.attempts, r.code, r.message) for r in connection.execute(select(redeliveries).where(due))
    ]


def has_fingerprints(connection: Connection, stream: str) -> bool:
    """Whether anything of the stream was ever delivered."""
    return holds(connection, fingerprints, stream)


def known_fingerprints(connection: Connection, stream: str, keys: Sequence[str]) -> dict[str, bytes]:
    """The fingerprints kept for these keys."""
    return dict(rows_of(connection, fingerprints, "key, fingerprint", stream, keys))


def held(connection: Connection, stream: str, keys: Sequence[str]) -> dict[str, list[str]]:
    """By each key, or beginning of a composite key, the keys of which anything is kept; others are left out."""
    whole = [key for key in keys if not key.endswith(",")]
    found: dict[str, set[str]] = {}
    for table in (fingerprints, redeliveries, rejects):
        for (key,) in rows_of(connection, table, "key", stream, whole):
            found.setdefault(key, set()).add(key)
        for start in keys:
            if start.endswith(","):
                behind = keys_beginning(connection, table, stream, start)
                if behind:
                    found.setdefault(start, set()).update(behind)
    return {key: sorted(known) for key, known in found.items()}


def delivered_keys(connection: Connection, stream: str, limit: int, behind: str | None = None) -> list[str]:
    """The keys of delivered rows, in their order and behind a key, so many at most."""
    keys = select(fingerprints.c.key).where(fingerprints.c.stream == stream).order_by(fingerprints.c.key)
    if behind is not None:
        keys = keys.where(fingerprints.c.key > behind)
    return list(connection.scalars(keys.limit(limit)))


def rejected_keys(connection: Connection, stream: str) -> set[str]:
    """The keys of a stream's rejects."""
    return set(connection.scalars(select(rejects.c.key).where(rejects.c.stream == stream)))


def stored_rejects(connection: Connection, stream: str | None) -> list[StoredReject]:
    """The rejects of one stream or of all, newest last."""
    query = select(rejects).order_by(rejects.c.stream, rejects.c.last_at, rejects.c.key)
    if stream is not None:
        query = query.where(rejects.c.stream == stream)
    return [StoredReject(**row._mapping) for row in connection.execute(query)]
