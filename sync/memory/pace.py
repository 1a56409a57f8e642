"""Keeping calls under the plan's per-minute limit, together with every process that shares the state store."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Literal

Unit = Literal["call", "row"]
WINDOW = 60.0
"""Seconds of the plan's limit."""
_AHEAD = 0.25
"""Seconds' worth of calls that are booked at once where the limit is high: it spares a transaction per call."""


class Pacer:
    """Says when a call may start. `reserve(span, burst)` books seconds of the allowance and returns the wait."""

    def __init__(
        self,
        per_minute: int,
        share: float,
        unit: Unit,
        reserve: Callable[[float, float], float],
        postpone: Callable[[float], None],
        pause: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.unit = unit
        self._reserve, self._postpone, self._pause, self._clock = reserve, postpone, pause, clock
        self._share = share
        self._booked = self._warnings = 0
        self._ready_at = float("-inf")
        self._lock = threading.Lock()
        self._window = Window(per_minute)
        self._set_limit(per_minute)

    def _set_limit(self, per_minute: int) -> None:
        self.per_minute = self._window.limit = per_minute
        self.span = WINDOW / (per_minute * self._share)
        """Seconds from one call (or row) to the next at an even pace."""
        free = per_minute * (1 - self._share)
        self._block = max(1, min(int(_AHEAD / self.span), int(free / 4)))
        # Half of what the share leaves free may be used up front; the rest is for calls that are not paced (the
        # first ones of a command) and for calls that travel at different speeds.
        self._burst = max(0.0, free / 2 - self._block) * self.span if self.unit == "call" else 0.0

    def rows_per_call(self, wanted: int) -> int:
        """How many rows a call may carry, so that a minute's allowance is filled by calls of one size."""
        if self.unit == "call":
            return wanted
        allowance = max(1, int(self.per_minute * self._share))
        return allowance // -(-allowance // wanted)

    def seconds(self, calls: int, rows: int) -> float:
        """About how long so many calls take, which carry so many rows, when nobody else calls."""
        units = rows + calls if self.unit == "row" else calls
        return max(0.0, units * self.span - self._burst)

    def count(self, calls: int) -> None:
        """Book calls that were made without asking."""
        if calls > 0:
            self._reserve(calls * self.span, self._burst)

    def wait(self, rows: int = 0, pause: Callable[[float], None] | None = None) -> None:
        """Return when the next call, carrying so many rows, may start; raises what `pause` raises."""
        cost = max(1, rows) if self.unit == "row" else 1
        while True:
            start, warnings = self._book(cost)
            delay = start - self._clock()
            if delay > 0:
                (pause or self._pause)(delay)
            if warnings == self._warnings:
                return
            # The server said meanwhile that it is too much: the booking is void.

    def _book(self, cost: int) -> tuple[float, int]:
        with self._lock:
            if self._booked < cost:
                units = max(cost - self._booked, self._block)
                delay = self._reserve(units * self.span, self._burst)
                self._ready_at = self._clock() + delay
                self._booked += units
            self._booked -= cost
            return self._window.fit(max(self._ready_at, self._clock()), cost), self._warnings

    def slow_down(self, seconds: float, limit: int | None) -> None:
        """The server answered 429: nobody calls for so many seconds, and a lower limit that it named is kept."""
        with self._lock:
            self._booked = 0
            self._warnings += 1
            if limit is not None and self.unit == "call" and limit < self.per_minute:
                self._set_limit(limit)
            # A call may run ahead of the allowance by the burst, but never ahead of what the server said.
            wait = seconds + self._burst
        self._postpone(wait)


class Window:
    """The starts of the last minute in this process: whatever the shared allowance says, no minute holds too many."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._starts: deque[tuple[float, int]] = deque()
        self._sum = 0

    def fit(self, start: float, cost: int) -> float:
        """Enter a call at the first moment from `start` on that has room for it."""
        if self._starts:
            start = max(start, self._starts[-1][0])
        while self._starts and (self._starts[0][0] <= start - WINDOW or self._sum + cost > self.limit):
            before, units = self._starts.popleft()
            self._sum -= units
            start = max(start, before + WINDOW)
        self._starts.append((start, cost))
        self._sum += cost
        return start


class OwnAllowance:
    """`reserve` and `postpone` for a command without a state store: what `state.limiter` does, in memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._free_at = clock, float("-inf")

    def reserve(self, span: float, burst: float) -> float:
        """Book `span` seconds of the allowance; returns the seconds to wait before using them."""
        now = self._clock()
        start = max(self._free_at, now)
        self._free_at = start + span
        return max(0.0, start - now - burst)

    def postpone(self, seconds: float) -> None:
        """Let no call start for so many seconds."""
        self._free_at = max(self._free_at, self._clock() + seconds)
