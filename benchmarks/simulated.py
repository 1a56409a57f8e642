"""The pace of calls in simulated time: the real pacer and the real limiter, against a model of the server's limit.

Threads take turns: one runs at a time, and the clock moves only when all of them wait. So five minutes take a second,
and the same seed gives the same calls.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from state.store import Store, open_store
from sync.memory.pace import WINDOW, Pacer

START_UP = 2
"""Calls that a process makes without asking, before it knows the limit: who am I, and which collections are there."""
BEGIN = 1_780_000_000.0


class Time:
    """A clock that only moves when every thread waits."""

    def __init__(self, now: float = BEGIN) -> None:
        self.now = now
        self._waiting: list[tuple[float, int, threading.Semaphore]] = []
        self._numbers = itertools.count()
        self._errors: list[BaseException] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the others go on until it is so much later."""
        turn = self._queue(seconds)
        self._pass_on()
        turn.acquire()

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """Do all works at once, to their end; raises what the first of them raised."""
        threads = [threading.Thread(target=self._do, args=(work, self._queue(0.0)), daemon=True) for work in works]
        for thread in threads:
            thread.start()
        self._pass_on()
        for thread in threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def _do(self, work: Callable[[], None], turn: threading.Semaphore) -> None:
        turn.acquire()
        try:
            work()
        except BaseException as error:
            self._errors.append(error)
        finally:
            self._pass_on()

    def _queue(self, seconds: float) -> threading.Semaphore:
        turn = threading.Semaphore(0)
        heapq.heappush(self._waiting, (self.now + max(0.0, seconds), next(self._numbers), turn))
        return turn

    def _pass_on(self) -> None:
        if self._waiting:
            self.now, _, turn = heapq.heappop(self._waiting)
            turn.release()


class Server:
    """Lets so many calls through in a window: any 60 seconds (`sliding`), those from the first call of a window on
    (`first`), or those of the clock's minutes (`minute`). Calls that are refused do not count."""

    def __init__(self, limit: int, window: str) -> None:
        self._limit, self._window = limit, window
        self.taken: list[float] = []
        self.refused = 0
        self._began = float("-inf")

    def take(self, now: float) -> float | None:
        """None for a call that is let through; else the seconds after which the caller may come again."""
        since = self._since(now)
        # What leaves the window this very moment counts no more, whatever the last digits say.
        within = self.taken[bisect_left(self.taken, since + 1e-6 if self._window == "sliding" else since) :]
        if len(within) >= self._limit:
            self.refused += 1
            return max(1.0, (within[0] if self._window == "sliding" else since) + WINDOW - now)
        self.taken.append(now)
        return None

    def _since(self, now: float) -> float:
        if self._window == "minute":
            return now - now % WINDOW
        if self._window == "first" and now >= self._began + WINDOW:
            self._began = now
        return self._began if self._window == "first" else now - WINDOW


@dataclass(frozen=True, slots=True)
class Case:
    """Processes that share one store and one plan; times are seconds."""

    per_minute: int = 60
    share: float = 0.9
    processes: int = 1
    in_flight: int = 4
    window: str = "sliding"
    latency: float = 0.3
    unsteady: float = 0.05
    """By how much a thread wakes up late, and by how much the way of a call may be longer, at most."""
    seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Found:
    """What the server saw of a case."""

    calls: int
    """Calls that were let through, from the first one on, within the time."""
    refused: int
    allowance: float

    @property
    def used(self) -> float:
        """The part of the allowance (the limit times the share) that was used."""
        return self.calls / self.allowance


def simulate(case: Case, folder: Path, seed: int = 1) -> Found:
    """Let the processes call as often as they may; `folder` is where their state store is made."""
    time, chance = Time(), random.Random(seed)
    server = Server(case.per_minute, case.window)
    with _stores(folder, case.processes, time) as stores:
        time.run([work for store in stores for work in _process(case, time, chance, server, store)])
    allowance = case.per_minute * case.share * case.seconds / WINDOW
    return Found(bisect_left(server.taken, BEGIN + case.seconds), server.refused, allowance)


@contextmanager
def _stores(folder: Path, number: int, clock: Callable[[], float]) -> Iterator[list[Store]]:
    folder.mkdir(exist_ok=True)
    url = f"sqlite:///{folder / 'state.db'}"
    stores = [open_store(url, clock) for _ in range(number)]
    try:
        yield stores
    finally:
        for store in stores:
            store.close()


def _process(
    case: Case, time: Time, chance: random.Random, server: Server, store: Store
) -> Iterator[Callable[[], None]]:
    """What the threads of one process do."""
    pacer: list[Pacer] = []
    began = threading.Event()

    def open_pacer() -> None:
        for _ in range(START_UP):
            travel(server.take)
        pacer.append(_pacer(case, time, store))
        pacer[0].count(START_UP)

    def travel(take: Callable[[float], Any]) -> Any:
        time.sleep(chance.uniform(0, case.unsteady))
        answer = take(time.now)
        time.sleep(case.latency)
        return answer

    def work() -> None:
        if not began.is_set():
            began.set()
            open_pacer()
        while not pacer:
            time.sleep(0.01)
        while time.now < BEGIN + case.seconds:
            pacer[0].wait(pause=lambda seconds: time.sleep(seconds + chance.uniform(0, case.unsteady)))
            told = travel(server.take)
            if told is not None:
                pacer[0].slow_down(told, None)

    return iter([work] * case.in_flight)


def _pacer(case: Case, time: Time, store: Store) -> Pacer:
    def reserve(span: float, burst: float) -> float:
        return store.reserve("org", span, burst)

    def postpone(seconds: float) -> None:
        store.postpone("org", seconds)

    return Pacer(case.per_minute, case.share, "call", reserve, postpone, time.sleep, time)
