"""One connection, renewed when it is lost, and the short read-only transactions on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg

from connectors.base import SourceUnreachable
from connectors.postgres.faults import ServerBusy, explain, explain_connect, meaning_of
from connectors.postgres.target import Target
from connectors.postgres.values import register_loaders

T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
STATEMENT_TIMEOUT = "60s"
# One statement sets all, for this transaction only: a pooler hands the session to others afterwards.
_SETTINGS = (
    "SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', '5s', true),"
    " set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO, YMD', true),"
    " set_config('intervalstyle', 'iso_8601', true), set_config('bytea_output', 'hex', true),"
    " set_config('extra_float_digits', '1', true)"
)


class TookTooLong(SourceUnreachable):
    """The statement timeout ended a statement: asking for less may work."""


class Session:
    """Runs work on a connection to one server, again after a pause where the server asks for that."""

    def __init__(
        self, target: Target, sleep: Callable[[float], None], statement_timeout: str = STATEMENT_TIMEOUT
    ) -> None:
        self.target = target
        self._sleep = sleep
        self._timeout = statement_timeout
        self._connection: Connection | None = None
        self._met = False

    def run(self, work: Callable[[Connection], T], what: str) -> T:
        """Answer work(connection), given a new connection where the last one was lost.

        `what` is named in errors. Raises TookTooLong, and ConnectorErrors once the pauses are used up.
        """
        pauses = iter(PAUSES)
        while True:
            try:
                connection = self._opened()
            except SourceUnreachable as error:
                # A server never met is more likely misspelt than restarting.
                worth_it = self._met or isinstance(error, ServerBusy)
                if not worth_it or (pause := next(pauses, None)) is None:
                    raise
            else:
                try:
                    return work(connection)
                except psycopg.Error as error:
                    pause = self._pause_after(error, pauses, what)
            self.close()
            self._sleep(pause)

    def _pause_after(self, error: psycopg.Error, pauses: Iterator[float], what: str) -> float:
        meaning = meaning_of(error)
        if meaning == "less":
            raise TookTooLong(str(explain(error, self.target, what))) from None
        pause = next(pauses, None) if meaning == "again" else None
        if pause is None:
            raise explain(error, self.target, what) from None
        return pause

    def _opened(self) -> Connection:
        if self._connection is not None and (self._connection.closed or self._connection.broken):
            self.close()
        if self._connection is None:
            self._connection = self._connect()
            self._met = True
        return self._connection

    def _connect(self) -> Connection:
        try:
            connection = psycopg.connect(**self.target.options, autocommit=True, prepare_threshold=None)
        except psycopg.Error as error:
            raise explain_connect(error, self.target) from None
        connection.read_only = True
        register_loaders(connection.adapters)
        return connection

    @contextmanager
    def transaction(self, connection: Connection) -> Iterator[None]:
        """One short READ ONLY transaction with its own timeouts, time zone and formats."""
        with connection.transaction():
            connection.execute(_SETTINGS, (self._timeout,))
            yield

    def close(self) -> None:
        """Let go of the connection; the next work opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
