"""Positions, runs and the moving of a stream's state between stores."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, delete, func, insert, select, text, update

from state import shapes
from state.tables import chunks, fingerprints, positions, redeliveries, rejects, runs, streams
from state.values import Position, StoredRun

_PER_STREAM = (streams, positions, chunks, fingerprints, redeliveries, rejects)
_NEW_SALT = text("INSERT INTO memsync_streams (stream, salt) VALUES (:stream, :salt) ON CONFLICT (stream) DO NOTHING")
KEPT_RUNS, KEPT_SENDING = 200, 20
"""How many runs of a stream the history keeps, and how many older ones that sent something."""


def get_position(connection: Connection, stream: str, purpose: str) -> Position | None:
    """Where one reading of a stream stands; None when it never started."""
    same = (positions.c.stream == stream) & (positions.c.purpose == purpose)
    row = connection.execute(select(positions).where(same)).first()
    return None if row is None else _position(row)


def all_positions(connection: Connection, stream: str) -> dict[str, tuple[Position, float]]:
    """Every reading of a stream by purpose, with the time of its last move (seconds since 1970)."""
    found = connection.execute(select(positions).where(positions.c.stream == stream).order_by(positions.c.purpose))
    return {row.purpose: (_position(row), row.updated_at) for row in found}


def _position(row: Row[Any]) -> Position:
    cursor = None if row.cursor is None else json.loads(row.cursor)
    return Position(cursor, row.complete, row.map_hash, row.origin, row.destination)


def drop_position(connection: Connection, stream: str, purpose: str) -> None:
    """Forget one reading of a stream."""
    connection.execute(delete(positions).where((positions.c.stream == stream) & (positions.c.purpose == purpose)))


def stream_names(connection: Connection) -> list[str]:
    """Every stream that the store knows, those of which only the history is left too."""
    return sorted(
        {*connection.scalars(select(streams.c.stream)), *connection.scalars(select(runs.c.stream).distinct())}
    )


def get_salt(connection: Connection, stream: str) -> bytes | None:
    """The salt of a stream's fingerprints."""
    return connection.scalar(select(streams.c.salt).where(streams.c.stream == stream))


def destination_of(connection: Connection, stream: str) -> str | None:
    """The organisation that took the stream's rows so far; None when none was accepted yet."""
    return connection.scalar(select(streams.c.destination).where(streams.c.stream == stream))


def ensure_salt(connection: Connection, stream: str) -> None:
    """Give a new stream its salt."""
    if get_salt(connection, stream) is None:  # two runs may come at once
        connection.execute(_NEW_SALT, {"stream": stream, "salt": secrets.token_bytes(16)})


def reset(connection: Connection, stream: str) -> None:
    """Forget everything about a stream but its run history."""
    for table in _PER_STREAM:
        connection.execute(delete(table).where(table.c.stream == stream))
    shapes.forget(connection, stream)


def start_run(connection: Connection, stream: str, command: str, now: float) -> int:
    """Enter a run into the history and return its number; runs that never ended are marked as killed."""
    open_runs = (runs.c.stream == stream) & runs.c.finished_at.is_(None)
    connection.execute(update(runs).where(open_runs).values(status="killed", finished_at=now))
    row = {"stream": stream, "command": command, "started_at": now, "status": "running", "summary": "{}"}
    number = connection.execute(insert(runs).values(row).returning(runs.c.id)).scalar_one()
    oldest = select(runs.c.id).where(runs.c.stream == stream).order_by(runs.c.id.desc()).offset(KEPT_RUNS).limit(1)
    limit = connection.scalar(oldest)
    if limit is not None:
        _forget(connection, stream, limit)
    return int(number)


def _forget(connection: Connection, stream: str, last: int) -> None:
    """Drop runs up to this one, but for the newest few that sent anything: they tell what is usual."""
    old = (runs.c.stream == stream) & (runs.c.id <= last)
    found = connection.execute(select(runs.c.id, runs.c.summary).where(old).order_by(runs.c.id.desc()))
    sending = [row.id for row in found if json.loads(row.summary).get("sent")]
    connection.execute(delete(runs).where(old & runs.c.id.not_in(sending[:KEPT_SENDING])))


