"""When a stream is due, as the scheduler asks for it, and how many times were missed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger

from sync.maps.cron import parse_cron
from sync.maps.delivery import Schedule
from sync.serve.wall import WallTimes

MOST = 1000
"""Missed times that are counted, at most."""
FAR = timedelta(days=1)
"""Times that are longer past than this are not gone through one by one: only the last one is run anyway."""
_TICK = timedelta(microseconds=1)


class StreamTrigger(BaseTrigger):  # type: ignore[misc]
    """The times of one `schedule:`, each put off by the same span so that many streams do not start at once."""

    def __init__(self, schedule: Schedule, later: timedelta = timedelta(0)) -> None:
        self._later = later
        self._times = WallTimes(parse_cron(schedule.cron), ZoneInfo(schedule.timezone))

    def after(self, moment: datetime) -> datetime:
        """The first time after a moment, in UTC."""
        return self._times.after(moment.astimezone(UTC) - self._later) + self._later

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """As APScheduler asks for it."""
        if previous_fire_time is None:
            return self.after(now - _TICK)
        return self.after(max(previous_fire_time, now - FAR))

    def missed(self, since: datetime, now: datetime) -> int:
        """How many times lie between two moments, the later one included; no more than MOST are counted."""
        count, moment = 0, self.after(since)
        while moment <= now and count < MOST:
            count, moment = count + 1, self.after(moment)
        return count


def stagger(stream: str, jitter: float) -> timedelta:
    """How much later than its schedule a stream starts: below `jitter` seconds, the same every time."""
    share = int.from_bytes(hashlib.blake2b(stream.encode(), digest_size=4).digest()) / 2**32
    return timedelta(seconds=int(share * jitter))
