"""Two clocks, Salesforce's and this machine's: whichever is wrong, nothing is lost, and a person is told."""

from datetime import timedelta

import pytest
from doubles.salesforce import Salesforce
from salesforce_streams import contacts, kept, keys, notes, read, stream

MINUTES = [16, 55, 65, 60 * 24 * 40]


@pytest.fixture
def org():
    with Salesforce() as org:
        org.ids = contacts(org, 3)
        yield org


def told(org, minutes):
    """Let the header Date be ahead of the records' stamps."""
    org.date = lambda: org.date_header(timedelta(minutes=minutes))


@pytest.mark.parametrize("minutes", MINUTES)
@pytest.mark.parametrize("always", [True, False])
def test_a_date_that_is_ahead_hides_no_later_change(org, minutes, always):
    told(org, minutes)
    first = read(org)
    assert any("clocks are apart" in note for note in notes(first))
    (new,) = contacts(org, 1, first=9000, at=org.now())
    told(org, minutes if always else 0)
    assert keys(read(org, first)) == [new]


@pytest.mark.parametrize("minutes", MINUTES)
def test_a_machine_that_is_behind_holds_no_new_record_back(org, minutes):
    behind = {"clock": lambda: org.now() - timedelta(minutes=minutes)}
    first = read(org, **behind)
    (new,) = contacts(org, 1, first=9000, at=org.now())
    second = read(org, first, **behind)
    assert new in keys(second)
    assert any("set this machine's clock" in note for note in notes(second))
    with stream(org, **behind) as connector:
        assert any("clocks are apart" in note for note in connector.check().notes)


@pytest.mark.parametrize("minutes", MINUTES)
def test_a_machine_that_is_ahead_misses_nothing(org, minutes):
    ahead = {"clock": lambda: org.now() + timedelta(minutes=minutes)}
    first = read(org, **ahead)
    (new,) = contacts(org, 1, first=9000, at=org.now())
    assert keys(read(org, first, **ahead)) == [new]


def test_clocks_that_agree_are_no_news(org):
    assert not notes(read(org))


def test_settle_holds_back_no_more_where_the_machine_is_behind(org):
    behind = {"clock": lambda: org.now() - timedelta(hours=3), "settle": "5m"}
    first = read(org, **behind)
    (new,) = contacts(org, 1, first=9000, at=org.now())
    org.advance(timedelta(minutes=6))
    assert new in keys(read(org, first, **behind))


def test_a_position_in_the_future_is_told_and_everything_is_read_once_more(org):
    first = kept(read(org))
    first["end"] = f"{org.now() + timedelta(minutes=40):%Y-%m-%dT%H:%M:%SZ}"
    second = read(org, first)
    assert keys(second) == org.ids
    assert any("lies in the future" in note for note in notes(second))
    assert second[-1].cursor["end"] <= f"{org.now():%Y-%m-%dT%H:%M:%SZ}"
    assert not notes(read(org, second))


def test_a_refresh_that_a_clock_put_into_the_future_is_due(org):
    first = kept(read(org, refresh="1d"))
    first["whole"] = f"{org.now() + timedelta(days=400):%Y-%m-%dT%H:%M:%SZ}"
    assert any(page.swept for page in read(org, first, refresh="1d"))


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 23 Nov 2026 07:10:46 -0000", "Mon, 23 Nov 2026 07:10:46", "Mon, 01 Jan 0001 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 23 Nov 2026 07:10:46 +9999", "yesterday", "",
    ],
)  # fmt: skip
def test_a_date_of_any_form_ends_no_run_and_hides_no_change(org, date):
    org.date = lambda: date
    first = read(org)
    assert keys(first) == org.ids
    assert notes(first)
    (new,) = contacts(org, 1, first=9000, at=org.now())
    assert new in keys(read(org, first))