def count_run(connection: Connection, run_id: int, summary: Mapping[str, Any]) -> None:
    """Enter the numbers of a run that goes on."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(summary=json.dumps(dict(summary))))


def finish_run(connection: Connection, run_id: int, status: str, summary: Mapping[str, Any], now: float) -> None:
    """Enter how a run ended."""
    ended = {"finished_at": now, "status": status, "summary": json.dumps(dict(summary))}
    connection.execute(update(runs).where(runs.c.id == run_id).values(ended))


def last_runs(connection: Connection, stream: str, limit: int) -> list[StoredRun]:
    """The newest runs of a stream, newest first."""
    found = connection.execute(select(runs).where(runs.c.stream == stream).order_by(runs.c.id.desc()).limit(limit))
    return [StoredRun(**{**row._mapping, "summary": json.loads(row.summary)}) for row in found]


def calls_since(connection: Connection, moment: float) -> int:
    """The calls of all runs that began since then and are still in the history."""
    found = connection.scalars(select(runs.c.summary).where(runs.c.started_at >= moment))
    made = [json.loads(summary).get("calls") for summary in found]
    return sum(calls for calls in made if isinstance(calls, int))


def counts(connection: Connection, stream: str) -> dict[str, int]:
    """How many rows the store holds of a stream, by what they are."""
    tables = {"delivered": fingerprints, "rejected": rejects, "sent_again": redeliveries, "unsettled_chunks": chunks}
    found = {
        name: connection.scalar(select(func.count()).select_from(table).where(table.c.stream == stream)) or 0
        for name, table in tables.items()
    }
    waiting = select(func.coalesce(func.sum(chunks.c.rows), 0)).where(chunks.c.stream == stream)
    return found | {"unsettled_rows": connection.scalar(waiting) or 0}


def export(connection: Connection, stream: str) -> dict[str, list[dict[str, Any]]]:
    """Everything about a stream as JSON values; bytes are hex."""
    return {
        _plain_name(table): [
            {
                str(k): v.hex() if isinstance(v, bytes) else v
                for k, v in row._mapping.items()
                if k not in ("id", "stream")
            }
            for row in connection.execute(select(table).where(table.c.stream == stream))
        ]
        for table in _PER_STREAM
    }


def restore(connection: Connection, stream: str, content: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Replace everything about a stream by what `export` gave; raises ValueError on anything else."""
    for unknown in sorted(set(content) - {_plain_name(table) for table in _PER_STREAM}):
        raise ValueError(f"unknown table {unknown}")
    rows = {table: _rows(table, content.get(_plain_name(table), ())) for table in _PER_STREAM}
    if len(rows[streams]) != 1:
        raise ValueError("table streams: expected one row")
    reset(connection, stream)
    for table, found in rows.items():
        if found:
            connection.execute(insert(table), [row | {"stream": stream} for row in found])


def _plain_name(table: Table) -> str:
    return str(table.name).removeprefix("memsync_")


def _rows(table: Table, content: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    columns = {column.name: column for column in table.columns if column.name not in ("id", "stream")}
    if not isinstance(content, list) or any(not isinstance(row, dict) or set(row) != set(columns) for row in content):
        raise ValueError(f"table {_plain_name(table)}: expected rows of {', '.join(columns)}")
    rows = [{name: _value(columns[name], value) for name, value in row.items()} for row in content]
    keys = [column.name for column in table.primary_key if column.name in columns]
    if keys and len({tuple(row[name] for name in keys) for row in rows}) < len(rows):
        raise ValueError(f"table {_plain_name(table)}: the same {' and '.join(keys)} twice")
    if table is positions and not all(_is_cursor(row["cursor"]) for row in rows):
        raise ValueError("table positions: a cursor is no JSON object")
    return rows


def _is_cursor(text: str | None) -> bool:
    try:
        return text is None or isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _value(column: Column[Any], value: Any) -> Any:
    if value is None and column.nullable:
        return None
    kind = column.type.python_type
    if kind is bytes and isinstance(value, str):
        return bytes.fromhex(value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"column {column.name}: expected {kind.__name__}, found {type(value).__name__}")
    return value
