"""One row end to end: as read, as mapped, what would be sent, what is known of its delivery, what memory holds.

All of it holds values of a record, which is the point; none of it belongs into a log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from connectors.base import Connector, Record, SourceMisconfigured
from state.history import KEPT_RUNS
from state.store import Store
from state.tracing import RowState
from sync.compare import Difference, differences, nearest, plain_of, sent_values
from sync.intake import body_of
from sync.lookup import Look
from sync.maps.compile import CompiledMap
from sync.maps.model import Property, PropertyMap
from sync.maps.reading import ReadingFailed, stages
from sync.maps.row import Reject, Row, identity_moved

MOST = 25
"""Rows of one record that are traced, at most."""


class Step(NamedTuple):
    """How one property came about."""

    name: str
    source: str
    """The field, the path, or the template that it is read from."""
    read: Any
    value: Any
    """As mapped: what is in the row. Nothing where a text has nothing in it."""
    changed_by: tuple[str, ...]
    """The transforms that made another value of it."""
    problem: str = ""
    """Why it cannot be mapped."""
    is_text: bool = False
    """Whether memories are drawn from it."""
    left_out: bool = False
    """Whether the text is not sent, because it was delivered as it is."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What its map makes of a record, beside what was delivered of it."""

    record: Record
    steps: Sequence[Step]
    row: Row | None
    reject: Reject | None
    body: bytes
    """The row as it would be sent."""
    delivered: bytes | None
    """The fingerprint of the row that was delivered last."""

    @property
    def verdict(self) -> str:
        """`new`, `changed` or `unchanged` since its delivery, or `rejected`."""
        if self.row is None:
            return "rejected"
        if self.delivered is None:
            return "new"
        return "unchanged" if self.delivered == self.row.fingerprint else "changed"

    @property
    def has_moved(self) -> bool:
        """Whether the record has another identity than when it was delivered."""
        return self.row is not None and identity_moved(self.delivered, self.row.fingerprint)


class Held(NamedTuple):
    """What memory holds of a row."""

    record_id: str | None
    """None: memory has no such record."""
    equal: Sequence[str] = ()
    wrong: Sequence[Difference] = ()
    memories: Sequence[str] | None = None
    """None: the server does not tell."""


@dataclass(frozen=True, slots=True)
class Traced:
    """One row with everything that is known of it."""

    mapped: Mapped
    state: RowState
    held: Held | None
    """None where there is no identity to look for."""
    sent: bool = False
    """Whether this very trace sent it."""
    event_id: str = ""
    """The event under which it was accepted, where this is known."""
    accepted_at: float | None = None

    @property
    def delivery(self) -> str:
        """`never`, `waiting`, `settled`, `failed` (due again), `rejected`, or `stale`: an older version is there."""
        state, row = self.state, self.mapped.row
        if state.reject is not None and not state.following:
            return "rejected"
        if state.following:
            return "waiting"
        if state.due:
            return "failed"
        if state.fingerprint is None:
            return "never"
        return "settled" if row is not None and state.fingerprint == row.fingerprint else "stale"

    @property
    def is_well(self) -> bool:
        """Whether nothing went wrong: a row that is yet to be sent, or to settle, is no fault."""
        if self.mapped.reject is not None or self.delivery in ("rejected", "failed"):
            return False
        bad = self.held is not None and (self.held.record_id is None or self.held.wrong)
        return not (self.delivery == "settled" and bad)


def map_record(
    property_map: PropertyMap, compiled: CompiledMap, record: Record, delivered: bytes | None, *, resend: bool
) -> Mapped:
    """Map one record as a run does, and say how each of its properties came about."""
    made = compiled.row(record)
    row = made if isinstance(made, Row) else None
    body = body_of(row, None if resend else delivered)[0] if row else b""
    values = {} if row is None else {**sent_values(row), **_texts(row)}
    sent = orjson.loads(body) if body else {}
    steps = [
        _step(name, one, record.fields, None if row is None else values, sent)
        for name, one in property_map.mapping.properties.items()
    ]
    return Mapped(record, steps, row, None if isinstance(made, Row) else made, body, delivered)


