"""Bulk jobs that an earlier run began: what they give is old, and never takes the place of something newer."""

from datetime import timedelta

import pytest
from doubles.salesforce import Salesforce
from salesforce_streams import OLD, contacts, kept, keys, notes, read, stream

from connectors.salesforce import bulk, newer, reader


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr(bulk, "PAGE_RECORDS", 100)


@pytest.fixture
def org():
    with Salesforce() as org:
        org.ids = contacts(org, 450)
        yield org


def begun(org, since=None, pages=3, until=None, **more):
    """The pages of a reading that is killed while it reads a Bulk job."""
    with stream(org, bulkThreshold=200, **more) as connector:
        reading = connector.read(kept(since), until)
        return [next(reading) for _ in range(pages)]


def later(org, text="newest"):
    """Change one record that was read already, and one that was not."""
    org.advance(timedelta(hours=2))
    for one in (org.ids[0], org.ids[-1]):
        org.change("Contact", one, {"Title": text})
    return {org.ids[0], org.ids[-1]}


def titles(pages):
    """Every title that arrives of each record, in this order."""
    found = {}
    for page in pages:
        for record in page.records:
            found.setdefault(record.key, []).append(record.fields["Title"])
    return found


def test_a_full_reading_that_goes_on_brings_the_newest_values_and_no_old_ones(org):
    seen = begun(org)
    changed = later(org)
    rest = read(org, seen, bulkThreshold=200)
    assert all(titles(rest)[one] == ["newest"] for one in changed)
    assert set(keys(seen)) | set(keys(rest)) == set(org.ids)
    assert org.calls["bulk_create"] == 1


def test_a_refresh_that_goes_on_brings_no_old_value_however_often_it_is_killed(org):
    first = read(org, refresh="1d", api="rest")
    org.advance(timedelta(days=2))
    seen = begun(org, first, refresh="1d", pages=4)
    changed = later(org)
    brought = read_in_part(org, seen)
    assert changed <= set(keys(brought))
    rest = read(org, brought, refresh="1d", bulkThreshold=200)
    assert all(set(titles(rest).get(one, ["newest"])) == {"newest"} for one in changed)
    assert set(keys(seen)) | set(keys(brought)) | set(keys(rest)) == set(org.ids)


def read_in_part(org, since):
    """A run that sends what changed, and is killed before it goes on with the refresh."""
    with stream(org, refresh="1d", bulkThreshold=200) as connector:
        return [next(connector.read(kept(since)))]


def test_a_range_up_to_a_time_that_goes_on_brings_what_has_left_it_meanwhile(org):
    until = OLD + timedelta(days=1)
    org.change("Contact", org.ids[5], {"Title": "since long"}, at=OLD + timedelta(days=2))
    seen = begun(org, until=until)
    changed = later(org)
    contacts(org, 1, first=9000, at=org.now())
    rest = read(org, seen, until=until, bulkThreshold=200)
    assert all(titles(rest)[one] == ["newest"] for one in changed)
    assert set(keys(rest)) <= {*org.ids} - {org.ids[5]}, "a record of another time is not part of the range"


def test_a_window_that_goes_on_brings_no_old_value(org):
    first = read(org, api="rest")
    for one in org.ids:
        org.change("Contact", one, {"Title": "older"})
    seen = begun(org, first)
    changed = later(org)
    rest = read(org, seen, bulkThreshold=200)
    assert all(titles(rest)[one][-1] == "newest" for one in changed)
    assert all("older" not in titles(rest)[one] for one in changed)


def test_what_changes_once_more_behind_an_old_job_is_read_by_the_new_one_that_follows_it(org):
    first = read(org, api="rest")
    for one in org.ids:
        org.change("Contact", one, {"Title": "older"})
    seen = begun(org, first)
    later(org)
    with stream(org, bulkThreshold=200) as connector:
        reading, rest = connector.read(kept(seen)), []
        rest.append(next(page for page in reading if page.records))  # what changed since the job was made
        later(org, "still newer")
        for one in org.ids[1:-1]:
            org.change("Contact", one, {"Title": "much"})
        rest.extend(reading)
    assert all(titles(rest)[one][-1] == "still newer" for one in (org.ids[0], org.ids[-1]))


def test_a_job_is_not_gone_on_with_after_a_day(org):
    seen = begun(org)
    org.advance(reader.OLDEST + timedelta(minutes=1))
    assert set(keys(read(org, seen, bulkThreshold=200))) == set(org.ids)
    assert org.calls["bulk_create"] == 2
    assert not org.jobs.jobs


def test_a_job_is_made_anew_where_too_much_has_changed_to_be_kept_in_mind(org, monkeypatch):
    monkeypatch.setattr(newer, "MOST", 1)
    seen = begun(org)
    changed = later(org)
    rest = read(org, seen, bulkThreshold=200)
    assert all(set(titles(rest)[one]) == {"newest"} for one in changed)
    assert org.calls["bulk_create"] == 2


def test_a_refresh_that_was_interrupted_is_followed_by_a_whole_one(org):
    first = read(org, refresh="7d")
    org.delete("Contact", org.ids[4])
    org.purge("Contact", org.ids[4])
    org.advance(timedelta(days=8))
    seen = begun(org, first, refresh="7d", pages=4)
    second = read(org, seen, refresh="7d", bulkThreshold=200)
    assert not any(page.swept for page in second)
    assert any("erased" in note for note in notes(second))
    third = read(org, second, refresh="7d", bulkThreshold=200)
    assert any(page.swept for page in third)
    assert {key for page in third for key in page.present} == set(org.ids) - {org.ids[4]}
    assert not keys(read(org, third, refresh="7d", bulkThreshold=200))


def test_where_a_job_is_shows_from_which_record_it_is_read_on(org):
    seen = begun(org)
    assert seen[-1].cursor["shown"] == "reading everything by a Bulk job, from its record 201 on"
    assert seen[-2].cursor["part"]["job"]["locator"] is not None
