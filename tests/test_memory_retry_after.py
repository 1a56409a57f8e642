"""How long a server asks us to wait, whatever form it says it in."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.memory.retry_after import wait_asked_for

THEN = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def http_date(seconds):
    return format_datetime(THEN + timedelta(seconds=seconds), usegmt=True)


SECONDS = [
    ("37", 37.0),
    (" 7 ", 7.0),
    ("1.5", 1.5),
    ("0", None),
    ("-5", None),
    ("", None),
    ("soon", None),
    ("1e9", None),
    ("inf", None),
    ("nan", None),
    ("+5", None),
    ("0x10", None),
    ("1_000", None),
    ("٣٧", None),
    ("9999999999", None),
    ("37, 40", None),
]


@pytest.mark.parametrize(("text", "seconds"), SECONDS)
def test_the_header_in_seconds(text, seconds):
    assert wait_asked_for(None, {"retry-after": text}) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [*SECONDS, (37, 37.0), (1.5, 1.5), (0, None), (-5, None), (True, None), (None, None), (10**12, None), ([5], None)],
)
def test_the_member_of_the_body(value, seconds):
    assert wait_asked_for({"retryAfterSeconds": value}, {}) == seconds


def test_the_body_counts_before_the_header():
    assert wait_asked_for({"retryAfterSeconds": 5}, {"retry-after": "50"}) == 5.0
    assert wait_asked_for({"retryAfterSeconds": "soon"}, {"retry-after": "50"}) == 50.0
    assert wait_asked_for({"retryAfterSeconds": 0}, {"retry-after": "50"}) == 50.0


@pytest.mark.parametrize("ours_is_wrong_by", [-3600, 0, 3600])
def test_a_date_is_measured_by_the_servers_own_clock(ours_is_wrong_by):
    date = http_date(ours_is_wrong_by)
    assert wait_asked_for({}, {"retry-after": http_date(ours_is_wrong_by + 90), "date": date}) == 90.0


def test_a_date_without_the_servers_clock_is_measured_by_ours():
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 57 < wait_asked_for({}, {"retry-after": soon}) <= 60


@pytest.mark.parametrize("date", [http_date(-90), http_date(0), "Sun, 99 Foo 2026 12:00:00 GMT", "yesterday"])
def test_a_date_that_is_past_or_none_says_nothing(date):
    assert wait_asked_for({}, {"retry-after": date, "date": http_date(0)}) is None


def test_a_date_without_a_zone_is_utc():
    assert wait_asked_for({}, {"retry-after": "Sun, 01 Mar 2026 12:01:00", "date": http_date(0)}) == 60.0


@given(st.text() | st.integers() | st.floats() | st.none() | st.lists(st.integers()), st.text(), st.text())
def test_nothing_that_a_server_says_breaks_it(member, header, date):
    found = wait_asked_for({"retryAfterSeconds": member}, {"retry-after": header, "date": date})
    assert found is None or found > 0
