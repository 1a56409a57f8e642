"""The two budgets of an account: searches, and all other calls. One pair per account in a process."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

SEARCHES = 4
"""A second: five are allowed to all applications of an account together."""
SHARE = 0.8
"""Of what the headers say is allowed; the rest is left to others who use the same token."""
UNKNOWN = 100
"""Calls in ten seconds that every account may make."""


class Budget:
    """At most `calls` calls in any `seconds`; says how long to wait before the next one."""

    def __init__(self, calls: int, seconds: float) -> None:
        self._lock = threading.Lock()
        self._calls, self._seconds = calls, seconds
        self._times: deque[float] = deque()

    def reserve(self, now: float) -> float:
        """Take the next place; returns the seconds until it comes."""
        with self._lock:
            while len(self._times) > self._calls:
                self._times.popleft()
            full = len(self._times) == self._calls
            at = max(now, self._times[0] + self._seconds) if full else now
            self._times.append(at)
            return at - now

    def resize(self, calls: int, seconds: float) -> None:
        """Follow what the server says."""
        with self._lock:
            self._calls, self._seconds = max(1, calls), seconds


@dataclass(frozen=True, slots=True)
class Pace:
    """The budgets of one account."""

    search: Budget = field(default_factory=lambda: Budget(SEARCHES, 1.0))
    general: Budget = field(default_factory=lambda: Budget(int(UNKNOWN * SHARE), 10.0))
    clock: Callable[[], float] = time.monotonic

    def wait(self, kind: str, pause: Callable[[float], None]) -> None:
        """Wait until a call of this kind fits its budget."""
        seconds = (self.search if kind == "search" else self.general).reserve(self.clock())
        if seconds > 0:
            pause(seconds)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take over the limit that an answer names; every header may be missing."""
        try:
            most = int(headers["x-hubspot-ratelimit-max"])
            seconds = int(headers.get("x-hubspot-ratelimit-interval-milliseconds", "10000")) / 1000
        except (KeyError, ValueError):
            return
        if most > 0 and 0 < seconds <= 60:
            self.general.resize(int(most * SHARE), seconds)


_lock = threading.Lock()
_paces: dict[str, Pace] = {}


def pace_of(url: str, token: str) -> Pace:
    """The pace that all streams of a process share which read one account."""
    key = hashlib.sha256(f"{url} {token}".encode()).hexdigest()
    with _lock:
        return _paces.setdefault(key, Pace())
