"""The conditions of the connector's SQL, composed from a plan: names quoted, values as parameters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from connectors.postgres.catalog import Column
from connectors.postgres.cursor import Position
from connectors.postgres.plan import Plan

# Distances back from the newest transaction, modulo 2^32, hold across a wraparound of the 32-bit xmin.
_NEWEST = SQL("(SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint)")
_TEXTS = {"text", "varchar", "bpchar", "citext"}


class Clause(NamedTuple):
    """A piece of SQL and the values of its placeholders."""

    text: SQL | Composed
    values: tuple[Any, ...] = ()


# Names and values


def named(*names: str) -> Identifier:
    """A quoted name; beside parameters, a percent sign in it would be taken for a placeholder."""
    return Identifier(*(name.replace("%", "%%") for name in names))


def column_ref(plan: Plan, one: Column) -> Composable:
    """A column of the source; qualified, since a bare name in ORDER BY means the selected expression."""
    return named(*plan.qualifier, one.name)


def key_ref(plan: Plan, one: Column) -> Composable:
    """A key column as it is ordered and compared: never by a collation that holds two keys for equal."""
    ref = column_ref(plan, one)
    if one.base not in _TEXTS or (plan.key_proven or (plan.query is None and not one.loose and one.base != "citext")):
        return ref
    return SQL('{}::text COLLATE "C"').format(ref)


def value_of(one: Column) -> SQL:
    """A placeholder for a column's value as text."""
    return SQL(f"%s::{one.cast.replace('%', '%%')}")


def moment(plan: Plan, value: Composable) -> Composable:
    """An instant in the cursor column's own type; times without zone are written in the plan's zone."""
    base = plan.cursor.base if plan.cursor else "timestamptz"
    if base == "timestamptz":
        return value
    local = SQL("({} AT TIME ZONE {})").format(value, Literal(plan.zone))
    return SQL("{}::date").format(local) if base == "date" else local


def cursor_ref(plan: Plan) -> tuple[Column, Composable]:
    assert plan.cursor is not None, "asked only of plans with a cursor column"  # noqa: S101
    return plan.cursor, column_ref(plan, plan.cursor)


# Conditions


def after_key(plan: Plan, key: Sequence[str]) -> Clause:
    """Rows behind this one in key order."""
    refs = SQL(", ").join(key_ref(plan, one) for one in plan.key)
    values = SQL(", ").join(value_of(one) for one in plan.key)
    return Clause(SQL("({}) > ({})").format(refs, values), tuple(key))


def after(plan: Plan, position: Position) -> Clause:
    """Rows behind this position in the order (cursor, key)."""
    return _beside(plan, position, SQL(">"), SQL(">="))


def up_to(plan: Plan, position: Position) -> Clause:
    """Rows at or before this position, and rows without a cursor value."""
    _, ref = cursor_ref(plan)
    if position.cursor is None:
        return without_cursor(plan)
    before = _beside(plan, position, SQL("<="), SQL("<"))
    return Clause(SQL("({} IS NULL OR {})").format(ref, before.text), before.values)


def up_to_within(plan: Plan, position: Position) -> Clause:
    """Rows at or before this position, but no older than the look-back."""
    before, since = _beside(plan, position, SQL("<="), SQL("<")), within(plan, position.cursor)
    return Clause(SQL("{} AND {}").format(before.text, since.text), before.values + since.values)


def within(plan: Plan, value: str | None) -> Clause:
    """Rows no older than the look-back before this cursor value; numbers have none."""
    one, ref = cursor_ref(plan)
    if value is None:
        return Clause(SQL("{} IS NOT NULL").format(ref))
    if not plan.by_time:
        return Clause(SQL("{} >= {}").format(ref, value_of(one)), (value,))
    return Clause(
        SQL("{} >= {} - %s::interval").format(ref, value_of(one)), (value, span(plan.lookback.total_seconds()))
    )


def _beside(plan: Plan, position: Position, than: SQL, than_tie: SQL) -> Clause:
    one, ref = cursor_ref(plan)
    if position.cursor is None:
        return Clause(SQL("{} IS NOT NULL").format(ref))
    if position.key is None:
        # The highest number seen is read already; the start of a run, or `until`, is not.
        than = than_tie if plan.by_time else than
        return Clause(SQL("{} {} {}").format(ref, than, value_of(one)), (position.cursor,))
    refs = SQL(", ").join((ref, *(key_ref(plan, key) for key in plan.key)))
    values = SQL(", ").join((value_of(one), *(value_of(key) for key in plan.key)))
    return Clause(SQL("({}) {} ({})").format(refs, than, values), (position.cursor, *position.key))


def without_cursor(plan: Plan) -> Clause:
    """Rows whose cursor column is NULL."""
    return Clause(SQL("{} IS NULL").format(cursor_ref(plan)[1]))


def not_beyond(plan: Plan, ceiling: str) -> Clause:
    """Rows whose cursor value a saved position may take."""
    one, ref = cursor_ref(plan)
    return Clause(SQL("{} <= {}").format(ref, value_of(one)), (ceiling,))


def beyond(plan: Plan, ceiling: str) -> Clause:
    """Rows dated past the start of the run."""
    one, ref = cursor_ref(plan)
    return Clause(SQL("{} > {}").format(ref, value_of(one)), (ceiling,))


def settled(plan: Plan, ceiling: str) -> Clause:
    """Rows old enough to be read now, and rows without a cursor value."""
    below, none = not_beyond(plan, ceiling), without_cursor(plan)
    return Clause(SQL("({} OR {})").format(below.text, none.text), below.values)


def since_instant(plan: Plan, instant: datetime) -> Clause:
    """Rows stamped at or after an instant."""
    return Clause(
        SQL("{} >= {}").format(cursor_ref(plan)[1], moment(plan, SQL("%s::timestamptz"))), (instant.isoformat(),)
    )


def before_instant(plan: Plan, instant: datetime) -> Clause:
    """Rows stamped before an instant."""
    return Clause(
        SQL("{} < {}").format(cursor_ref(plan)[1], moment(plan, SQL("%s::timestamptz"))), (instant.isoformat(),)
    )


def written_since(plan: Plan, horizon: int) -> Clause:
    """Rows that a transaction not finished at this horizon wrote."""
    xmin = named(*plan.qualifier, "xmin")
    text = SQL("(({newest} - {xmin}::text::bigint) & 4294967295) <= {newest} - %s::bigint")
    return Clause(text.format(newest=_NEWEST, xmin=xmin), (horizon,))


def key_missing(plan: Plan) -> Clause:
    """Rows that have NULL in a key column."""
    return Clause(
        SQL("({})").format(SQL(" OR ").join(SQL("{} IS NULL").format(column_ref(plan, one)) for one in plan.key))
    )


def with_keys(plan: Plan, keys: Sequence[Sequence[str]]) -> Clause:
    """Rows that have one of these keys."""
    names = [Identifier(f"k{number}") for number in range(len(plan.key))]
    refs = SQL(", ").join(column_ref(plan, one) for one in plan.key)
    casts = SQL(", ").join(
        SQL("{}::{}").format(name, SQL(one.cast.replace("%", "%%"))) for name, one in zip(names, plan.key, strict=True)
    )
    arrays = SQL(", ").join(SQL("%s::text[]") for _ in names)
    text = SQL("({}) IN (SELECT {} FROM unnest({}) AS keys({}))").format(refs, casts, arrays, SQL(", ").join(names))
    return Clause(text, tuple(list(texts) for texts in zip(*keys, strict=True)))


def span(seconds: float) -> str:
    """A duration as an interval is written."""
    return f"{seconds:.0f} seconds"
