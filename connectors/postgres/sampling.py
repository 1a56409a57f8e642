"""Some rows of a table for a look at what it holds; they are never delivered."""

from __future__ import annotations

from typing import Any

from psycopg.rows import dict_row
from psycopg.sql import SQL, Composable, Identifier

from connectors.postgres.catalog import Relation
from connectors.postgres.session import Connection
from connectors.postgres.values import BULKY

LONGEST = 4_000
"""Characters of a value that are looked at."""
LARGE = 50_000
"""Rows above which the sample is taken from blocks all over the table instead of its beginning."""


def some_rows(connection: Connection, relation: Relation, rows: int) -> list[dict[str, Any]]:
    """At most `rows` rows of a table or view, column by column as text; bulky columns are left out."""
    columns = [one.name for one in relation.columns if one.readable and one.base not in BULKY]
    if not columns:
        return []
    # A percentage that gives about ten times as many: blocks hold many rows, and some hold none.
    share = min(100.0, 1_000.0 * rows / max(relation.rows, 1))
    scattered = SQL(" TABLESAMPLE SYSTEM ({}) ORDER BY random()").format(share)
    by_blocks = relation.kind in "rpm" and relation.rows > LARGE
    found = _rows(connection, relation, columns, rows, scattered) if by_blocks else []
    return found or _rows(connection, relation, columns, rows, SQL(""))


def _rows(
    connection: Connection, relation: Relation, columns: list[str], rows: int, how: Composable
) -> list[dict[str, Any]]:
    wanted = SQL(", ").join(SQL("left({0}::text, {1}) AS {0}").format(Identifier(name), LONGEST) for name in columns)
    table = Identifier(relation.schema, relation.name)
    statement = SQL("SELECT {} FROM {}{} LIMIT {}").format(wanted, table, how, rows)
    with connection.cursor(row_factory=dict_row) as cursor:
        return list(cursor.execute(statement))
