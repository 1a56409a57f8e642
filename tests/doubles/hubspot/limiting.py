"""Rate limits: a rolling ten seconds, searches per second, and the day of the account's time zone."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from .account import Account
from .answers import Answer, Refused, too_many
from .metadata import midnight

_TEN = 10.0


class Limiter:
    """Counts calls, and refuses those over a limit; a refused call counts for the day alone."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._calls: deque[float] = deque()
        self._searches: deque[float] = deque()
        self._day_ends: datetime | None = None

    def admit(self, kind: str) -> None:
        """Let a call of this kind pass, or raise Refused with a 429."""
        now, limits = self._account.options.clock(), self._account.options.limits
        self._begin_day(now)
        self._account.used_today += 1
        if limits is None:
            return
        if limits.per_day is not None and self._account.used_today > limits.per_day:
            raise Refused(self._refusal("DAILY", kind))
        if kind == "search":
            if _full(self._searches, now - 1.0, limits.searches_per_second, now):
                raise Refused(self._refusal("SECONDLY", kind))
        elif _full(self._calls, now - _TEN, limits.per_ten_seconds, now):
            raise Refused(self._refusal("TEN_SECONDLY_ROLLING", kind))

    def headers(self, kind: str) -> dict[str, str]:
        """What an answer says of the limits; searches say nothing."""
        limits = self._account.options.limits
        if limits is None or kind == "search":
            return {}
        found = {}
        if limits.per_ten_seconds is not None:
            found["X-HubSpot-RateLimit-Max"] = str(limits.per_ten_seconds)
            found["X-HubSpot-RateLimit-Remaining"] = str(max(0, limits.per_ten_seconds - len(self._calls)))
            found["X-HubSpot-RateLimit-Interval-Milliseconds"] = "10000"
        if limits.per_day is not None:
            found["X-HubSpot-RateLimit-Daily"] = str(limits.per_day)
            found["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(0, limits.per_day - self._account.used_today))
        return found

    def _refusal(self, policy: str, kind: str) -> Answer:
        return too_many(policy, headers=self.headers(kind))

    def _begin_day(self, now: float) -> None:
        if self._day_ends is None or now >= self._day_ends.timestamp():
            if self._day_ends is not None:
                self._account.used_today = 0
            self._day_ends = midnight(self._account)


def _full(stamps: deque[float], since: float, limit: int | None, now: float) -> bool:
    """Whether the limit is reached; counts the call when it is not."""
    while stamps and stamps[0] <= since:
        stamps.popleft()
    if limit is not None and len(stamps) >= limit:
        return True
    stamps.append(now)
    return False
