"""Records straight from the wire: no second dictionary or object per row."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar, cast

import orjson

from connectors.base import SourceMisconfigured, Values
from connectors.numbers import FLOAT_DIGITS
from connectors.postgres.advice import names_of
from connectors.postgres.catalog import Column
from connectors.postgres.conditions import Clause
from connectors.postgres.cursor import Position
from connectors.postgres.plan import Plan
from connectors.postgres.session import Connection

# libpq hands rows over in chunks of this size, so wide rows are not all in memory at once.
CHUNK = 50
# So many of them become values before their weight is known: wide values take more room than their texts did.
AT_ONCE = 10

T = TypeVar("T")

_NUMBERS = {"bool", "float4", "float8", "int2", "int4", "int8", "oid"}
"""Types of which every value is narrow."""
_TEXTS = {"bpchar", "citext", "date", "name", "text", "time", "timestamp", "timestamptz", "uuid", "varchar"}
"""Types of which every value arrives as a text, or not at all."""
_NARROW = 16
_INTEGER = re.compile(r"-?[0-9]{1,19}")


class Fetched(NamedTuple, Generic[T]):
    """What was made of the rows of a statement, as far as they were read."""

    made: list[T]
    last: Values
    cut: bool
    """Whether it ends early, for its size."""


def fetch(
    connection: Connection, plan: Plan, statement: Clause, make: Callable[[Values], T], budget: int
) -> Fetched[T]:
    """Make something of every row as it comes, as far as about `budget` bytes of rows go."""
    made: list[T] = []
    left, last = budget, cast("Values", ())
    weigh, seen = weigher(plan), dict[str, int]()
    with connection.cursor() as cursor:
        rows = cast("Generator[Values]", cursor.stream(statement.text, statement.values, size=CHUNK))
        try:
            while left >= 0 and (portion := list(islice(rows, AT_ONCE))):
                weight = weigh(portion)
                if weight > left:
                    portion = _fitting(portion, left, weigh)
                if not plan.key_proven:
                    _refuse_shared_keys(plan, portion, seen)
                made.extend(map(make, portion))
                last, left = portion[-1], left - weight
        finally:
            rows.close()
    return Fetched(made, last, cut=left < 0)


def _refuse_shared_keys(plan: Plan, rows: list[Values], seen: dict[str, int]) -> None:
    """Raise SourceMisconfigured where two rows of one statement share a key and are not alike: one would be lost."""
    for row in rows:
        mark = hash(tuple(map(_comparable, row[:-1])))
        if seen.setdefault(row[-2], mark) != mark:
            raise SourceMisconfigured(
                f"{plan.label}: primaryKey ({names_of(plan.key)}) is not unique: different rows share it, and memory "
                "would keep one of them; name columns that tell all rows apart"
            )


def _comparable(value: Any) -> Any:
    """Something that has a hash, the same one for alike values: lists have none, and each NaN one of its own."""
    if value.__class__ not in (float, list, dict):
        return value
    try:
        return repr(value)
    except RecursionError:
        return _weight_of_deep(value)


def _fitting(rows: list[Values], left: int, weigh: Callable[[list[Values]], int]) -> list[Values]:
    """The first rows, up to the one with which so many bytes are exceeded."""
    for number, row in enumerate(rows, start=1):
        left -= weigh([row])
        if left < 0:
            return rows[:number]
    return rows


def weigher(plan: Plan) -> Callable[[list[Values]], int]:
    """What says about how many bytes rows hold: each is looked at, for wide ones may come between narrow ones."""
    places = {place: column.base for place, column in enumerate(plan.columns) if not _is_narrow(column)}
    texts = [place for place, base in places.items() if base in _TEXTS] + [-2, -1]
    odd = [place for place, base in places.items() if base not in _TEXTS]
    narrow = 64 + _NARROW * (len(plan.columns) - len(places))

    def weigh(rows: list[Values]) -> int:
        columns = list(zip(*rows, strict=True))
        size = narrow * len(rows) + sum([sum(map(_weight, columns[place])) for place in odd])
        try:
            return size + sum([sum(map(len, filter(None, columns[place]))) for place in texts])
        except TypeError:  # the column's type was altered meanwhile
            return size + sum([sum(map(_weight, columns[place])) for place in texts])

    return weigh


def _is_narrow(column: Column) -> bool:
    return column.base in _NUMBERS or (column.base == "numeric" and 0 < column.precision <= FLOAT_DIGITS)


def _weight(value: Any) -> int:
    """About how many bytes a value takes."""
    if value.__class__ is str:
        return len(value)
    try:
        return len(repr(value))
    except RecursionError:
        return _weight_of_deep(value)


def _weight_of_deep(value: Any) -> int:
    """The same, however deep a value is; it takes five times as long."""
    size, left = 0, [value]
    while left:
        one = left.pop()
        size += len(one) if one.__class__ is str else _NARROW
        if one.__class__ is list:
            left += one
        elif one.__class__ is dict:
            left += one
            left += one.values()
    return size


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


def position_of(plan: Plan, values: Values) -> Position:
    """Where a row lies in the order (cursor, key)."""
    key, stamp = values[-2:]
    if plan.xmin and stamp is not None:
        _, _, stamp = stamp.partition(" ")
    return Position((stamp or None) if plan.cursor else None, split_key(plan, key))
