"""Keeping calls under the plan's per-minute limit, together with every process that shares the state store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

Unit = Literal["call", "row"]
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
    ) -> None:
        self.unit = unit
        self._reserve, self._postpone, self._pause = reserve, postpone, pause
        self._share = share
        self._booked = 0
        self._lock = threading.Lock()
        self._set_limit(per_minute)

    def _set_limit(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self.span = 60.0 / (per_minute * self._share)
        """Seconds from one call (or row) to the next at an even pace."""
        self._block = max(1, int(_AHEAD / self.span))
        # At most `per_minute` start in any 60 s: the even pace, plus what the share leaves free, used up front.
        self._burst = max(0.0, per_minute * (1 - self._share) - self._block) * self.span

    def rows_per_call(self, wanted: int) -> int:
        """How many rows a call may carry so that it fits into one minute's allowance."""
        return wanted if self.unit == "call" else max(1, min(wanted, int(self.per_minute * self._share)))

    def wait(self, rows: int = 0) -> None:
        """Return when the next call, carrying so many rows, may start; raises what `pause` raises."""
        cost = max(1, rows) if self.unit == "row" else 1
        with self._lock:
            delay = 0.0
            if self._booked < cost:
                units = max(cost - self._booked, self._block)
                delay = self._reserve(units * self.span, self._burst)
                self._booked += units
            self._booked -= cost
        if delay > 0:
            self._pause(delay)

    def slow_down(self, seconds: float, limit: int | None) -> None:
        """The server answered 429: nobody calls for so many seconds, and a lower limit that it named is kept."""
        with self._lock:
            self._booked = 0
            if limit is not None and self.unit == "call" and limit < self.per_minute:
                self._set_limit(limit)
        self._postpone(seconds)
