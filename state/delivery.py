"""What became of rows: accepted, settled, to be sent again, rejected. Each function works inside a transaction."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Result, Table, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from state.tables import chunks, fingerprints, positions, redeliveries, rejects
from state.values import AcceptedChunk, Failure, Position, Redelivery, Step, StoredReject, Unsettled

FIRST_POLL = 2.0
"""Seconds after acceptance at which an event is first asked for."""
ATTEMPTS = 3
"""How often a row whose event failed is sent in all before it becomes a reject."""
_SLICE = 500


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], keep: Iterable[str] = ()) -> None:
    """Insert rows, or replace all but their keys and the columns named in `keep`."""
    if not rows:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    keys = [column.name for column in table.primary_key.columns]
    fixed = {*keys, *keep}
    changes = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in fixed}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), list(rows))


def apply(connection: Connection, stream: str, step: Step, now: float) -> None:
    """Write one step: accepted chunks, rejects, keys that are gone, and the position after them."""
    for chunk in step.accepted:
        _accept(connection, stream, chunk, now)
    file_rejects(connection, stream, step.rejects, now)
    fail(connection, stream, step.failed, now)
    forget(connection, stream, step.removed)
    if step.purpose is not None and step.position is not None:
        set_position(connection, stream, step.purpose, step.position, now)


def _accept(connection: Connection, stream: str, chunk: AcceptedChunk, now: float) -> None:
    entries = zlib.compress(json.dumps([[e.key, e.identity] for e in chunk.entries]).encode(), 1)
    new = {"stream": stream, "event_id": chunk.event_id, "rows": len(chunk.entries), "entries": entries}
    timing = {"accepted_at": now, "polls": 0, "next_poll_at": now + FIRST_POLL, "status": "accepted"}
    connection.execute(insert(chunks).values(**new, **timing))
    _remember(connection, stream, chunk)
    keys = [e.key for e in chunk.entries]
    if _holds(connection, rejects, stream):
        _delete_keys(connection, rejects, stream, keys)
    if _holds(connection, redeliveries, stream):
        for part in _slices(keys):
            same = (redeliveries.c.stream == stream) & redeliveries.c.key.in_(part)
            connection.execute(update(redeliveries).where(same).values(due=False))


def _remember(connection: Connection, stream: str, chunk: AcceptedChunk) -> None:
    # The one statement that runs once per delivered row: the driver's own executemany costs a third of Core's.
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    connection.exec_driver_sql(
        f"INSERT INTO fingerprints (stream, key, fingerprint) VALUES ({mark}, {mark}, {mark}) "
        "ON CONFLICT (stream, key) DO UPDATE SET fingerprint = excluded.fingerprint",
        [(stream, entry.key, entry.fingerprint) for entry in chunk.entries],
    )


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
    rows = {
        f.key: {"stream": stream, "key": f.key, "code": f.code, "message": f.message, "attempts": 1}
        | {"first_at": now, "last_at": now}
        for f in failures
    }
    known = _attempts(connection, rejects, stream, list(rows))
    for key, attempts in known.items():
        rows[key]["attempts"] = attempts + 1
    upsert(connection, rejects, list(rows.values()), keep=["first_at"])
    _delete_keys(connection, fingerprints, stream, list(rows))
    _delete_keys(connection, redeliveries, stream, list(rows))


def fail(connection: Connection, stream: str, failures: Sequence[Failure], now: float) -> int:
    """Note rows that the server failed: due again, or rejects after ATTEMPTS; returns how many became rejects."""
    failed = {f.key: f for f in failures}
    tries = _attempts(connection, redeliveries, stream, list(failed))
    final = [f for f in failed.values() if f.final or tries.get(f.key, 0) + 1 >= ATTEMPTS]
    rows = [
        {"stream": stream, "key": f.key, "attempts": tries.get(f.key, 0) + 1, "due": True}
        | {"code": f.code, "message": f.message}
        for f in failed.values()
        if f not in final
    ]
    upsert(connection, redeliveries, rows)
    _delete_keys(connection, fingerprints, stream, [str(row["key"]) for row in rows])
    file_rejects(connection, stream, final, now)
    return len(final)


def settle(connection: Connection, stream: str, chunk: Unsettled, failures: Sequence[Failure], now: float) -> int:
    """End a chunk; its failed rows are due again or become rejects; returns how many became rejects."""
    connection.execute(delete(chunks).where(chunks.c.id == chunk.id))
    if _holds(connection, redeliveries, stream):
        failed = {f.key for f in failures}
        _delete_keys(connection, redeliveries, stream, [key for key, _ in chunk.entries if key not in failed])
    return fail(connection, stream, failures, now)


def forget(connection: Connection, stream: str, keys: Sequence[str]) -> None:
    """Drop what is kept of these keys: they are gone from the source."""
    for table in (fingerprints, redeliveries, rejects):
        _delete_keys(connection, table, stream, keys)


def drop_rejects(connection: Connection, stream: str, keys: Sequence[str]) -> None:
    """Take rejects off the list."""
    _delete_keys(connection, rejects, stream, keys)


def poll_again(connection: Connection, chunk: Unsettled, status: str, next_poll_at: float) -> None:
    """Remember an event's status and when to ask again."""
    change = {"polls": chunk.polls + 1, "status": status, "next_poll_at": next_poll_at}
    connection.execute(update(chunks).where(chunks.c.id == chunk.id).values(change))


