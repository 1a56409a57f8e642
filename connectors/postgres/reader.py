"""Reads a stream page by page, each in a short transaction of its own, and says where it is safe to resume."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import psycopg

from connectors.base import Cursor, Page, SourceMisconfigured, Values
from connectors.cursors import RESET
from connectors.postgres import conditions, phases, statements
from connectors.postgres.conditions import Clause
from connectors.postgres.cursor import Progress, Server, decode, encode
from connectors.postgres.plan import Plan
from connectors.postgres.rows import Fetched, fetch, position_of
from connectors.postgres.server import joined, meet, still_holds
from connectors.postgres.session import Connection, Session, TookTooLong
from connectors.postgres.values import use_faster_loaders

T = TypeVar("T")

PAGE_ROWS = 1_000
PAGE_BYTES = 16 * 1024 * 1024
# Where a smaller limit does not help, a dozen timeouts would not either: 1,000, 125, 15, 1.
_LESS = 8


class Reader:
    """One read of a stream, from the beginning or from a saved cursor."""

    def __init__(
        self,
        plan: Plan,
        session: Session,
        start: datetime | None,
        until: datetime | None = None,
        page_rows: int = PAGE_ROWS,
    ) -> None:
        self._plan = plan
        self._session = session
        self._start = start
        self._until = until
        self._limit = self._most = page_rows
        self._server: Server | None = None
        self._connection: Connection | None = None

    def stream(self, since: Cursor | None, make: Callable[[Values], T]) -> Iterator[tuple[Page, Sequence[T]]]:
        """Yield pages without their records, and what was made of these; the last one carries the next run's cursor."""
        progress = self._begin(since)
        if not self._plan.key_proven:
            self._refuse_missing_keys(progress)
        for phase in phases.remaining(self._plan, progress):
            progress = phases.entered(progress, phase)
            for found in self._pages(progress, make):
                progress = replace(progress, at=position_of(self._plan, found.last), server=self._met())
                yield Page((), encode(progress)), found.made
                del found  # or it would be held while the next page is fetched
        yield Page((), encode(phases.finished(self._plan, replace(progress, server=self._met())))), ()

    # Where to begin

    def _begin(self, since: Cursor | None) -> Progress:
        saved = None if since is None else decode(since)
        server = self._run(lambda _: self._met())
        if saved is not None and still_holds(saved, server, self._plan):
            self._run(lambda connection: self._require_castable(connection, saved))
            if saved.phase != "done":
                # The bounds of the run that was interrupted stay: what came later is left to the next one.
                self._server = joined(saved.server, server)
                return replace(saved, server=self._server)
            if self._plan.cursor is not None:
                return phases.next_run(self._plan, saved, server)
        return phases.first_run(self._plan, server, self._highest(server.ceiling))

    def _highest(self, ceiling: str | None) -> str | None:
        if self._plan.cursor is None or (ceiling is not None and self._plan.by_time and self._plan.xmin):
            return ceiling
        # Without a clock, or transaction ids, no more is certain than what could be seen before reading began.
        bound = [] if ceiling is None else [conditions.not_beyond(self._plan, ceiling)]
        bound += [] if self._until is None else [conditions.before_instant(self._plan, self._until)]
        highest = self._scalar(statements.newest(self._plan, bound))
        return None if highest is None else str(highest)

    def _require_castable(self, connection: Connection, saved: Progress) -> None:
        if any(len(place.key) != len(self._plan.key) for place in (saved.at, saved.saved) if place and place.key):
            raise SourceMisconfigured(RESET)
        statement = statements.casts(self._plan, saved)
        try:
            with self._session.transaction(connection):
                connection.execute(statement.text, statement.values)
        except psycopg.DataError:
            raise SourceMisconfigured(RESET) from None

    def _refuse_missing_keys(self, progress: Progress) -> None:
        """A row without a key can be neither paged nor delivered: say so before it goes missing."""
        missing = [conditions.key_missing(self._plan)]
        if progress.phase != "full":
            missing.append(conditions.within(self._plan, progress.saved.cursor))
        try:
            found = self._scalar(statements.some(self._plan, missing))
        except TookTooLong:
            # Asked of a large view this may take a scan; reading its pages may not.
            return
        if found is not None:
            names = [column.name for column in self._plan.key]
            raise SourceMisconfigured(
                f"{self._plan.label}: there are rows with NULL in primaryKey ({', '.join(names)}): choose columns that "
                f"identify every row, or leave such rows out: where: {' AND '.join(f'{n} IS NOT NULL' for n in names)}"
            )

    # Pages

    def _pages(self, progress: Progress, make: Callable[[Values], T]) -> Iterator[Fetched[T]]:
        fixed = phases.rows_of_phase(self._plan, progress, self._start, self._until)
        by_cursor = not phases.ordered_by_key(progress)
        at, more = progress.at, True
        while more:
            behind = phases.rows_behind(self._plan, progress, at)
            found, more = self._page([*fixed, *behind], make, by_cursor=by_cursor)
            if found.made:
                at = position_of(self._plan, found.last)
                yield found
            del found

    def _page(
        self, conditions: list[Clause], make: Callable[[Values], T], *, by_cursor: bool
    ) -> tuple[Fetched[T], bool]:
        """The next rows, and whether there may be more; fewer at once where they are slow or wide."""
        while True:
            limit = self._limit
            try:
                found = self._fetch(statements.page(self._plan, conditions, limit, by_cursor=by_cursor), make)
            except TookTooLong as error:
                if limit == 1:
                    raise self._too_slow(error) from None
                self._limit = max(1, limit // _LESS)
                continue
            self._limit = len(found.made) if found.cut else min(self._most, limit * 2)
            return found, found.cut or len(found.made) == limit

    def _fetch(self, statement: Clause, make: Callable[[Values], T]) -> Fetched[T]:
        def work(connection: Connection) -> Fetched[T]:
            with self._session.transaction(connection):
                return fetch(connection, self._plan, statement, make, PAGE_BYTES)

        return self._run(work)

    def _too_slow(self, error: TookTooLong) -> TookTooLong:
        columns = (*((self._plan.cursor,) if self._plan.cursor else ()), *self._plan.key)
        names = ", ".join(column.name for column in columns)
        return TookTooLong(f"{error}, even for a single row: an index on ({names}) lets it be read in pages")

    # The server

    def _run(self, work: Callable[[Connection], T]) -> T:
        """Work on a connection whose server's horizon is known: on a new one, it is asked for first."""

        def known(connection: Connection) -> T:
            if connection is not self._connection:
                now = meet(self._session, connection, self._plan, self._until)
                self._server = now if self._server is None else joined(self._server, now)
                use_faster_loaders(connection, self._plan.columns)
                self._connection = connection
            return work(connection)

        return self._session.run(known, self._plan.label)

    def _scalar(self, statement: Clause) -> object:
        def work(connection: Connection) -> object:
            with self._session.transaction(connection):
                row = connection.execute(statement.text, statement.values).fetchone()
            return row[0] if row else None

        return self._run(work)

    def _met(self) -> Server:
        assert self._server is not None, "every statement is preceded by meeting the server"  # noqa: S101
        return self._server
