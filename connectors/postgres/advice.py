"""What a person should know about a stream before it runs: limits, fallbacks, and the SQL that ends them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from connectors.postgres import Source
from connectors.postgres.catalog import MOMENTS, Column, Relation


def names_of(columns: Iterable[Column]) -> str:
    """The names of columns, in a row."""
    return ", ".join(column.name for column in columns)


def overlap_note(label: str) -> str:
    """What reading without transaction ids means."""
    return (
        f"it cannot be told which transaction wrote a row of {label}: every run reads again what is younger than "
        "`lookback` before its cursor, and rows without a cursor value; a row committed later than that is missed"
    )


_RESERVED = frozenset(
    "all analyse analyze and any array as asc asymmetric authorization binary both case cast check "
    "collate collation column concurrently constraint create cross current_catalog current_date "
    "current_role current_schema current_time current_timestamp current_user default deferrable desc "
    "distinct do else end except false fetch for foreign freeze from full grant group having ilike in "
    "initially inner intersect into is isnull join lateral leading left like limit localtime "
    "localtimestamp natural not notnull null offset on only or order outer overlaps placing primary "
    "references returning right select session_user similar some symmetric system_user table tablesample "
    "then to trailing true union unique user using variadic verbose when where window with".split()
)
"""Words that PostgreSQL takes as names in quotes only."""


def quoted(name: str) -> str:
    """A name as SQL takes it, for advice that people copy."""
    plain = name.isidentifier() and name.isascii() and name == name.lower()
    return name if plain and name not in _RESERVED else '"' + name.replace('"', '""') + '"'


def notes_on_table(relation: Relation, cursor: Column | None) -> list[str]:
    """Hidden rows, a missing cursor column, xmin or index."""
    notes = []
    if relation.guarded:
        notes.append(
            f"row level security is active on {relation.label} for this role: rows that its policies hide are not read"
        )
    if cursor is None:
        notes.append(f"{relation.label} is read whole on every run: it has no cursor column (see `cursorField`)")
    elif not relation.xmin:
        notes.append(overlap_note(relation.label))
        if relation.kind in "rpm":
            grant = (
                f"GRANT SELECT (xmin) ON {quoted(relation.schema)}.{quoted(relation.name)} TO {quoted(relation.role)}"
            )
            notes.append(f"to have late rows found for certain: {grant}")
    if cursor is not None and not cursor.indexed and relation.kind in "rpm":
        notes.append(_index_advice(relation, cursor))
    return notes


def _index_advice(relation: Relation, cursor: Column) -> str:
    key = "".join(f", {quoted(name)}" for name in (relation.keys[0] if relation.keys else ()) if name != cursor.name)
    # A partitioned table takes no index CONCURRENTLY.
    how = "CREATE INDEX" if relation.kind == "p" else "CREATE INDEX CONCURRENTLY"
    table = f"{quoted(relation.schema)}.{quoted(relation.name)}"
    return (
        f"no index starts with {cursor.name}: each run scans {relation.label}; "
        f"advice: {how} ON {table} ({quoted(cursor.name)}{key})"
    )


def notes_on_key(key: tuple[Column, ...], relation: Relation, *, proven: bool) -> list[str]:
    """Whether the key is only believed to be one."""
    if proven:
        return []
    reason = (
        f"no unique constraint on {relation.label} says so"
        if relation.kind in "rp"
        else "the server cannot vouch for it"
    )
    note = f"the primaryKey ({names_of(key)}) is taken to be unique and never NULL, but {reason}"
    return [f"{note}: of rows that share one, some may be missed"]


def notes_on_lookback(source: Source, cursor: Column | None, *, xmin: bool) -> tuple[str, ...]:
    """What look-back means for cursors that are numbers."""
    if cursor is None or cursor.base in MOMENTS:
        return ()
    if source.lookback is not None:
        return (f"`lookback` has no meaning for {cursor.name} of type {cursor.type}",)
    if xmin:
        return ()
    return (f"a row that commits after one with a higher {cursor.name} is missed: prefer a timestamp as `cursorField`",)


_CLOCK = re.compile(
    r"\b(?:now|age|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\("
    r"|\b(?:current_date|current_time|current_timestamp|localtime|localtimestamp)\b",
    re.IGNORECASE,
)


def notes_on_time(source: Source, cursor: Column | None) -> list[str]:
    """Rows that come to be meant without being changed, and rows without a time where a start is set."""
    notes = []
    if cursor is not None and _CLOCK.search(f"{source.where or ''} {source.query or ''}"):
        notes.append(
            "a condition of the map asks what time it is: a row that comes to meet it without being changed is found "
            "by `memsync run STREAM --full` only; with `cursorField: null` every run reads all rows"
        )
    if cursor is not None and source.start is not None and not cursor.not_null:
        notes.append(f"`start` leaves out rows whose {cursor.name} is NULL")
    return notes
