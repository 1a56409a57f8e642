"""Looking after events while the run goes on: one question at a time, and a bounded share of the calls."""

from __future__ import annotations

import time
from collections.abc import Callable

from state.values import Unsettled
from sync.flight import Flight
from sync.follow import Follower
from sync.memory.settlement import EventOutcome
from sync.stop import Stop, Stopped

SHARE = 0.1
"""Of all calls to the destination, so many may be questions while rows are still to be sent."""
_LOOK = 0.2
_NOTHING_DUE = 1.0
"""Seconds until the store is asked again, when no event was due."""


class Aside:
    """Asks on a thread of its own; what was answered is stored by the thread that calls."""

    def __init__(
        self,
        follower: Follower,
        due_event: Callable[[], Unsettled | None],
        calls: Callable[[], int],
        stop: Stop,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._follower, self._due_event, self._calls = follower, due_event, calls
        self._stop, self._clock = stop, clock
        self._flight = Flight(1)
        self._asked = 0
        self._not_before = float("-inf")

    def glance(self) -> None:
        """Store what was answered, and ask for the next event if it is due and the share allows it."""
        self._conclude(0.0)
        if self._flight.count or self._asked + 1 > SHARE * self._calls() or self._clock() < self._not_before:
            return
        chunk = self._due_event()
        if chunk is None:
            self._not_before = self._clock() + _NOTHING_DUE
            return
        self._asked += 1
        self._flight.launch(chunk, lambda: self._follower.question(chunk, self._stop.pause))

    def end(self) -> None:
        """Wait for the question in flight: nobody else may ask it meanwhile. Raises Stopped."""
        while self._flight.count:
            if self._stop.is_set:
                raise Stopped
            self._conclude(_LOOK)

    def close(self) -> None:
        """Let the thread end, when it has an answer."""
        self._flight.close()

    def _conclude(self, wait: float) -> None:
        for chunk, found in self._flight.landed(wait):
            answer: EventOutcome = found
            self._follower.conclude(chunk, answer)
