"""How a stream will be read, decided from its map and the catalog alone."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import orjson

from connectors.base import SourceMisconfigured, SourceRefused
from connectors.postgres import Source
from connectors.postgres.advice import (
    names_of,
    notes_on_key,
    notes_on_lookback,
    notes_on_table,
    notes_on_time,
    overlap_note,
    quoted,
)
from connectors.postgres.catalog import KINDS, MOMENTS, Column, Relation
from connectors.postgres.values import BULKY

NUMBERS = ("int2", "int4", "int8", "numeric")
# Best first; never a column that only creation sets.
USUAL_NAMES = (
    "updated_at", "modified_at", "last_modified", "last_modified_at", "updated_on", "modified_on",
    "lastmodifieddate", "updated", "modified", "update_time", "systemmodstamp",
)  # fmt: skip
LARGE = 256 * 1024 * 1024
LATE_BOUND = timedelta(days=1)
OVERLAP = timedelta(minutes=10)
OVERLAP_OF_DATES = timedelta(days=1)
# A zone that changes its clocks repeats an hour of stamps once a year.
OVERLAP_OF_LOCAL_TIMES = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is selected, in which order, and by which means nothing is lost."""

    label: str
    """What messages call it: public.customers, or `query`."""
    qualifier: tuple[str, ...]
    """The name in front of each column."""
    query: str | None
    where: str | None
    zone: str
    available: tuple[Column, ...]
    """Every column that there is."""
    columns: tuple[Column, ...]
    """Those that are read."""
    key: tuple[Column, ...]
    key_proven: bool
    """Whether the server guarantees the key to be unique and without NULLs."""
    cursor: Column | None
    xmin: bool
    bounded: bool
    """Whether late rows are looked for within `lookback` only, but for a sweep each day."""
    lookback: timedelta
    settle: timedelta
    table: int | None
    definition: str
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are read, by name."""
        return tuple(column.name for column in self.columns)

    @property
    def by_time(self) -> bool:
        """Whether the cursor column is a date or a time."""
        return self.cursor is not None and self.cursor.base in MOMENTS


def plan_table(source: Source, relation: Relation, fields: Sequence[str] | None) -> Plan:
    """Decide how a table or view is read; raises SourceMisconfigured and SourceRefused."""
    _require_grants(relation)
    key = _columns_named(source.primary_key or _found_key(relation), relation.columns, "primaryKey", relation.label)
    proven = any(set(unique) <= {column.name for column in key} for unique in relation.keys)
    cursor = _cursor_of(source, relation.columns, relation.label)
    columns = select_columns(fields, relation.columns, relation.label)
    for column in (*columns, *key, *((cursor,) if cursor else ())):
        _require_readable(column, relation)
    notes = [*notes_on_table(relation, cursor), *notes_on_key(key, relation, proven=proven)]
    every = relation.columns
    return _plan(source, relation.label, relation, every, columns, key, proven=proven, cursor=cursor, notes=notes)


def plan_query(source: Source, available: tuple[Column, ...], fields: Sequence[str] | None) -> Plan:
    """Decide how the rows of a query are read; raises SourceMisconfigured."""
    key = _columns_named(source.primary_key or (), available, "primaryKey", "query")
    cursor = _cursor_of(source, available, "query")
    columns = select_columns(fields, available, "query")
    notes = [] if cursor is None else [overlap_note("the query")]
    return _plan(source, "query", None, available, columns, key, proven=False, cursor=cursor, notes=notes)


def _plan(
    source: Source,
    label: str,
    relation: Relation | None,
    available: tuple[Column, ...],
    columns: tuple[Column, ...],
    key: tuple[Column, ...],
    *,
    proven: bool,
    cursor: Column | None,
    notes: list[str],
) -> Plan:
    xmin = relation is not None and relation.xmin
    large = relation is not None and relation.size > LARGE
    by_time = cursor is not None and cursor.base in MOMENTS
    bounded = xmin and by_time and (source.lookback is not None or (large and cursor is not None and cursor.indexed))
    _require_moments(source, cursor, label)
    return Plan(
        label=label,
        qualifier=(relation.schema, relation.name) if relation else ("source",),
        query=source.query,
        where=source.where,
        zone=source.timezone,
        available=available,
        columns=columns,
        key=key,
        key_proven=proven,
        cursor=cursor,
        xmin=xmin,
        bounded=bounded,
        lookback=source.lookback if source.lookback is not None else _lookback(cursor, source.timezone, xmin=xmin),
        settle=source.settle or timedelta(0),
        table=relation.oid if relation else None,
        definition=_definition(source, label, key, cursor, relation.parts if relation else ""),
        notes=(*notes, *notes_on_lookback(source, cursor, xmin=xmin), *notes_on_time(source, cursor)),
    )


def _definition(source: Source, label: str, key: tuple[Column, ...], cursor: Column | None, parts: str) -> str:
    columns = [[column.name, column.cast] for column in (*key, *((cursor,) if cursor else ()))]
    text = orjson.dumps([label, source.query, source.where, source.timezone, columns, parts])
    return hashlib.sha256(text).hexdigest()[:16]


def _lookback(cursor: Column | None, zone: str, *, xmin: bool) -> timedelta:
    if xmin:
        return LATE_BOUND
    if cursor is not None and cursor.base == "date":
        return OVERLAP_OF_DATES
    return OVERLAP_OF_LOCAL_TIMES if cursor is not None and cursor.base == "timestamp" and zone != "UTC" else OVERLAP


# Keys and cursor columns


def _found_key(relation: Relation) -> tuple[str, ...]:
    if relation.keys:
        return relation.keys[0]
    raise SourceMisconfigured(
        f"{relation.label}: this {KINDS[relation.kind]} has no primary key: set `primaryKey` to the column, or list of "
        f"columns, that identifies a row; it has {names_of(relation.columns)}"
    )


def _cursor_of(source: Source, columns: tuple[Column, ...], label: str) -> Column | None:
    if source.cursor_field is None:
        return None if source.reads_all else detect_cursor(columns)
    (column,) = _columns_named((source.cursor_field,), columns, "cursorField", label)
    if column.base not in MOMENTS + NUMBERS:
        usable = [other for other in columns if other.base in MOMENTS + NUMBERS]
        raise SourceMisconfigured(
            f"{label}: cursorField {column.name} is of type {column.type}: expected timestamptz, timestamp, date, "
            f"an integer or numeric; columns that would do: {names_of(usable) or 'none (use `cursorField: null`)'}"
        )
    return column


def detect_cursor(columns: Iterable[Column]) -> Column | None:
    """The column that by its name and type is set on every change, best name first."""
    stamps = {column.name.lower(): column for column in columns if column.base in MOMENTS[:2] and column.readable}
    return next((stamps[name] for name in USUAL_NAMES if name in stamps), None)


def _require_moments(source: Source, cursor: Column | None, label: str) -> None:
    """`start` and `settle` speak of time: they need a cursor column that does."""
    if cursor is not None and cursor.base in MOMENTS:
        return
    named = "start" if source.start else "settle" if source.settle else None
    if named:
        raise SourceMisconfigured(
            f"{label}: `{named}` needs a cursor column of type timestamptz, timestamp or date; "
            f"found {f'{cursor.name} of type {cursor.type}' if cursor else 'none: set `cursorField`'}"
        )


# Columns


_PATH_STEP = re.compile(r"[.\[]")


def select_columns(fields: Sequence[str] | None, columns: tuple[Column, ...], label: str) -> tuple[Column, ...]:
    """The columns that hold these fields; of a path such as `profile.city`, the column `profile`."""
    if fields is None:
        return tuple(column for column in columns if column.readable and column.base not in BULKY)
    known = {column.name for column in columns}
    names = [field if field in known else _PATH_STEP.split(field, maxsplit=1)[0] for field in fields]
    return _columns_named(tuple(dict.fromkeys(names)), columns, "field", label)


def _columns_named(names: Sequence[str], columns: tuple[Column, ...], role: str, label: str) -> tuple[Column, ...]:
    known = {column.name: column for column in columns}
    for name in names:
        if name not in known:
            raise SourceMisconfigured(f"{label}: {role} {name}: no such column{near(name, known)}")
    return tuple(known[name] for name in names)


def near(name: str, known: Iterable[str]) -> str:
    """`; did you mean a or b?`, or what there is instead."""
    known = list(known)
    folded = {other.lower(): other for other in known}
    close = difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.6)
    close += [other for other in folded if _is_longer(name.lower(), other) and other not in close]
    if close:
        return f"; did you mean {' or '.join(folded[other] for other in close[:3])}?"
    return f"; there are: {', '.join(known[:12])}{' ...' if len(known) > 12 else ''}" if known else ""


def _is_longer(name: str, other: str) -> bool:
    """Whether one is the other with words before or behind it, such as email and email_address."""
    return any(two.startswith(f"{one}_") or two.endswith(f"_{one}") for one, two in ((name, other), (other, name)))


# Grants


def _require_grants(relation: Relation) -> None:
    schema, role = quoted(relation.schema), quoted(relation.role)
    if not relation.may_enter:
        raise SourceRefused(
            f"{relation.label}: the role {relation.role} may not use its schema: "
            f"GRANT USAGE ON SCHEMA {schema} TO {role}"
        )
    if not any(column.readable for column in relation.columns):
        raise SourceRefused(
            f"{relation.label}: the role {relation.role} may not read it: "
            f"GRANT SELECT ON {schema}.{quoted(relation.name)} TO {role}"
        )


def _require_readable(column: Column, relation: Relation) -> None:
    if not column.readable:
        table = f"{quoted(relation.schema)}.{quoted(relation.name)}"
        raise SourceRefused(
            f"{relation.label}: the role {relation.role} may not read column {column.name}: "
            f"GRANT SELECT ({quoted(column.name)}) ON {table} TO {quoted(relation.role)}"
        )
