"""What the pages show, read from the database: counts, batches, records, one record."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

PAGE = 25


class Counts(NamedTuple):
    """How much is stored."""

    records: int
    memories: int
    batches: int
    waiting: int
    """Batches that are accepted and not completed."""


@dataclass(frozen=True, slots=True)
class Found:
    """One page of records and how many there are in all."""

    rows: Sequence[sqlite3.Row]
    total: int
    properties: dict[int, list[tuple[str, Any]]]
    """For each record shown: names and values."""


class PropertyLine(NamedTuple):
    """One property of a record, as its page shows it."""

    name: str
    value: Any
    collection: str
    source: str
    changed: float


def count_all(connection: sqlite3.Connection) -> Counts:
    """Count what is stored; indexed, whatever its size."""
    texts = (
        "SELECT count(*) FROM records",
        "SELECT coalesce(max(id), 0) FROM memories",
        "SELECT coalesce(max(seq), 0) FROM batches",
        "SELECT count(*) FROM batches WHERE applied = 0",
    )
    # Memories and batches are never deleted, so their highest number is their count.
    return Counts(*(connection.execute(text).fetchone()[0] for text in texts))


def list_types(connection: sqlite3.Connection) -> list[tuple[str, int]]:
    """The types of records, and how many there are of each."""
    rows = connection.execute("SELECT type, count(*) AS n FROM records GROUP BY type ORDER BY type").fetchall()
    return [(row["type"], row["n"]) for row in rows]


def list_batches(connection: sqlite3.Connection, page: int, size: int) -> list[sqlite3.Row]:
    """Batches, newest first."""
    return connection.execute(
        "SELECT * FROM batches ORDER BY seq DESC LIMIT ? OFFSET ?", (size, (page - 1) * size)
    ).fetchall()


def get_batch(connection: sqlite3.Connection, event_id: str) -> sqlite3.Row | None:
    """The batch of an event."""
    row: sqlite3.Row | None = connection.execute("SELECT * FROM batches WHERE event_id = ?", (event_id,)).fetchone()
    return row


def find_records(connection: sqlite3.Connection, words: str, entity_type: str, page: int, size: int) -> Found:
    """Records whose identity or name contains the words, the one changed last first."""
    conditions: list[str] = []
    values: list[Any] = []
    if entity_type:
        conditions.append("type = ?")
        values.append(entity_type)
    if words:
        conditions.append("(identity LIKE ? ESCAPE '\\' OR label LIKE ? ESCAPE '\\')")
        values += [_contains(words)] * 2
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    (total,) = connection.execute(f"SELECT count(*) FROM records{where}", values).fetchone()
    rows = connection.execute(
        f"SELECT * FROM records{where} ORDER BY updated DESC, id DESC LIMIT ? OFFSET ?",
        [*values, size, (page - 1) * size],
    ).fetchall()
    return Found(rows, total, {row["id"]: _short_properties(connection, row["id"]) for row in rows})


def get_record(connection: sqlite3.Connection, record_id: str) -> sqlite3.Row | None:
    """The record with an id."""
    row: sqlite3.Row | None = connection.execute("SELECT * FROM records WHERE record_id = ?", (record_id,)).fetchone()
    return row


def list_keys(connection: sqlite3.Connection, record: int) -> list[tuple[str, str]]:
    """The keys under which a record is found: names and values."""
    rows = connection.execute("SELECT name, value FROM identities WHERE record = ? ORDER BY name, value", (record,))
    return [(row["name"], row["value"]) for row in rows]


def list_properties(connection: sqlite3.Connection, record: int) -> list[PropertyLine]:
    """A record's properties by name."""
    rows = connection.execute(
        "SELECT p.*, coalesce(c.name, p.collection) AS collection_name FROM properties p"
        " LEFT JOIN temp.collections c ON c.id = p.collection WHERE p.record = ? ORDER BY p.name",
        (record,),
    )
    return [
        PropertyLine(row["name"], orjson.loads(row["value"]), row["collection_name"], row["source"], row["changed"])
        for row in rows
    ]


def list_memories(connection: sqlite3.Connection, record: int, page: int, size: int) -> list[sqlite3.Row]:
    """A record's memories, newest first."""
    return connection.execute(
        "SELECT m.*, coalesce(c.name, m.collection) AS collection_name FROM memories m"
        " LEFT JOIN temp.collections c ON c.id = m.collection WHERE m.record = ?"
        " ORDER BY m.created DESC, m.id LIMIT ? OFFSET ?",
        (record, size, (page - 1) * size),
    ).fetchall()


def _short_properties(connection: sqlite3.Connection, record: int) -> list[tuple[str, Any]]:
    rows = connection.execute(
        "SELECT name, substr(text, 1, 120) AS text FROM properties WHERE record = ? ORDER BY length(text) > 60, name",
        (record,),
    )
    return [(row["name"], row["text"]) for row in rows]


def _contains(words: str) -> str:
    plain = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"
