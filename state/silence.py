"""A Postgres connection that does not wait for ever: a server that says nothing is asked whether it is there at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import psycopg
from psycopg import conninfo
from psycopg.abc import PQGen

Result = TypeVar("Result")

SUSPICIOUS = 10.0
"""Seconds without a word after which the server is asked on another connection."""
PROBE = 5
"""Seconds for each of the two steps of that: to be let in, and to be answered."""
PAUSE = 5.0
"""Seconds after such a silence in which nobody tries to connect."""
_WORDS = "the server does not answer"
LONGEST = 900.0
"""Seconds that any one statement may be silent, although the server is there."""


class Silent(psycopg.OperationalError):
    """The server does not answer any more."""


class WatchedConnection(psycopg.Connection[Any]):
    """Raises Silent from whatever waits for a server that is frozen or cut off, and is closed then."""

    fell_silent: Callable[[], None] | None = None

    def wait(self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None) -> Result:
        """Wait for an answer as the driver does, but not for one that never comes."""
        return super().wait(heard(gen, self._check, SUSPICIOUS), interval, timeout)

    def _check(self, seconds: float) -> None:
        """Raise Silent after so many seconds of silence if the server is not there."""
        address = conninfo.make_conninfo(self.info.dsn, password=self.info.password or None)
        if seconds >= LONGEST or not answers(address):
            if self.fell_silent is not None:
                self.fell_silent()
            _give_up(self)


class Connector:
    """Makes connections, but not right after the server was found silent: who has ten questions waits once."""

    def __init__(self) -> None:
        self._silent_at = float("-inf")

    def connect(self, *arguments: Any, **given: Any) -> WatchedConnection:
        """A connection; raises what the driver raises, and Silent."""
        if time.monotonic() - self._silent_at < PAUSE:
            raise Silent(_WORDS)
        try:
            connection = WatchedConnection.connect(*arguments, **given)
        except psycopg.errors.ConnectionTimeout:
            self._note()
            raise
        connection.fell_silent = self._note
        return connection

    def _note(self) -> None:
        self._silent_at = time.monotonic()


class _Probe(psycopg.Connection[Any]):
    def wait(self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None) -> Result:
        return super().wait(heard(gen, lambda _: _give_up(self), PROBE), interval, timeout)


def _give_up(connection: psycopg.Connection[Any]) -> None:
    connection.pgconn.finish()  # nothing more may be sent on it, not even a good-bye that would be waited for
    raise Silent(_WORDS)


def heard(gen: PQGen[Result], check: Callable[[float], None], every: float) -> Generator[Any, Any, Result]:
    """What the driver waits for, with a check after so many seconds in which nothing came, again and again."""
    last = checked = time.monotonic()
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                last = checked = time.monotonic()
            elif time.monotonic() - checked >= every:
                check(time.monotonic() - last)
                checked = time.monotonic()
            wanted = gen.send(ready) or wanted
    except StopIteration as done:
        result: Result = done.value
        return result


def answers(address: str) -> bool:
    """Whether a server lets another connection in and answers it; a refusal is an answer too."""
    try:
        with _Probe.connect(address, connect_timeout=PROBE, autocommit=True) as probe:
            probe.execute("SELECT 1").close()
    except (psycopg.errors.ConnectionTimeout, Silent):
        return False
    except psycopg.Error:
        return True
    return True
