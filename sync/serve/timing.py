"""When a stream is due: crontab's rules over APScheduler's triggers, as pure arithmetic."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from sync.maps.cron import Cron, parse_cron
from sync.maps.delivery import Schedule

MOST = 1000
"""Missed times that are counted, at most."""
FAR = timedelta(days=1)
"""Times that are longer past than this are not gone through one by one: only the last one is run anyway."""
_TICK = timedelta(microseconds=1)
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class StreamTrigger(BaseTrigger):  # type: ignore[misc]
    """The times of one `schedule:`, each put off by the same span so that many streams do not start at once."""

    def __init__(self, schedule: Schedule, later: timedelta = timedelta(0)) -> None:
        self._later = later
        zone = ZoneInfo(schedule.timezone)
        self._lines = [CronTrigger(timezone=zone, **fields) for fields in _fields_of(parse_cron(schedule.cron))]

    def after(self, moment: datetime) -> datetime:
        """The first time after a moment, in UTC."""
        start = moment.astimezone(UTC) - self._later + _TICK
        times: list[datetime | None] = [line.get_next_fire_time(None, start) for line in self._lines]
        return min(time.astimezone(UTC) for time in times if time is not None) + self._later

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


def _fields_of(cron: Cron) -> list[dict[str, str]]:
    """What the cron line means to APScheduler, whose days have other numbers; one or two lines of which any will do."""
    clock = {"minute": _joined(cron.minutes), "hour": _joined(cron.hours), "month": _joined(cron.months)}
    days = {**clock, "day": _joined(cron.days)}
    weekdays = {**clock, "day_of_week": ",".join(_DAYS[day] for day in sorted(cron.weekdays))}
    if cron.any_day or cron.any_weekday:
        return [{**days, **weekdays}]  # both fields count: `*/2` is a star to crontab, and still leaves days out
    return [days, weekdays]


def _joined(numbers: frozenset[int]) -> str:
    return ",".join(map(str, sorted(numbers)))


def stagger(stream: str, jitter: float) -> timedelta:
    """How much later than its schedule a stream starts: below `jitter` seconds, the same every time."""
    share = int.from_bytes(hashlib.blake2b(stream.encode(), digest_size=4).digest()) / 2**32
    return timedelta(seconds=int(share * jitter))
