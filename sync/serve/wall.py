"""The instants that a crontab line means on the clock on the wall of a time zone, as pure arithmetic."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sync.maps.cron import Cron

_DAY = timedelta(days=1)


class WallTimes:
    """The instants of a crontab line in one zone: every one that the clock shows, each once.

    A time that the clock shows twice is two instants. One that it leaves out is reckoned with the clock as it was
    before the change, so it comes as much later on the clock as this one was put forward.
    """

    def __init__(self, cron: Cron, zone: ZoneInfo) -> None:
        self._cron, self._zone = cron, zone
        self._times = [time(hour, minute) for hour in sorted(cron.hours) for minute in sorted(cron.minutes)]
        # Whoever asks goes from each instant to the next, so the same few days are asked for again and again.
        self._of_day = lru_cache(8)(self._instants)

    def after(self, moment: datetime) -> datetime:
        """The first instant after a moment, in UTC."""
        # No clock was ever put on or back by more than a day: what the day before leaves out may come today, and where
        # clocks are put back over midnight, the next day begins before this one ends.
        days = self._days(moment.astimezone(self._zone).date() - _DAY)
        while not (found := self._behind(day := next(days), moment)):
            pass
        return min([*found, *self._behind(day + _DAY, moment)])

    def _behind(self, day: date, moment: datetime) -> list[datetime]:
        """The first instant of a day that is after a moment, where there is one."""
        instants = self._of_day(day)
        place = bisect_right(instants, moment)
        return instants[place : place + 1]

    def _days(self, first: date) -> Iterator[date]:
        """The days on which something is due, from one on."""
        year, month = first.year, first.month
        while True:
            if month in self._cron.months:
                day = max(first, date(year, month, 1))
                while day.month == month and day.year == year:
                    if self._is_due(day):
                        yield day
                    day += _DAY
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)

    def _is_due(self, day: date) -> bool:
        cron = self._cron
        by_day, by_weekday = day.day in cron.days, day.isoweekday() % 7 in cron.weekdays
        if cron.any_day or cron.any_weekday:
            return by_day and by_weekday  # `*/2` is a star to crontab, and still leaves days out
        return by_day or by_weekday

    def _instants(self, day: date) -> list[datetime]:
        found = set[datetime]()
        if not self._is_due(day):
            return []
        for each in self._times:
            shown = datetime.combine(day, each, self._zone)
            first, second = shown.astimezone(UTC), shown.replace(fold=1).astimezone(UTC)
            found.add(first)
            if second > first:  # else the clock shows it once, or leaves it out
                found.add(second)
        return sorted(found)
