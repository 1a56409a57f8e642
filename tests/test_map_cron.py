"""Crontab lines of `schedule:`."""

from __future__ import annotations

import pytest

from sync.maps.cron import parse_cron


def test_the_five_fields_are_sets_of_numbers():
    found = parse_cron("*/20 6-8 1,15 jan,dec mon-fri")
    assert found.minutes == {0, 20, 40}
    assert found.hours == {6, 7, 8}
    assert found.days == {1, 15}
    assert found.months == {1, 12}
    assert found.weekdays == {1, 2, 3, 4, 5}
    assert (found.any_day, found.any_weekday) == (False, False)


@pytest.mark.parametrize("weekday", ["0", "7", "sun", "SUN"])
def test_sunday_is_0_and_7(weekday):
    assert parse_cron(f"0 2 * * {weekday}").weekdays == {0}


@pytest.mark.parametrize(
    ("field", "weekdays"), [("5-7", {5, 6, 0}), ("fri-sun", {5, 6, 0}), ("sun-tue", {0, 1, 2}), ("*", set(range(7)))]
)
def test_ranges_of_weekdays(field, weekdays):
    assert parse_cron(f"0 2 * * {field}").weekdays == weekdays


def test_a_step_may_start_anywhere():
    assert parse_cron("5/20 2 * * *").minutes == {5, 25, 45}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "found 0 fields"),
        ("@daily", "found 1 fields"),
        ("* * * * * *", "found 6 fields"),
        ("60 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day of month"),
        ("* * * 13 *", "month"),
        ("* * * * 8", "day of week"),
        ("* * * * funday", "day of week"),
        ("*/0 * * * *", "minute"),
        ("5-1 * * * *", "minute"),
        ("1,,2 * * * *", "minute"),
        ("-1 * * * *", "minute"),
        ("١ * * * *", "minute"),
        ("0 0 31 2,4 *", "expected a date that occurs"),
    ],
)
def test_a_line_that_cannot_be_read_says_which_field(text, words):
    with pytest.raises(ValueError, match=words):
        parse_cron(text)


def test_the_29th_of_february_occurs():
    assert parse_cron("0 0 29 2 *").days == {29}
