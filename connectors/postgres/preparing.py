"""From a map to a plan: the catalog is asked, and the map's own SQL is tried without being run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from connectors.base import SourceMisconfigured, SourceRefused
from connectors.postgres import Source, statements
from connectors.postgres.catalog import Column, Relation, columns_of_types, listed, relation_of, split_name
from connectors.postgres.conditions import Clause
from connectors.postgres.plan import Plan, near, plan_query, plan_table
from connectors.postgres.session import Connection

# Its words quote the map's SQL, never a row: syntax, unknown names, types that do not fit.
_ABOUT_SQL = ("42", "0A", "22023")


def prepare(connection: Connection, source: Source, fields: Sequence[str] | None) -> Plan:
    """Decide how the stream is read; raises SourceMisconfigured and SourceRefused."""
    if source.query is not None:
        plan = plan_query(source, describe(connection, source.query), fields)
    else:
        plan = plan_table(source, find(connection, source.object or ""), fields)
    if plan.where is not None:
        probe, offset = statements.condition_probe(plan)
        _try(connection, probe, f"{plan.label}: `where`", plan.where, offset)
        probe, offset = statements.closed_probe(plan)  # only now: the first one proved that it is one statement
        _try(connection, probe, f"{plan.label}: `where`", plan.where, offset)
    return plan


def find(connection: Connection, name: str) -> Relation:
    """The table or view of this name; SourceMisconfigured names similar ones."""
    parts = split_name(name)
    if parts is None:
        raise SourceMisconfigured(f'object {name}: expected schema.table, or "Schema"."Table" in double quotes')
    found = relation_of(connection, *parts)
    if found is None:
        known = [one.text for one in listed(connection)]
        raise SourceMisconfigured(
            f"object {name}: no such table or view, or not visible to this role{near(name, known)}"
        )
    return found


def describe(connection: Connection, query: str) -> tuple[Column, ...]:
    """The columns of a query, of which no row is read."""
    described = _try(connection, statements.query_probe(query), "`query`", query, len(statements.QUERY_HEAD))
    _try(connection, statements.alone_probe(query), "`query`", query, len(statements.ALONE_HEAD))
    names = [column.name for column in described]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise SourceMisconfigured(
            f"`query`: two columns are called {repeated[0]}: give one of them another name with AS"
        )
    return columns_of_types(connection, described)


def explain(connection: Connection, statement: Clause) -> None:
    """Have the server plan a statement."""
    connection.execute(statements.explained(statement).text, statement.values)


def estimate(connection: Connection, statement: Clause) -> int:
    """How many rows the server expects a page statement to find, its limit aside."""
    row = connection.execute(statements.explained(statement).text, statement.values).fetchone()
    node: dict[str, Any] = row[0][0]["Plan"] if row else {}
    while node.get("Node Type") == "Limit":
        node = node["Plans"][0]
    return int(node.get("Plan Rows", 0))


def _try(connection: Connection, probe: Clause, what: str, text: str, offset: int) -> list[psycopg.Column]:
    try:
        # Parameters force the extended protocol, which takes one statement only.
        return connection.execute(probe.text, probe.values).description or []
    except (psycopg.ProgrammingError, psycopg.NotSupportedError, psycopg.DataError) as error:
        state = error.sqlstate or ""
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            raise SourceRefused(f"{what}: {error.diag.message_primary}: GRANT SELECT on it to the role") from None
        said = _in_one_line(error.diag.message_primary or "") if state.startswith(_ABOUT_SQL) else type(error).__name__
        raise SourceMisconfigured(f"{what}: the server says: {said}{_place(error, text, offset)}") from None


def _in_one_line(said: str) -> str:
    """The server's words, without what memsync wrote behind the map's text."""
    for ending in statements.ENDINGS:
        said = said.replace(ending, "")
    return " ".join(said.split())


def _place(error: psycopg.Error, text: str, offset: int) -> str:
    """Line and column in the map's own text."""
    position = int(error.diag.statement_position or 0) - offset
    if not 0 < position <= len(text):
        return ""
    before = text[: position - 1]
    return f" (line {before.count(chr(10)) + 1}, column {position - before.rfind(chr(10)) - 1} of it)"
