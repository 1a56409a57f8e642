"""Postgres behind the calls that every connector answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from connectors.base import (
    Cursor,
    Field,
    ObjectName,
    Page,
    Reading,
    Record,
    SourceMisconfigured,
    Values,
    records_of,
)
from connectors.postgres import Source, catalog, conditions, phases, preparing, sampling, statements
from connectors.postgres.conditions import Clause
from connectors.postgres.cursor import decode
from connectors.postgres.notes import notes_on_connection
from connectors.postgres.plan import Plan
from connectors.postgres.reader import PAGE_BYTES, PAGE_ROWS, Reader
from connectors.postgres.rows import Fetched, fetch, fits, split_key
from connectors.postgres.server import meet
from connectors.postgres.session import STATEMENT_TIMEOUT, Connection, Session, TookTooLong
from connectors.postgres.target import Target
from connectors.postgres.values import use_faster_loaders

T = TypeVar("T")

KEYS_AT_ONCE = 1_000
# Counting this many rows takes no longer than reading a few pages of them.
COUNTED = 200_000


class PostgresConnector:
    """Reads a table, view or query; nothing is contacted before the first call."""

    def __init__(
        self,
        source: Source,
        target: Target,
        fields: Sequence[str] | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        page_rows: int = PAGE_ROWS,
        statement_timeout: str = STATEMENT_TIMEOUT,
    ) -> None:
        self._source = source
        self._fields = fields
        self._page_rows = page_rows
        self._session = Session(target, sleep, statement_timeout)
        self._plan: Plan | None = None

    def check(self) -> Reading:
        """Prove that every statement of a read can run, without running one."""
        plan = self._planned(anew=True)
        self._explain(statements.page(plan, [], self._page_rows))
        if plan.cursor is not None:
            self._explain(statements.page(plan, [], self._page_rows, by_cursor=True))
        self._session.run(lambda connection: meet(self._session, connection, plan, None), plan.label)
        found = self._in_transaction(notes_on_connection)
        return Reading(
            primary_key=tuple(column.name for column in plan.key),
            cursor_field=plan.cursor.name if plan.cursor else None,
            cursor_indexed=plan.cursor.indexed if plan.cursor and plan.query is None else None,
            notes=(*plan.notes, *found),
        )

    def objects(self) -> Sequence[ObjectName]:
        """The tables and views that this role can read."""
        found = self._in_transaction(catalog.listed)
        return tuple(ObjectName(one.text, one.label, one.rows) for one in found)

    def fields(self, object: str) -> Sequence[Field]:
        """The columns of a table or view; of the map's query where `object` is empty."""
        if not object and self._source.query is not None:
            query = self._source.query
            columns = self._in_transaction(lambda connection: preparing.describe(connection, query))
            return tuple(_field(column, self._source.primary_key or (), indexed=None) for column in columns)
        relation = self._in_transaction(lambda connection: preparing.find(connection, object))
        key = relation.keys[0] if relation.keys else ()
        has_indexes = relation.kind in "rpm"
        return tuple(_field(one, key, indexed=one.indexed if has_indexes else None) for one in relation.columns)

    def described(self) -> Sequence[Field]:
        """The columns of the stream's table, view or query."""
        plan = self._planned()
        key = [column.name for column in plan.key]
        return tuple(_field(one, key, indexed=one.indexed if plan.table else None) for one in plan.available)

    def read(self, since: Cursor | None, until: datetime | None = None) -> Iterator[Page]:
        """Yield what changed after `since`; every page's cursor resumes right behind it."""
        for page, records in self.stream(since, until, records_of):
            yield replace(page, records=records)

    def stream(
        self, since: Cursor | None, until: datetime | None, maker: Callable[[Sequence[str]], Callable[[Values], T]]
    ) -> Iterator[tuple[Page, Sequence[T]]]:
        """The same pages, of whose rows something is made as they arrive."""
        plan = self._planned()
        if until is not None and not plan.by_time:
            raise SourceMisconfigured(f"{plan.label}: reading until a time needs a cursor column of dates or times")
        reader = Reader(plan, self._session, self._source.start, until, self._page_rows)
        yield from reader.stream(since, maker(plan.names))

    def fetch(self, keys: Sequence[str]) -> Iterator[Record]:
        """Yield these records as they are now; those gone, or outside `where` by now, are left out."""
        plan = self._planned()
        for first in range(0, len(keys), KEYS_AT_ONCE):
            batch = [split_key(plan, key) for key in keys[first : first + KEYS_AT_ONCE] if fits(plan, key)]
            if batch:
                yield from self._records(plan, batch)

    def _records(self, plan: Plan, keys: list[tuple[str, ...]]) -> Iterator[Record]:
        """The records of a batch; of half of it at a time where rows are wide."""

        make = records_of(plan.names)

        def work(connection: Connection) -> Fetched[Record]:
            use_faster_loaders(connection, plan.columns)
            with self._session.transaction(connection):
                return fetch(connection, plan, statements.by_keys(plan, keys), make, PAGE_BYTES)

        found = self._session.run(work, plan.label)
        if not found.cut or len(keys) == 1:
            yield from found.made
            return
        half = len(keys) // 2
        yield from self._records(plan, keys[:half])
        yield from self._records(plan, keys[half:])

    def count(self, since: Cursor | None) -> int | None:
        """About how many records are due: counted where they are few, else the server's estimate."""
        plan = self._planned()
        due = self._due(plan, since)
        try:
            estimate = self._estimate(statements.page(plan, due, 1))
            if estimate > COUNTED:
                return estimate
            return self._in_transaction(lambda connection: _scalar(connection, statements.total(plan, due)))
        except TookTooLong:
            return None

    def _due(self, plan: Plan, since: Cursor | None) -> list[Clause]:
        progress = decode(since) if since is not None else None
        if progress is None or plan.cursor is None or progress.definition != plan.definition:
            return [conditions.since_instant(plan, self._source.start)] if self._source.start else []
        return list(phases.rows_behind(plan, progress, progress.at))

    def sample(self, rows: int) -> list[dict[str, Any]]:
        """Some rows from all over the table, their values as text: cheap however large the table is."""

        def work(connection: Connection) -> list[dict[str, Any]]:
            return sampling.some_rows(connection, preparing.find(connection, self._source.object or ""), rows)

        return self._in_transaction(work)

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    # Help

    def _planned(self, *, anew: bool = False) -> Plan:
        if self._plan is None or anew:
            self._plan = self._in_transaction(
                lambda connection: preparing.prepare(connection, self._source, self._fields)
            )
        return self._plan

    def _in_transaction(self, work: Callable[[Connection], T]) -> T:
        def inside(connection: Connection) -> T:
            with self._session.transaction(connection):
                return work(connection)

        return self._session.run(inside, self._source.object or "query")

    def _explain(self, statement: Clause) -> None:
        self._in_transaction(lambda connection: preparing.explain(connection, statement))

    def _estimate(self, statement: Clause) -> int:
        return self._in_transaction(lambda connection: preparing.estimate(connection, statement))


def _scalar(connection: Connection, statement: Clause) -> int:
    row = connection.execute(statement.text, statement.values).fetchone()
    return int(row[0]) if row else 0


def _field(column: catalog.Column, key: Sequence[str], *, indexed: bool | None) -> Field:
    return Field(
        name=column.name,
        type=column.type,
        comment=column.comment,
        nullable=not column.not_null,
        is_key=column.name in key,
        readable=column.readable,
        indexed=indexed,
        values=column.labels,
    )