def _texts(row: Row) -> dict[str, str]:
    found: dict[str, str] = orjson.loads(b"{" + b",".join(row.texts) + b"}")
    return found


def _step(
    name: str, one: Property, fields: Mapping[str, Any], mapped: Mapping[str, Any] | None, sent: Mapping[str, Any]
) -> Step:
    read = value = None
    changed, problem = [], ""
    for number, (transform, stage) in enumerate(stages(one)):
        try:
            after = stage(fields)
        except ReadingFailed as failed:
            problem = str(failed)
            break
        except UnicodeError:
            problem = "half a character (a lone surrogate)"
            break
        read = after if number == 0 else read
        if number and after != value:
            changed.append(transform)
        value = after
    if mapped is not None:
        value = mapped.get(name)
    source = one.source_field if one.source_field is not None else one.value or ""
    left_out = one.extract_memories and name in (mapped or {}) and name not in sent
    return Step(name, source, read, value, tuple(changed), problem, one.extract_memories, left_out)


def held_of(mapped: Mapped, compiled: CompiledMap, look: Look) -> Held | None:
    """What memory holds of a row, property by property."""
    if mapped.row is None:
        return None
    plain = plain_of(compiled)
    stored = nearest(mapped.row, plain, look(mapped.row.identity))
    if stored is None:
        return Held(None)
    wrong = differences(mapped.row, plain, stored.properties)
    names = {one.name for one in wrong}
    return Held(stored.id, [item.name for item in plain if item.name not in names], wrong, stored.memories)


def keys_meant(text: str) -> tuple[list[str], list[str]]:
    """The keys that a person may mean, the likeliest first, and the beginnings of composite ones.

    A composite key is a JSON list of texts; `42` may mean `["42"]`, `42,7` may mean `["42","7"]`, and either may be the
    beginning of a longer one.
    """
    parts = _parts(text)
    close, wide = orjson.dumps(parts).decode(), json.dumps(parts, ensure_ascii=False)  # both are in use
    typed = [] if text.lstrip().startswith("[") and text not in (wide, close) else [text]
    keys = list(dict.fromkeys([*typed, wide, close, orjson.dumps([text]).decode()]))
    return keys, list(dict.fromkeys([f"{wide[:-1]},", f"{close[:-1]},"]))


def _parts(text: str) -> list[str]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if isinstance(found, list) and found:
        return [one if isinstance(one, str) else orjson.dumps(one).decode() for one in found]
    return [part.strip() for part in text.split(",")]


def fetch_meant(connector: Connector, keys: Sequence[str]) -> list[Record]:
    """The record under the first of these keys that the source has; raises SourceMisconfigured when it minds them all.

    One by one: a source may mind a key that is none of its kind, and such a guess says nothing about the others.
    """
    minded: list[SourceMisconfigured] = []
    for key in keys:
        try:
            found = list(connector.fetch([key]))
        except SourceMisconfigured as problem:
            minded.append(problem)
            continue
        if found:
            return found[:1]
    if len(minded) == len(keys):
        raise minded[0]
    return []


def known_rows(store: Store | None, stream: str, text: str) -> list[str]:
    """The keys of rows that the store knows and a person may mean."""
    if store is None:
        return []
    keys, starts = keys_meant(text)
    found = store.held(stream, [*keys, *starts])
    return list(dict.fromkeys(key for meant in (*keys, *starts) for key in found.get(meant, ())))


class Gone(NamedTuple):
    """A record that a past run saw gone: what became of it, and when that run began (seconds since 1970)."""

    key: str
    word: str
    seen_at: float


def gone_before(store: Store | None, stream: str, text: str) -> list[Gone]:
    """What the history of runs says of a key that a person may mean: of each such key, the newest run's word."""
    keys, starts = keys_meant(text)
    found: dict[str, Gone] = {}
    for run in store.last_runs(stream, KEPT_RUNS) if store else ():
        for key, word in (run.summary.get("gone_keys") or {}).items():
            if key in keys or key.startswith(tuple(starts)):
                found.setdefault(key, Gone(key, str(word), run.started_at))
    return list(found.values())
