"""The plan's limits on calls: a minute's window, a month's window, and calls at once."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sync.sandbox.answers import Refused
from sync.sandbox.options import SandboxOptions

WINDOW = 60.0


@dataclass(frozen=True, slots=True)
class Use:
    """How much of the plan is used: calls let through in the current minute and month."""

    minute: int
    month: int
    month_name: str


class CallLimits:
    """Lets calls through or refuses them with the documented 429; thread-safe.

    A minute's window starts with the first call after the one before has ended; months are calendar months in UTC.
    Refused calls are not counted.
    """

    def __init__(self, options: SandboxOptions, *, clock: Callable[[], float], used: tuple[str, int] = ("", 0)) -> None:
        self._options = options
        self._clock = clock
        self._lock = threading.Lock()
        self._window_start = -math.inf
        self._minute = 0
        self._month_name, self._month = used
        self._at_once = 0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Hold one of the plan's places for the time of a call; raises Refused when a limit is reached."""
        with self._lock:
            self._check_place()
            self._count(self._clock())
            self._at_once += 1
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1

    def use(self) -> Use:
        """Tell what is used now."""
        with self._lock:
            self._turn_windows(self._clock())
            return Use(self._minute, self._month, self._month_name)

    def _check_place(self) -> None:
        # No `limit` and `window` here: a client would take them for its calls a minute.
        allowed = self._options.limits.concurrent
        if self._at_once >= allowed:
            text = f"At most {allowed} requests at once on this plan. Send the next one when an answer has come."
            raise Refused(429, "rate_limit_exceeded", text, retryAfterSeconds=1)

    def _count(self, now: float) -> None:
        self._turn_windows(now)
        if self._month >= self._options.month_limit:
            raise _over("per_month", self._options.month_limit, self._month)
        if self._minute >= self._options.minute_limit:
            wait = max(1, math.ceil(self._window_start + WINDOW - now))
            raise _over("per_minute", self._options.minute_limit, self._minute, retryAfterSeconds=wait)
        self._minute += 1
        self._month += 1

    def _turn_windows(self, now: float) -> None:
        if not self._window_start <= now < self._window_start + WINDOW:
            self._window_start, self._minute = now, 0
        month = datetime.fromtimestamp(now, UTC).strftime("%Y-%m")
        if month != self._month_name:
            self._month_name, self._month = month, 0


def _over(window: str, limit: int, used: int, **members: int) -> Refused:
    words = {"per_minute": "calls a minute", "per_month": "calls a month"}
    text = f"The plan's limit of {limit} {words[window]} is reached."
    return Refused(429, "rate_limit_exceeded", text, limit=limit, current=used + 1, window=window, **members)
