"""What the server's catalog says about tables, columns, keys and indexes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import namedtuple_row

MOMENTS = ("timestamptz", "timestamp", "date")
KINDS = {"r": "table", "p": "partitioned table", "v": "view", "m": "materialized view", "f": "foreign table"}

# The type behind a column, domains followed to their base.
_TYPE = """
    SELECT t.typname AS base, t.typtype::text AS shape, format_type(t.oid, -1) AS cast_type,
           CASE WHEN t.typcategory = 'A' THEN (SELECT e.typtype::text FROM pg_type e WHERE e.oid = t.typelem) END
               AS element,
           (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)
               AS labels
    FROM pg_type t WHERE t.oid = """
_COLUMNS = f"""
WITH RECURSIVE chain(attnum, type, modifier, depth) AS (
    SELECT attnum, atttypid, atttypmod, 0 FROM pg_attribute WHERE attrelid = %(oid)s AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT c.attnum, t.typbasetype, t.typtypmod, c.depth + 1
    FROM chain c JOIN pg_type t ON t.oid = c.type WHERE t.typtype = 'd'
), bases AS (SELECT DISTINCT ON (attnum) attnum, type, modifier FROM chain ORDER BY attnum, depth DESC)
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, base.*, b.modifier AS modifier,
       a.attnotnull AS not_null, has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS readable,
       coalesce(col_description(a.attrelid, a.attnum), '') AS comment,
       EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam
               WHERE i.indrelid = a.attrelid AND i.indisvalid AND i.indpred IS NULL AND am.amname = 'btree'
                 AND i.indkey[0] = a.attnum) AS indexed,
       EXISTS (SELECT FROM pg_collation c WHERE c.oid = a.attcollation AND NOT c.collisdeterministic) AS loose
FROM pg_attribute a JOIN bases b USING (attnum) CROSS JOIN LATERAL ({_TYPE} b.type) base
WHERE a.attrelid = %(oid)s ORDER BY a.attnum"""
_RELATION = """
SELECT c.oid::bigint AS oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind,
       c.reltuples::bigint AS rows, row_security_active(c.oid) AS guarded,
       has_schema_privilege(n.oid, 'USAGE') AS may_enter, current_user::text AS role,
       CASE WHEN c.relkind IN ('r', 'p', 'm') THEN has_column_privilege(c.oid, 'xmin', 'SELECT') END AS xmin,
       CASE c.relkind WHEN 'p' THEN (SELECT sum(pg_table_size(relid)) FROM pg_partition_tree(c.oid))::bigint
            WHEN 'v' THEN 0 ELSE pg_table_size(c.oid) END AS size,
       EXISTS (SELECT FROM pg_partition_tree(c.oid) p JOIN pg_class f ON f.oid = p.relid WHERE f.relkind = 'f')
           AS foreign_parts,
       (WITH RECURSIVE part(oid) AS (
            SELECT inhrelid FROM pg_inherits WHERE inhparent = c.oid
            UNION SELECT i.inhrelid FROM pg_inherits i JOIN part ON i.inhparent = part.oid)
        SELECT coalesce(string_agg(oid::text, ',' ORDER BY oid), '') FROM part) AS parts
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname IN (%(name)s::text, lower(%(name)s::text))
  AND (n.nspname IN (%(schema)s::text, lower(%(schema)s::text))
       OR %(schema)s::text IS NULL AND pg_table_is_visible(c.oid))
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY c.relname = %(name)s::text DESC, n.nspname = %(schema)s::text DESC LIMIT 1"""
_KEYS = """
SELECT array_agg(a.attname::text ORDER BY k.n) AS names
FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, n)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = %(oid)s AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  AND k.n <= i.indnkeyatts
GROUP BY i.indexrelid, i.indisprimary
HAVING bool_and(a.attnotnull)
ORDER BY i.indisprimary DESC, count(*), min(i.indexrelid)"""
_OBJECTS = """
SELECT n.nspname AS schema, c.relname AS name, coalesce(obj_description(c.oid, 'pg_class'), '') AS label,
       CASE WHEN c.reltuples >= 0 AND c.relkind NOT IN ('v', 'f') THEN c.reltuples::bigint END AS rows
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND left(n.nspname, 3) <> 'pg_'
  AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
