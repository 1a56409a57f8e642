"""The SQL statements of the connector, composed from a plan."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.sql import SQL, Composable, Composed

from connectors.postgres.conditions import (
    Clause,
    column_ref,
    cursor_ref,
    key_ref,
    moment,
    named,
    span,
    value_of,
    with_keys,
)
from connectors.postgres.cursor import Progress
from connectors.postgres.plan import Plan
from connectors.postgres.values import expression_of


def page(plan: Plan, conditions: Sequence[Clause], limit: int, *, by_cursor: bool = False) -> Clause:
    """One page: the columns, then the key as text, then the version."""
    order = [key_ref(plan, one) for one in plan.key]
    if by_cursor:
        order.insert(0, cursor_ref(plan)[1])
    found = _where(plan, conditions)
    text = SQL("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT %s").format(
        _outputs(plan), _from(plan), found.text, SQL(", ").join(order)
    )
    return Clause(text, (*found.values, limit))


def by_keys(plan: Plan, keys: Sequence[Sequence[str]]) -> Clause:
    """The rows with these keys, in no order."""
    found = _where(plan, [with_keys(plan, keys)])
    return Clause(SQL("SELECT {} FROM {} WHERE {}").format(_outputs(plan), _from(plan), found.text), found.values)


def newest(plan: Plan, conditions: Sequence[Clause]) -> Clause:
    """The highest cursor value."""
    found = _where(plan, conditions)
    text = SQL("SELECT max({})::text FROM {} WHERE {}").format(cursor_ref(plan)[1], _from(plan), found.text)
    return Clause(text, found.values)


def some(plan: Plan, conditions: Sequence[Clause]) -> Clause:
    """One row where there is any."""
    found = _where(plan, conditions)
    return Clause(SQL("SELECT 1 FROM {} WHERE {} LIMIT %s").format(_from(plan), found.text), (*found.values, 1))


def total(plan: Plan, conditions: Sequence[Clause]) -> Clause:
    """The number of rows."""
    found = _where(plan, conditions)
    return Clause(SQL("SELECT count(*) FROM {} WHERE {}").format(_from(plan), found.text), found.values)


def explained(statement: Clause) -> Clause:
    """The server's plan of a statement, which is not run."""
    return Clause(SQL("EXPLAIN (FORMAT JSON) ") + statement.text, statement.values)


def horizon(plan: Plan, until: datetime | None, *, control: bool = True) -> Clause:
    """Which server this is and how far its transactions have come, in one snapshot."""
    identity = (
        # A copy of a database in the same cluster is another source: the cluster's own identifier is not enough.
        "(SELECT system_identifier || '/' || oid FROM pg_control_system(), pg_database "
        "WHERE datname = current_database())::text, "
        "(SELECT timeline_id FROM pg_control_checkpoint())::int"
    )
    ceiling, values = _ceiling(plan, until)
    text = SQL(
        "SELECT {}, pg_snapshot_xmin(pg_current_snapshot())::text::bigint, "
        "pg_snapshot_xmax(pg_current_snapshot())::text::bigint, pg_is_in_recovery(), now()::text, ({})::text WHERE %s"
    ).format(SQL(identity if control else "NULL::text, NULL::int"), ceiling)
    return Clause(text, (*values, True))


def _ceiling(plan: Plan, until: datetime | None) -> tuple[Composable, tuple[Any, ...]]:
    if plan.cursor is None or plan.cursor.base.startswith("int"):
        return SQL("NULL"), ()
    if not plan.by_time:
        # NaN and infinity sort above every number: a saved position must stay below them.
        return SQL("'1e131071'"), ()
    bound = SQL("least(now() - %s::interval, %s::timestamptz)")
    return moment(plan, bound), (span(plan.settle.total_seconds()), until.isoformat() if until else None)


