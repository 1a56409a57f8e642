"""Records straight from the wire: no second dictionary or object per row."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from typing import Any, cast

import orjson

from connectors.base import Record
from connectors.postgres.conditions import Clause
from connectors.postgres.cursor import Position
from connectors.postgres.plan import Plan
from connectors.postgres.session import Connection

# libpq hands rows over in chunks of this size, so wide rows are not all in memory at once.
CHUNK = 50


_INTEGER = re.compile(r"-?[0-9]{1,19}")


def record_maker(plan: Plan) -> Callable[[Any], Callable[[Sequence[Any]], Record]]:
    """A row factory: the selected columns by name, then the key as text, then the version."""
    names = [column.name for column in plan.columns]
    new = tuple.__new__

    def make(values: Sequence[Any]) -> Record:
        # zip ends with the names, before key and version.
        return new(Record, (values[-2], dict(zip(names, values)), values[-1]))  # noqa: B905

    return lambda _cursor: make


def fetch(connection: Connection, plan: Plan, statement: Clause, budget: int) -> tuple[list[Record], bool]:
    """The records of a statement, as far as about `budget` bytes go; and whether it was cut there."""
    records: list[Record] = []
    size = 0
    with connection.cursor(row_factory=record_maker(plan)) as cursor:
        rows = cast("Generator[Record]", cursor.stream(statement.text, statement.values, size=CHUNK))
        try:
            for record in rows:
                records.append(record)
                size += weight(record)
                if size > budget:
                    return records, True
        finally:
            rows.close()
    return records, False


def weight(record: Record) -> int:
    """About how many bytes a record holds."""
    return 64 + sum([len(value) if value.__class__ is str else _weight(value) for value in record[1].values()])


def _weight(value: Any) -> int:
    return len(repr(value)) if isinstance(value, (list, dict)) else 16


def key_of(plan: Plan, record: Record) -> tuple[str, ...]:
    """The key's columns as texts."""
    return split_key(plan, record.key)


def split_key(plan: Plan, key: str) -> tuple[str, ...]:
    """A record's key, taken apart into the texts of its columns."""
    return (key,) if len(plan.key) == 1 else tuple(orjson.loads(key))


def fits(plan: Plan, key: str) -> bool:
    """Whether a key can be one of this plan's: after a change of the map or the table, an old one may not be."""
    try:
        parts = split_key(plan, key)
    except (ValueError, TypeError):
        return False
    numbers = (text for column, text in zip(plan.key, parts, strict=False) if column.base.startswith("int"))
    return len(parts) == len(plan.key) and all(_INTEGER.fullmatch(str(text)) for text in numbers)


def position_of(plan: Plan, record: Record) -> Position:
    """Where a record lies in the order (cursor, key)."""
    stamp: str | None = record.version
    if plan.xmin and stamp is not None:
        _, _, stamp = stamp.partition(" ")
    return Position((stamp or None) if plan.cursor else None, key_of(plan, record))