ORDER BY 1, 2"""
_NAME = re.compile(r'(?:"((?:[^"]|"")+)"|([^".]+))(?:\.(?:"((?:[^"]|"")+)"|([^".]+)))?')


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its type as people write it, the type to cast a text to, and what stands behind it."""

    name: str
    type: str
    cast: str
    base: str
    shape: str = "b"
    """pg_type.typtype of the base: b base, e enum, c composite, r range, m multirange."""
    element: str = ""
    """The same of an array's elements; empty where the column is no array."""
    precision: int = 0
    """Digits of a numeric; 0: not limited, or another type."""
    scale: int = 0
    not_null: bool = False
    readable: bool = True
    comment: str = ""
    labels: tuple[str, ...] = ()
    indexed: bool = False
    loose: bool = False
    """Whether its collation holds different texts for equal."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view, as the catalog shows it to this role."""

    oid: int
    schema: str
    name: str
    kind: str
    rows: int
    size: int
    """Bytes, partitions and out-of-line values included."""
    guarded: bool
    """Whether row level security hides rows from this role."""
    may_enter: bool
    role: str
    parts: str
    """The partitions, or the tables that inherit, by their ids: one that was filled elsewhere brings old rows along."""
    xmin: bool
    """Whether this role can read which transaction wrote a row."""
    columns: tuple[Column, ...]
    keys: tuple[tuple[str, ...], ...]
    """Columns of the primary key, then of the other unique indexes without NULLs."""

    @property
    def label(self) -> str:
        return f"{self.schema}.{self.name}"


class Listed(NamedTuple):
    """A table or view of the database, and its estimated rows."""

    schema: str
    name: str
    label: str
    rows: int | None

    @property
    def text(self) -> str:
        """The name as `object:` takes it."""
        return ".".join(_quoted(part) for part in (self.schema, self.name))


def _quoted(part: str) -> str:
    return '"' + part.replace('"', '""') + '"' if re.search(r'["\s.]', part) else part


def split_name(text: str) -> tuple[str | None, str] | None:
    """Schema and name of `schema.table`, `table` or quoted forms; None where it is neither."""
    found = _NAME.fullmatch(text)
    if found is None:
        return None
    parts = [(quoted or "").replace('""', '"') or plain for quoted, plain in (found.groups()[:2], found.groups()[2:])]
    return (parts[0], parts[1]) if parts[1] else (None, parts[0])


def relation_of(connection: psycopg.Connection[Any], schema: str | None, name: str) -> Relation | None:
    """Look a table or view up, the exact spelling before the one folded to lower case; None: no such thing."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        found: Any = cursor.execute(_RELATION, {"schema": schema, "name": name}).fetchone()
        if found is None:
            return None
        oid = {"oid": found.oid}
        columns = tuple(_column(row) for row in cursor.execute(_COLUMNS, oid))
        keys = tuple(tuple(row[0]) for row in cursor.execute(_KEYS, oid))
    facts = {name: value for name, value in found._asdict().items() if name not in {"foreign_parts", "xmin"}}
    return Relation(**facts, xmin=bool(found.xmin) and not found.foreign_parts, columns=columns, keys=keys)


def columns_of_types(connection: psycopg.Connection[Any], described: list[psycopg.Column]) -> tuple[Column, ...]:
    """Columns of a query, from what the server describes."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        types: dict[int, Any] = {
            oid: cursor.execute(f"{_TYPE} %s::oid", (oid,)).fetchone() for oid in {item.type_code for item in described}
        }
    return tuple(
        Column(
            item.name,
            item.type_display,
            kind.cast_type,
            kind.base,
            kind.shape,
            kind.element or "",
            (item.precision or 0) if kind.base == "numeric" else 0,
            (item.scale or 0) if kind.base == "numeric" else 0,
            labels=tuple(kind.labels or ()),
        )
        for item in described
        if (kind := types[item.type_code]) is not None
    )


def listed(connection: psycopg.Connection[Any]) -> list[Listed]:
    """Every table and view that this role can read."""
    return [Listed(*row) for row in connection.execute(_OBJECTS)]


def _column(row: Any) -> Column:
    typed = row.base == "numeric" and row.modifier >= 4
    return Column(
        name=row.name,
        type=row.type,
        cast=row.cast_type,
        base=row.base,
        shape=row.shape,
        element=row.element or "",
        precision=((row.modifier - 4) >> 16) & 0xFFFF if typed else 0,
        scale=(((row.modifier - 4) & 0x7FF) ^ 0x400) - 0x400 if typed else 0,  # eleven bits, with a sign
        not_null=row.not_null,
        readable=row.readable,
        comment=row.comment,
        labels=tuple(row.labels or ()),
        indexed=row.indexed,
        loose=row.loose,
    )
