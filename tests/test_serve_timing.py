"""When streams are due: crontab's rules, clocks that change, times that were missed."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sync.maps.delivery import Schedule
from sync.serve.timetable import Timetable
from sync.serve.timing import MOST, StreamTrigger, stagger

NEW_YORK, LORD_HOWE = "America/New_York", "Australia/Lord_Howe"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(cron: str, zone: str, start: str, hours: int) -> list[datetime]:
    """As a scheduler asks: each time from the one before; a trigger that stands still would never end."""
    trigger, end = StreamTrigger(Schedule(cron=cron, timezone=zone)), at(start) + timedelta(hours=hours)
    found: list[datetime] = []
    moment = trigger.get_next_fire_time(None, at(start))
    while moment < end:
        assert not found or moment > found[-1]
        assert len(found) < 1000
        found.append(moment)
        moment = trigger.get_next_fire_time(moment, moment)
    return found


def local(cron: str, zone: str, start: str, hours: int) -> list[str]:
    return [f"{moment.astimezone(ZoneInfo(zone)):%H:%M%z}" for moment in times(cron, zone, start, hours)]


@pytest.mark.parametrize(
    ("cron", "start", "expected"),
    [
        ("0 * * * *", "2026-11-01T05:00", ["01:00-0400", "01:00-0500", "02:00-0500"]),
        ("30 1 * * *", "2026-11-01T04:30", ["01:30-0400", "01:30-0500"]),
        ("30 2 * * *", "2026-11-01T05:00", ["02:30-0500"]),
        ("0 * * * *", "2026-03-08T06:00", ["01:00-0500", "03:00-0400", "04:00-0400"]),
        ("30 1 * * *", "2026-03-08T05:00", ["01:30-0500"]),
        ("30 2 * * *", "2026-03-08T05:00", ["03:30-0400"]),
    ],
)
def test_in_new_york_each_instant_comes_once_on_the_days_on_which_clocks_change(
    cron: str, start: str, expected: list[str]
) -> None:
    assert local(cron, NEW_YORK, start, 3) == expected


@pytest.mark.parametrize(
    ("cron", "start", "expected"),
    [
        ("*/30 * * * *", "2026-04-04T14:00", ["01:00+1100", "01:30+1100", "01:30+1030", "02:00+1030", "02:30+1030"]),
        ("45 1 * * *", "2026-04-04T13:00", ["01:45+1100", "01:45+1030"]),
        ("15 2 * * *", "2026-10-03T14:00", ["02:45+1100"]),
        ("*/30 * * * *", "2026-10-03T14:30", ["01:00+1030", "01:30+1030", "02:30+1100", "03:00+1100", "03:30+1100"]),
    ],
)
def test_on_lord_howe_half_an_hour_is_repeated_or_left_out(cron: str, start: str, expected: list[str]) -> None:
    assert local(cron, LORD_HOWE, start, 3)[: len(expected)] == expected


def test_a_day_without_changes_has_each_time_once() -> None:
    assert len(times("*/5 * * * *", NEW_YORK, "2026-06-01T00:00", 24)) == 288


@pytest.mark.parametrize("sunday", ["0", "7", "sun"])
def test_sunday_is_0_and_7_as_in_crontab(sunday: str) -> None:
    found = times(f"0 9 * * {sunday}", "UTC", "2026-02-02T00:00", 24 * 7)
    assert [moment.strftime("%A") for moment in found] == ["Sunday"]


def test_with_both_day_fields_either_one_is_enough() -> None:
    found = times("0 9 13 * fri", "UTC", "2026-10-01T00:00", 24 * 31)
    assert [moment.day for moment in found] == [2, 9, 13, 16, 23, 30]


def test_a_day_field_that_begins_with_a_star_restricts_the_other_one() -> None:
    found = times("0 9 */2 * mon", "UTC", "2026-06-01T00:00", 24 * 30)
    assert [(moment.day, moment.strftime("%a")) for moment in found] == [(1, "Mon"), (15, "Mon"), (29, "Mon")]


def test_missed_times_are_counted_up_to_a_bound_and_quickly() -> None:
    trigger = StreamTrigger(Schedule(cron="0 * * * *"))
    assert trigger.missed(at("2026-01-01T00:00"), at("2026-01-01T05:00")) == 5
    assert trigger.missed(at("2026-01-01T00:00"), at("2026-01-01T00:59")) == 0
    assert StreamTrigger(Schedule(cron="* * * * *")).missed(at("2000-01-01T00:00"), at("2026-01-01T00:00")) == MOST


def test_a_machine_that_slept_for_a_year_does_not_go_through_every_minute_of_it() -> None:
    trigger, now, asked = StreamTrigger(Schedule(cron="* * * * *")), at("2026-01-01T00:00"), 0
    moment = now - timedelta(days=365)
    while moment <= now:
        moment, asked = trigger.get_next_fire_time(moment, now), asked + 1
    assert asked <= 24 * 60 + 2


def test_a_stream_s_share_of_the_jitter_is_always_the_same_and_shifts_every_time() -> None:
    shares = [stagger(f"stream-{number}", 300).total_seconds() for number in range(100)]
    assert shares == [stagger(f"stream-{number}", 300).total_seconds() for number in range(100)]
    assert 0 <= min(shares) < 60 < 240 < max(shares) < 300
    trigger = StreamTrigger(Schedule(cron="0 2 * * *"), timedelta(seconds=90))
    assert trigger.after(at("2026-01-01T02:00")) == at("2026-01-01T02:01:30")
    assert trigger.after(at("2026-01-01T02:01:30")) == at("2026-01-02T02:01:30")


class _Work:
    """Runs that last until they are let go."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.go = threading.Event()
        self.skipped: list[str] = []

    def run(self, stream: str) -> None:
        self.began.append(stream)
        self.go.wait(20)


def _wait_for(look: object) -> None:
    end = time.monotonic() + 20
    while not look() and time.monotonic() < end:  # type: ignore[operator]
        time.sleep(0.01)
    assert look()  # type: ignore[operator]


def test_a_stream_never_overlaps_itself_and_what_was_left_out_is_counted() -> None:
    work = _Work()
    timetable = Timetable(work.run, 2, 0, work.skipped.append)
    timetable.start()
    always = Schedule(cron="0 0 1 1 *")
    timetable.put("a", always, at_once=True)
    _wait_for(lambda: work.began == ["a"])
    timetable.put("a", always, at_once=True)
    timetable.wake()
    _wait_for(lambda: work.skipped == ["a"])
    work.go.set()
    timetable.stop()
    assert work.began == ["a"]


def test_no_more_streams_run_than_places_and_the_others_wait() -> None:
    work = _Work()
    timetable = Timetable(work.run, 2, 0, work.skipped.append)
    timetable.start()
    for name in "abcde":
        timetable.put(name, Schedule(cron="0 0 1 1 *"), at_once=True)
    _wait_for(lambda: timetable.queued == 3)
    assert len(work.began) == 2
    work.go.set()
    _wait_for(lambda: sorted(work.began) == list("abcde"))
    timetable.stop()


def test_a_stop_begins_nothing_that_waited() -> None:
    work = _Work()
    timetable = Timetable(work.run, 1, 0, work.skipped.append)
    timetable.start()
    for name in "abc":
        timetable.put(name, Schedule(cron="0 0 1 1 *"), at_once=True)
    _wait_for(lambda: timetable.queued == 2)
    threading.Timer(0.2, work.go.set).start()
    timetable.stop()
    assert len(work.began) == 1
