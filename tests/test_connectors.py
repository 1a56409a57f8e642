"""What every connector must do alike: each test runs over each source."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from salesforce_subject import SalesforceSubject
from subjects import EARLY, HubSpotSubject, Person, PostgresSubject, minutes

from connectors.base import SourceMisconfigured, SourceRefused, SourceUnreachable

SUBJECTS = {
    "postgres": lambda request: PostgresSubject(request.getfixturevalue("database")),
    "hubspot": lambda request: HubSpotSubject(),
    "salesforce": lambda request: SalesforceSubject(),
}


@pytest.fixture(params=SUBJECTS)
def subject(request):
    made = SUBJECTS[request.param](request)
    yield made
    if hasattr(made, "close"):
        made.close()


@pytest.fixture
def opened(subject):
    """Opens connectors that are closed at the end."""
    connectors = []

    def connect(*arguments, **keys):
        connectors.append(subject.connect(*arguments, **keys))
        return connectors[-1]

    yield connect
    for one in connectors:
        one.close()


def now():
    return datetime.now(UTC)


def people(count, start=1):
    return [Person(f"p{n}@x.example", f"Name {n}", f"Met on day {n}.") for n in range(start, start + count)]


def read(connector, since=None, until=None):
    """Key to record of a whole reading, and the cursor behind it; the cursor travels as JSON, as it does in life."""
    found, cursor = {}, since
    for page in connector.read(json.loads(json.dumps(since)), until):
        found |= {record.key: record for record in page.records}
        cursor = page.cursor
    return found, cursor


def test_a_first_reading_yields_every_record_once_and_a_cursor_behind_them(subject, opened):
    keys = subject.add(people(30), EARLY)
    records = [record for page in opened().read(None) for record in page.records]
    assert sorted(record.key for record in records) == sorted(keys)
    assert {record.fields[subject.email] for record in records} == {p.email for p in people(30)}


def test_the_next_reading_brings_what_changed_and_what_is_new(subject, opened):
    keys = subject.add(people(12), EARLY)
    before, cursor = read(opened())
    subject.change(keys[3], "Renamed", now())
    (added,) = subject.add(people(1, start=50), now())
    after, _ = read(opened(), cursor)
    changed = {key for key, record in after.items() if key not in before or record.fields != before[key].fields}
    assert {keys[3], added} <= changed <= {keys[3], added}
    assert after[keys[3]].fields[subject.first_name] == "Renamed"


def test_a_reading_after_which_nothing_happened_brings_nothing_new(subject, opened):
    subject.add(people(12), EARLY)
    before, cursor = read(opened())
    for _ in range(3):
        after, cursor = read(opened(), cursor)
        assert all(before[key].fields == record.fields for key, record in after.items())


def test_from_the_cursor_of_any_page_the_rest_is_read(subject, opened):
    for number in range(6):
        subject.add(people(40, start=100 * number), EARLY + minutes(number))
    pages = list(opened().read(None))
    everything = {record.key for page in pages for record in page.records}
    behind: set[str] = set()
    for page in pages:
        behind |= {record.key for record in page.records}
        rest, _ = read(opened(), page.cursor)
        assert behind | set(rest) == everything


def test_records_with_one_stamp_are_all_read(subject, opened):
    keys = subject.add(people(450), EARLY)
    found, cursor = read(opened())
    assert set(found) == set(keys)
    at = now()
    for key in keys[:250]:
        subject.change(key, "Again", at)
    after, _ = read(opened(), cursor)
    assert set(keys[:250]) <= set(after)


def test_fetch_yields_records_as_they_are_now_and_exactly_as_a_reading_does(subject, opened):
    keys = subject.add(people(7), EARLY)
    subject.change(keys[0], "Now", now())
    connector = opened()
    fetched = {record.key: record.fields for record in connector.fetch([*keys, "999999999"])}
    found, _ = read(opened())
    assert fetched == {key: record.fields for key, record in found.items()}
    assert fetched[keys[0]][subject.first_name] == "Now"
    assert list(connector.fetch([])) == []


def test_only_the_fields_of_the_map_need_be_read(subject, opened):
    subject.add(people(2), EARLY)
    found, _ = read(opened(fields=[subject.email]))
    assert all(record.fields[subject.email] for record in found.values())


def test_start_and_until_bound_a_reading(subject, opened):
    old = subject.add(people(3), EARLY)
    middle = subject.add(people(3, start=10), EARLY + minutes(100))
    subject.add(people(3, start=20), EARLY + minutes(200))
    found, _ = read(opened(start=EARLY + minutes(50)), until=EARLY + minutes(150))
    assert set(found) == set(middle)
    assert not set(found) & set(old)


def test_a_count_is_about_right_or_unknown(subject, opened):
    subject.add(people(40), EARLY)
    connector = opened()
    counted = connector.count(None)
    assert counted is None or 30 <= counted <= 60
    _, cursor = read(connector)
    assert connector.count(cursor) is None or connector.count(cursor) >= 0


def test_a_check_says_how_the_stream_is_read_and_reads_no_record(subject, opened):
    reading = opened(fields=[subject.email]).check()
    assert len(reading.primary_key) == 1
    assert reading.cursor_field


def test_objects_and_fields_are_listed(subject, opened):
    connector = opened()
    assert subject.object in {one.name for one in connector.objects()}
    fields = {one.name: one for one in connector.fields(subject.object)}
    assert fields[subject.email].type
    assert len(fields) == len(connector.fields(subject.object))


def test_an_unknown_object_is_named_and_a_field_with_its_near_name(subject, opened):
    with pytest.raises(SourceMisconfigured, match="no_such_thing"):
        opened("no_such_thing").check()
    misspelt = subject.email + "x"
    with pytest.raises(SourceMisconfigured, match=rf"{misspelt}.*{subject.email}"):
        opened(fields=[misspelt]).check()


def test_a_missing_field_stops_a_reading_before_the_first_record(subject, opened):
    subject.add(people(2), EARLY)
    with pytest.raises(SourceMisconfigured):
        next(iter(opened(fields=["no_such_field"]).read(None)))


def test_a_cursor_that_is_none_of_this_source_s_is_refused_or_read_from_the_start(subject, opened):
    keys = subject.add(people(3), EARLY)
    for cursor in ({}, {"v": 99}, {"at": "x", "nothing": [1, {"deep": None}]}, {"version": 1, "cursor_ms": "soon"}):
        with suppress(SourceMisconfigured):
            found, _ = read(opened(), cursor)
            assert set(found) == set(keys)


def test_a_refused_login_and_an_absent_server_are_told_apart_without_the_secret(subject):
    for away, kind in ((False, SourceRefused), (True, SourceUnreachable)):
        connector = subject.connect_badly(away=away)
        with pytest.raises(kind) as problem:
            connector.check()
        assert "\n" not in str(problem.value)
        assert "s3cret" not in str(problem.value) + repr(connector)
        connector.close()


def test_nothing_is_contacted_before_the_first_call_and_closing_twice_does_no_harm(subject):
    connector = subject.connect_badly(away=True)
    connector.close()
    connector.close()


def test_a_wait_that_is_ended_ends_the_call(subject):
    class Ended(Exception):
        pass

    waits = []

    def pause(seconds):
        waits.append(seconds)
        raise Ended

    connector = subject.connect_badly(away=True, pause=pause)
    with pytest.raises((Ended, SourceUnreachable)):  # not every source tries again
        connector.check()
    assert len(waits) <= 1
    connector.close()


def test_what_was_removed_is_named_where_the_source_can_tell(subject, opened):
    if not subject.sees_removals:
        pytest.skip("this source does not tell")
    keys = subject.add(people(6), EARLY)
    _, cursor = read(opened())
    subject.remove(keys[2])
    gone, present, swept = {}, set(), False
    for page in opened().read(cursor):
        gone |= page.gone
        present |= set(page.present)
        swept = swept or page.swept
    assert keys[2] in gone or (swept and keys[2] not in present)


def test_cursors_are_small(subject, opened):
    subject.add(people(300), EARLY)
    cursors = [json.dumps(page.cursor) for page in opened().read(None)]
    assert max(map(len, cursors)) < 5_000
