"""Schedules on days on which clocks change, against a model that goes through every minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from sync.maps.cron import parse_cron
from sync.maps.delivery import Schedule
from sync.serve.timing import StreamTrigger

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CRONS = ("0 0 * * *", "*/20 0,2 * * *", "15 1-3 * * *", "0 0 * * mon", "45 23 1 * fri", "7 * * * *", "0,45 0,23 * * *")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def minutes(zone: str, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Each minute with what the clock shows; those that it leaves out stand where it would have shown them."""
    place = ZoneInfo(zone)
    moment, before = start - MINUTE, (start - MINUTE).astimezone(place).replace(tzinfo=None)
    while moment < end:
        moment += MINUTE
        shown = moment.astimezone(place).replace(tzinfo=None)
        left_out = before + MINUTE
        while left_out < shown:
            yield moment + (left_out - before - MINUTE), left_out
            left_out += MINUTE
        yield moment, shown
        before = shown


def model(cron: str, walked: list[tuple[datetime, datetime]]) -> list[datetime]:
    line = parse_cron(cron)

    def is_due(shown: datetime) -> bool:
        if shown.minute not in line.minutes or shown.hour not in line.hours or shown.month not in line.months:
            return False
        day, weekday = shown.day in line.days, shown.isoweekday() % 7 in line.weekdays
        return (day and weekday) if line.any_day or line.any_weekday else (day or weekday)

    return sorted({moment for moment, shown in walked if is_due(shown)})


def times(cron: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    trigger, found = StreamTrigger(Schedule(cron=cron, timezone=zone)), list[datetime]()
    moment = trigger.after(start - MINUTE)
    while moment <= end:
        found.append(moment)
        assert trigger.after(moment) > moment
        moment = trigger.after(moment)
    return found


def compare(zone: str, start: datetime, end: datetime) -> None:
    walked = list(minutes(zone, start, end + DAY))
    for cron in CRONS:
        expected = [moment for moment in model(cron, walked) if moment <= end]
        assert times(cron, zone, start, end) == expected, (zone, cron)
        trigger, asked = StreamTrigger(Schedule(cron=cron, timezone=zone)), start
        while expected and asked < expected[-1]:  # from any moment, not only from one time to the next
            assert trigger.after(asked) == next(moment for moment in expected if moment > asked), (zone, cron, asked)
            asked += 5 * HOUR


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("Europe/Berlin", "2026-03-28"),
        ("Europe/Berlin", "2026-10-24"),
        ("America/New_York", "2026-03-07"),
        ("Africa/Cairo", "2026-04-23"),
        ("Africa/Cairo", "2026-10-29"),
        ("Australia/Lord_Howe", "2026-10-02"),
        ("Australia/Lord_Howe", "2026-04-03"),
        ("America/Havana", "2026-03-07"),
        ("America/Santiago", "2026-09-05"),
        ("Antarctica/Troll", "2026-03-28"),
        ("Asia/Beirut", "2026-03-28"),
        ("America/St_Johns", "2006-10-28"),
        ("Pacific/Apia", "2011-12-28"),
    ],
)
def test_on_days_on_which_clocks_change_every_minute_is_as_the_model_says(zone: str, start: str) -> None:
    compare(zone, at(start), at(start) + 4 * DAY)


@pytest.mark.slow
def test_in_every_zone_of_the_world_the_days_around_each_change_of_four_years_are_as_the_model_says() -> None:
    hours = [at("2025-01-01") + number * HOUR for number in range(4 * 8766)]
    alike: dict[tuple[timedelta | None, ...], str] = {}
    for zone in sorted(available_timezones()):
        place = ZoneInfo(zone)
        alike.setdefault(tuple(hour.astimezone(place).utcoffset() for hour in hours), zone)
    assert len(alike) > 50
    for offsets, zone in alike.items():
        changes = [hours[n] for n in range(1, len(hours)) if offsets[n] != offsets[n - 1]]
        for change in [at("2026-01-28"), *changes]:
            compare(zone, change - 1.5 * DAY, change + 1.5 * DAY)


@pytest.mark.parametrize(
    ("cron", "zone", "start", "expected"),
    [
        ("0 0 * * *", "Europe/Berlin", "2026-03-28T12:00", ["29 00:00", "30 00:00", "31 00:00"]),
        ("30 0 * * mon", "Europe/Berlin", "2026-03-20T00:00", ["23 00:30", "30 00:30", "06 00:30"]),
        ("0 0 * * *", "Africa/Cairo", "2026-04-23T12:00", ["24 01:00", "25 00:00", "26 00:00"]),
        ("0 0 * * fri", "Africa/Cairo", "2026-04-16T12:00", ["17 00:00", "24 01:00", "01 00:00"]),
        ("*/20 2 * * *", "Europe/Berlin", "2026-03-29T00:00", ["29 03:00", "29 03:20", "29 03:40"]),
        ("*/15 2 * * *", "Australia/Lord_Howe", "2026-10-03T14:00", ["04 02:30", "04 02:45", "05 02:00"]),
        ("0 0 * * fri", "Pacific/Apia", "2011-12-28T12:00", ["31 00:00", "06 00:00", "13 00:00"]),
    ],
)
def test_no_day_is_left_out_because_clocks_changed(cron: str, zone: str, start: str, expected: list[str]) -> None:
    trigger, moment, found = StreamTrigger(Schedule(cron=cron, timezone=zone)), at(start), list[str]()
    for _ in expected:
        moment = trigger.after(moment)
        found.append(f"{moment.astimezone(ZoneInfo(zone)):%d %H:%M}")
    assert found == expected


def test_what_is_missed_counts_the_day_after_clocks_changed_too() -> None:
    weekly = StreamTrigger(Schedule(cron="0 0 * * mon", timezone="Europe/Berlin"))
    assert weekly.missed(at("2026-03-22T23:00"), at("2026-04-05T12:00")) == 1


def test_a_time_that_comes_every_forty_years_is_found() -> None:
    rare = StreamTrigger(Schedule(cron="0 0 29 2 */7"))
    assert rare.after(at("2088-03-01")) == at("2128-02-29")
