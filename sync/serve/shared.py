"""Store, destination, collections and pace of all runs: opened once, renewed now and then, waited for when away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from state.errors import StoreUnreachable
from state.store import Store
from sync.destination import open_destination
from sync.exits import KNOWN_ERRORS
from sync.memory.errors import DestinationUnavailable, QuotaExhausted, RateLimited
from sync.request import Surroundings
from sync.settings import Settings
from sync.stop import Stop, Stopped

LONGEST = 600.0
"""Seconds after which plan and collections are asked for again."""
RETRY = 30.0
"""Seconds between tries to renew what failed."""
FIRST, LAST = 2.0, 60.0
"""Seconds between tries at the start: the first pause, doubled up to the last."""
PASSING = (StoreUnreachable, DestinationUnavailable, RateLimited, QuotaExhausted)
"""Errors that may be gone a little later without anybody doing anything."""


@dataclass(slots=True, eq=False)
class _Generation:
    around: Surroundings
    things: ExitStack
    opened_at: float
    users: int = 0
    retired: bool = False


class Shared:
    """Lends the surroundings to runs; those that are renewed are closed when their last user is done."""

    def __init__(
        self, settings: Settings, open_store: Callable[[], Store], stop: Stop, warn: Callable[[str], None]
    ) -> None:
        self._settings, self._open_store, self._stop, self._warn = settings, open_store, stop, warn
        self._current: _Generation | None = None
        self._renewing, self._guard = threading.Lock(), threading.Lock()
        self._in_doubt, self._tried_at = False, float("-inf")
        self.problem: str | None = "not opened yet"
        """Why store or destination cannot be used, as far as is known; None when they can."""

    def open(self) -> None:
        """Open everything, and wait for what is away; raises what waiting does not mend, and Stopped."""
        pause = FIRST
        while True:
            try:
                self._current = self._opened()
            except PASSING as problem:
                self.problem = str(problem)
                self._warn(f"waiting for what is away, trying again in {pause:.0f} s: {problem}")
            else:
                self.problem = None
                return
            self._stop.pause(pause)
            pause = min(LAST, pause * 2)

    @contextmanager
    def borrow(self) -> Iterator[Surroundings]:
        """The surroundings for one run, renewed where that is due; raises Stopped."""
        self.renew()
        with self._lent() as around:
            yield around

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store for a look or a note; raises StoreUnreachable while nothing is open."""
        with self._lent() as around:
            if around.store is None:
                raise StoreUnreachable("the state store is not open")
            yield around.store

    def doubt(self, problem: str | None) -> None:
        """Something failed in a way that may be mended by opening everything again."""
        self._in_doubt = self._current is not None
        self.problem = problem or self.problem

    def renew(self) -> None:
        """Open everything again if it is old or in doubt; what cannot be opened leaves the old one in use."""
        with self._renewing:
            if not self._is_due():
                return
            self._tried_at = time.monotonic()
            try:
                fresh = self._opened()
            except Stopped:
                raise
            except KNOWN_ERRORS as problem:
                self._warn(f"store and destination stay as they were opened before: {problem}")
                self._in_doubt, self.problem = True, str(problem)
                return
            self._in_doubt, self.problem = False, None
            with self._guard:
                old, self._current = self._current, fresh
            if old is not None:
                self._retire(old)

    def mend(self) -> None:
        """Renew what is in doubt, so that a problem that is over does not last until the next run."""
        if self._in_doubt:
            self.renew()

    def close(self) -> None:
        """Let go of everything that is not in use."""
        with self._guard:
            old, self._current = self._current, None
        if old is not None:
            self._retire(old)

    def _is_due(self) -> bool:
        now = time.monotonic()
        if self._current is None or now - self._tried_at < RETRY:
            return False
        return self._in_doubt or now - self._current.opened_at > LONGEST

    @contextmanager
    def _lent(self) -> Iterator[Surroundings]:
        with self._guard:
            lent = self._current
            if lent is None:
                raise StoreUnreachable(f"store and destination are not open: {self.problem}")
            lent.users += 1
        try:
            yield lent.around
        finally:
            with self._guard:
                lent.users -= 1
                over = lent.retired and not lent.users
            if over:
                lent.things.close()

    def _retire(self, old: _Generation) -> None:
        with self._guard:
            old.retired = True
            over = not old.users
        if over:
            old.things.close()

    def _opened(self) -> _Generation:
        with ExitStack() as things:
            store = things.enter_context(self._open_store())
            destination = open_destination(self._settings, self._stop.pause, self._warn)
            things.callback(destination.close)
            pacer = destination.pacer(store, self._settings)
            known = things.enter_context(destination.remembered(store))
            around = Surroundings(self._settings, store, destination, known, pacer, self._stop)
            return _Generation(around, things.pop_all(), time.monotonic())