def casts(plan: Plan, saved: Progress) -> Clause:
    """A statement that fails where a saved position does not fit the columns' types."""
    places = [place for place in (saved.at, saved.saved) if place is not None]
    values = [(SQL("%s::timestamptz"), text) for text in (saved.server.started, saved.swept_at)]
    values += [(value_of(one), text) for place in places for one, text in zip(plan.key, place.key or (), strict=False)]
    if plan.cursor is not None:
        texts = (*(place.cursor for place in places), saved.server.ceiling)
        values += [(value_of(plan.cursor), text) for text in texts]
    return Clause(
        SQL("SELECT {}").format(SQL(", ").join(text for text, _ in values)), tuple(text for _, text in values)
    )


ENDINGS = ("\n) LIMIT $1", "\n) AS source LIMIT $1", "\n]::boolean[])[1]")
"""What stands behind the map's own text when it is tried."""


def condition_probe(plan: Plan) -> tuple[Clause, int]:
    """A statement of the map's condition alone, and how many characters precede it."""
    head = SQL("EXPLAIN SELECT 1 FROM {} WHERE (\n").format(_from(plan))
    body = head + _verbatim(plan.where or "") + SQL("\n) LIMIT %s")
    return Clause(body, (0,)), len(head.as_string().replace("%%", "%"))


def closed_probe(plan: Plan) -> tuple[Clause, int]:
    """The same between other brackets and without a parameter: what closes brackets of ours, or uses ours, fails."""
    head = SQL("EXPLAIN SELECT 1 FROM {} WHERE (ARRAY[\n").format(_from(plan))
    body = head + _verbatim(plan.where or "") + SQL("\n]::boolean[])[1]")
    return Clause(body, ()), len(head.as_string().replace("%%", "%"))


QUERY_HEAD = "SELECT * FROM (\n"


def query_probe(query: str) -> Clause:
    """A statement that describes the columns of a query and reads no row of it."""
    return Clause(SQL(QUERY_HEAD) + _verbatim(bare(query)) + SQL("\n) AS source LIMIT %s"), (0,))


ALONE_HEAD = "EXPLAIN "


def alone_probe(query: str) -> Clause:
    """The query on its own: what closes brackets of ours fails."""
    return Clause(SQL(ALONE_HEAD) + _verbatim(bare(query)), ())


def bare(query: str) -> str:
    """A query without the semicolon that people end it with."""
    return query.rstrip().rstrip(";")


def _outputs(plan: Plan) -> Composed:
    columns = [expression_of(one, column_ref(plan, one), plan.zone) for one in plan.columns]
    return SQL(", ").join([*columns, _key_text(plan), _version(plan)])


def _key_text(plan: Plan) -> Composable:
    texts = [SQL("{}::text").format(column_ref(plan, one)) for one in plan.key]
    return texts[0] if len(texts) == 1 else SQL("json_build_array({})::text").format(SQL(", ").join(texts))


def _version(plan: Plan) -> Composable:
    stamp = column_ref(plan, plan.cursor) if plan.cursor else None
    if not plan.xmin:
        return SQL("{}::text").format(stamp) if stamp else SQL("NULL::text")
    xmin = named(*plan.qualifier, "xmin")
    return SQL("concat_ws(' ', {}, {})").format(xmin, stamp) if stamp else SQL("{}::text").format(xmin)


def _from(plan: Plan) -> Composable:
    if plan.query is None:
        return named(*plan.qualifier)
    return SQL("(\n{}\n) AS {}").format(_verbatim(bare(plan.query)), named(*plan.qualifier))


def _where(plan: Plan, conditions: Sequence[Clause]) -> Clause:
    """All conditions; the map's own on lines of its own, so that a comment in it ends there."""
    texts = [clause.text for clause in conditions]
    if plan.where is not None:
        texts.append(SQL("(\n{}\n)").format(_verbatim(plan.where)))
    values = tuple(value for clause in conditions for value in clause.values)
    return Clause(SQL(" AND ").join(texts) if texts else SQL("true"), values)


def _verbatim(text: str) -> SQL:
    return SQL(text.replace("%", "%%"))
