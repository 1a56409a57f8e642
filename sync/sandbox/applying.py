"""Rows become records, properties and memories."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from hashlib import blake2s
from typing import Any

import orjson

from sync.sandbox.batch import Key, Property, identity_of
from sync.sandbox.sentences import split_sentences

LABELS = ("full_name", "name", "company_name", "deal_name", "subject", "title", "company")

_UPSERT_RECORD = (
    "INSERT INTO records (record_id, type, kind, identity, created, updated) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (record_id) DO UPDATE SET updated = max(updated, excluded.updated) RETURNING id"
)
_UPSERT_PROPERTY = (
    "INSERT INTO properties VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (record, name) DO UPDATE SET"
    " value = excluded.value, text = excluded.text, number = excluded.number, collection = excluded.collection,"
    " source = excluded.source, changed = excluded.changed"
    " WHERE value <> excluded.value OR collection <> excluded.collection"
)
_ADD_MEMORY = (
    "INSERT OR IGNORE INTO memories (record, digest, text, property, collection, source, created)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id"
)


def record_id(entity_type: str, key_name: str, identity: str) -> str:
    """The id that a type, a kind of key and a key always give."""
    text = "\0".join((entity_type.lower(), key_name, folded(key_name, identity)))
    return f"rec_{blake2s(text.encode(), digest_size=12).hexdigest()}"


def owner_of(connection: sqlite3.Connection, entity_type: str, key_name: str, identity: str) -> str | None:
    """The id of the record that was given this key besides its own."""
    row = connection.execute(
        "SELECT r.record_id FROM aliases a JOIN records r ON r.id = a.record"
        " WHERE a.type = ? AND a.name = ? AND a.value = ?",
        (entity_type, key_name, folded(key_name, identity)),
    ).fetchone()
    return None if row is None else str(row[0])


def folded(key_name: str, identity: str) -> str:
    """A key as it is compared: e-mail addresses in lower case, others as they are."""
    return identity.lower() if key_name == "email" else identity


def scalar_text(value: Any) -> str:
    """A JSON scalar as the text that searches compare."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def scalar_number(value: Any) -> float | None:
    """The number in a JSON scalar, where there is one; a text that reads as a number counts."""
    if isinstance(value, bool) or (isinstance(value, str) and not value[:1].isascii()):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e300 else None


def apply_rows(
    connection: sqlite3.Connection,
    *,
    entity_type: str,
    source: str,
    keys: Sequence[Key],
    properties: Sequence[Property],
    rows: Sequence[dict[str, Any]],
    now: float,
) -> None:
    """Write rows in their order: given values replace, null clears, what is left out stays."""
    for row in rows:
        record = _record(connection, entity_type, keys, row, now)
        _set_properties(connection, record, source, properties, row, now)
        _add_memories(connection, record, source, properties, row, now)


def _record(
    connection: sqlite3.Connection, entity_type: str, keys: Sequence[Key], row: dict[str, Any], now: float
) -> int:
    kind = keys[0].name
    identity = str(row[keys[0].row_key]).strip()
    id_ = owner_of(connection, entity_type, kind, identity) or record_id(entity_type, kind, identity)
    given = (id_, entity_type, kind, identity, now, now)
    (record,) = connection.execute(_UPSERT_RECORD, given).fetchall()[0]
    for key in keys:
        value = identity_of(row.get(key.row_key))
        if value is not None:
            connection.execute(
                "INSERT OR IGNORE INTO identities VALUES (?, ?, ?)", (key.name, folded(key.name, value), record)
            )
    return int(record)


def _set_properties(
    connection: sqlite3.Connection,
    record: int,
    source: str,
    properties: Sequence[Property],
    row: dict[str, Any],
    now: float,
) -> None:
    given = [(one.name, row[one.source_field], one.collection_id) for one in properties if one.source_field in row]
    connection.executemany(
        _UPSERT_PROPERTY,
        [
            (record, name, orjson.dumps(value).decode(), scalar_text(value), scalar_number(value), at, source, now)
            for name, value, at in given
            if value is not None
        ],
    )
    cleared = [(record, name) for name, value, _ in given if value is None]
    if cleared:
        connection.executemany("DELETE FROM properties WHERE record = ? AND name = ?", cleared)
    label = _label({name: value for name, value, _ in given})
    if label:
        connection.execute("UPDATE records SET label = ? WHERE id = ? AND label <> ?", (label, record, label))


def _label(values: dict[str, Any]) -> str:
    for name in LABELS:
        if isinstance(values.get(name), str) and values[name].strip():
            return str(values[name]).strip()[:200]
    names = [values.get(name) for name in ("first_name", "last_name")]
    return " ".join(name.strip() for name in names if isinstance(name, str) and name.strip())[:200]


def _add_memories(
    connection: sqlite3.Connection,
    record: int,
    source: str,
    properties: Sequence[Property],
    row: dict[str, Any],
    now: float,
) -> None:
    added = 0
    for one, sentence in _sentences(properties, row):
        digest = blake2s(sentence.encode(), digest_size=16).digest()
        given = (record, digest, sentence, one.name, one.collection_id, source, now)
        fresh = connection.execute(_ADD_MEMORY, given).fetchall()
        for (memory,) in fresh:
            connection.execute("INSERT INTO memory_index (rowid, text) VALUES (?, ?)", (memory, sentence))
        added += len(fresh)
    if added:
        connection.execute("UPDATE records SET memories = memories + ? WHERE id = ?", (added, record))


def _sentences(properties: Sequence[Property], row: dict[str, Any]) -> Iterator[tuple[Property, str]]:
    for one in properties:
        if one.extract and row.get(one.source_field) is not None:
            for sentence in split_sentences(scalar_text(row[one.source_field])):
                yield one, sentence