def unsettled(connection: Connection, stream: str) -> list[Unsettled]:
    """The chunks whose events have not ended, oldest first."""
    found = connection.execute(select(chunks).where(chunks.c.stream == stream).order_by(chunks.c.id))
    return [
        Unsettled(
            id=row.id,
            event_id=row.event_id,
            rows=row.rows,
            accepted_at=row.accepted_at,
            polls=row.polls,
            next_poll_at=row.next_poll_at,
            status=row.status,
            entries=[(key, identity) for key, identity in json.loads(zlib.decompress(row.entries))],
        )
        for row in found
    ]


def due_redeliveries(connection: Connection, stream: str) -> list[Redelivery]:
    """The rows to be re-read by key and sent again."""
    due = (redeliveries.c.stream == stream) & redeliveries.c.due
    return [
        Redelivery(r.key, r.attempts, r.code, r.message) for r in connection.execute(select(redeliveries).where(due))
    ]


def has_fingerprints(connection: Connection, stream: str) -> bool:
    """Whether anything of the stream was ever delivered."""
    return _holds(connection, fingerprints, stream)


def known_fingerprints(connection: Connection, stream: str, keys: Sequence[str]) -> dict[str, bytes]:
    """The fingerprints kept for these keys."""
    found: dict[str, bytes] = {}
    for part in _slices(keys):
        same = (fingerprints.c.stream == stream) & fingerprints.c.key.in_(part)
        found.update(_pairs(connection.execute(select(fingerprints.c.key, fingerprints.c.fingerprint).where(same))))
    return found


def delivered_keys(connection: Connection, stream: str, limit: int) -> list[str]:
    """The keys of delivered rows, in their order, so many at most."""
    keys = select(fingerprints.c.key).where(fingerprints.c.stream == stream).order_by(fingerprints.c.key)
    return list(connection.scalars(keys.limit(limit)))


def stored_rejects(connection: Connection, stream: str | None) -> list[StoredReject]:
    """The rejects of one stream or of all, newest last."""
    query = select(rejects).order_by(rejects.c.stream, rejects.c.last_at, rejects.c.key)
    if stream is not None:
        query = query.where(rejects.c.stream == stream)
    return [StoredReject(**row._mapping) for row in connection.execute(query)]


def _attempts(connection: Connection, table: Table, stream: str, keys: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in _slices(keys):
        same = (table.c.stream == stream) & table.c.key.in_(part)
        found.update(_pairs(connection.execute(select(table.c.key, table.c.attempts).where(same))))
    return found


def _pairs(result: Result[*tuple[Any, ...]]) -> list[tuple[Any, Any]]:
    return [(row[0], row[1]) for row in result]


def _holds(connection: Connection, table: Table, stream: str) -> bool:
    return connection.execute(select(table.c.key).where(table.c.stream == stream).limit(1)).first() is not None


def _delete_keys(connection: Connection, table: Table, stream: str, keys: Sequence[str]) -> None:
    for part in _slices(keys):
        connection.execute(delete(table).where((table.c.stream == stream) & table.c.key.in_(part)))


def _slices(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[start : start + _SLICE] for start in range(0, len(keys), _SLICE))
