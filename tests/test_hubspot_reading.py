"""Reading HubSpot: every record, whatever its stamp, and nothing missed between runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from doubles.hubspot import HubSpot
from hubspot_streams import OLD, Clock, filtered, gone, keys, notes, people, read, stream

from connectors.base import SourceMisconfigured, SourceUnreachable

CONTACTS = {"object": "contacts", "fields": ["email", "firstname"]}
HOUR, DAY = 3_600_000, 86_400_000
BATCH = "POST /crm/v3/objects/contacts/batch/read"


@pytest.mark.parametrize("version", ["v3", "2026-09"])
def test_a_first_run_reads_all_and_a_second_one_exactly_what_changed(crm, version):
    ids = crm.add("contacts", people(250), at=OLD)
    first = read(crm, **CONTACTS, version=version)
    assert sorted(keys(first)) == sorted(ids)
    crm.change("contacts", ids[3], {"firstname": "Changed"})
    second = read(crm, first, **CONTACTS, version=version)
    assert keys(second) == [ids[3]]
    assert second[0].records[0].fields == {"email": "p3@x.example", "firstname": "Changed"}
    assert keys(read(crm, second, **CONTACTS, version=version)) == [ids[3]], "the look back reads it once more"


def test_only_what_the_paths_of_the_version_say_is_asked_for(crm):
    crm.add("contacts", people(3), at=OLD)
    read(crm, **CONTACTS, version="2026-09")
    assert all("2026-09" in request.path for request in crm.requests)


def test_10_400_records_with_one_stamp_are_all_found_by_windows(crm):
    ids = crm.add("contacts", people(10_400), at=OLD)
    assert sorted(keys(read(crm, **CONTACTS, start="2023-01-01T00:00:00Z"))) == sorted(ids)


def test_25_000_records_of_ten_minutes_in_shuffled_order_are_all_found_by_windows(crm):
    ids = crm.add("contacts", people(25_000), at=lambda n: OLD + n * 24)
    assert sorted(keys(read(crm, **CONTACTS, start="2023-01-01T00:00:00Z"))) == sorted(ids)


def test_an_empty_object_takes_a_handful_of_calls(crm):
    first = read(crm, **CONTACTS)
    assert keys(first) == []
    crm.forget_calls()
    assert keys(read(crm, first, **CONTACTS)) == []
    assert crm.calls == {"account": 1, "properties": 1, "search": 2, "list": 2}


def every_page_is_safe(crm, since, ids, **more):
    """A reading that is killed behind any page, and one that goes on from there, find all together."""
    pages = read(crm, since, **more)
    for number in range(len(pages)):
        before = keys(pages[: number + 1])
        assert set(before) | set(keys(read(crm, pages[number].cursor, **more))) >= set(ids), f"page {number}"
    return pages


def test_a_first_run_that_is_killed_behind_any_page_goes_on_without_a_loss_and_without_reading_all_again(crm):
    ids = crm.add("contacts", people(450), at=OLD)
    pages = every_page_is_safe(crm, None, ids, **CONTACTS)
    assert len(keys(read(crm, pages[2].cursor, **CONTACTS))) == 150


def test_a_first_run_by_windows_that_is_killed_behind_any_page_loses_nothing(crm):
    ids = crm.add("contacts", people(5_000), at=lambda n: OLD + n * 60_000)
    where = [{"propertyName": "firstname", "operator": "NEQ", "value": "nobody"}]
    pages = read(crm, **CONTACTS, where=where)
    for number in range(0, len(pages), 24):
        before = set(keys(pages[: number + 1]))
        assert before | set(keys(read(crm, pages[number].cursor, **CONTACTS, where=where))) == set(ids)


def test_a_later_run_that_is_killed_behind_any_page_loses_nothing(crm):
    ids = crm.add("contacts", people(400), at=OLD)
    first = read(crm, **CONTACTS)
    for one in ids[::2]:
        crm.change("contacts", one, {"firstname": "X"})
    every_page_is_safe(crm, first, ids[::2], **CONTACTS)


def test_a_record_that_changes_while_the_first_run_reads_is_read_by_the_next(crm):
    ids = crm.add("contacts", people(250), at=OLD)
    crm.before("GET /crm/v3/objects/contacts", lambda: crm.change("contacts", ids[0], {"firstname": "Late"}), skip=1)
    first = read(crm, **CONTACTS)
    assert "Late" not in [record.fields["firstname"] for page in first for record in page.records]
    (page,) = [page for page in read(crm, first, **CONTACTS) if page.records]
    assert [record.fields["firstname"] for record in page.records] == ["Late"]


def test_a_record_that_changes_between_search_and_batch_read_arrives_as_it_is_then(crm):
    ids = crm.add("contacts", people(5), at=OLD)
    first = read(crm, **CONTACTS)
    crm.change("contacts", ids[0], {"firstname": "One"})
    crm.before("POST /crm/v3/objects/contacts/batch/read", lambda: crm.change("contacts", ids[0], {"firstname": "Two"}))
    (page,) = [page for page in read(crm, first, **CONTACTS) if page.records]
    assert page.records[0].fields["firstname"] == "Two"


def test_a_record_that_vanishes_between_search_and_batch_read_is_counted_and_costs_no_other(crm):
    ids = crm.add("contacts", people(5), at=OLD)
    first = read(crm, **CONTACTS)
    for one in ids:
        crm.change("contacts", one, {"firstname": "X"})
    crm.before("POST /crm/v3/objects/contacts/batch/read", lambda: crm.archive("contacts", ids[1]))
    second = read(crm, first, **CONTACTS)
    assert sorted(keys(second)) == sorted(set(ids) - {ids[1]})
    assert filtered(second) == {"no longer there when it was read": 1}
    assert gone(second)[ids[1]] == "archived"


def partial(*ids: str) -> dict[str, object]:
    """An answer that reports these ids as failed."""
    error = {"status": "error", "category": "SERVICE_UNAVAILABLE", "context": {"ids": list(ids)}}
    return {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [error]}


def test_a_batch_read_that_fails_for_some_records_is_asked_again_for_those(crm):
    ids = crm.add("contacts", people(3), at=OLD)
    crm.fail(BATCH, status=207, body=partial(ids[0]), times=3)
    waits: list[float] = []
    with stream(crm, ["email"], object="contacts", pause=waits.append) as connector:
        assert sorted(record.key for record in connector.fetch(ids)) == sorted(ids)
    assert waits == [1.0, 2.0, 4.0]


def test_a_record_that_is_neither_given_nor_absent_ends_the_run_instead_of_being_passed(crm):
    ids = crm.add("contacts", people(3), at=OLD)
    first = read(crm, **CONTACTS)
    crm.change("contacts", ids[0], {"firstname": "X"})
    crm.fail(BATCH, status=207, body=partial(ids[0]), times=4)
    with pytest.raises(SourceUnreachable, match="SERVICE_UNAVAILABLE"):
        read(crm, first, **CONTACTS)
    assert keys(read(crm, first, **CONTACTS)) == [ids[0]]


@pytest.mark.parametrize("minutes", [1, 20, 55])
def test_a_record_that_is_indexed_late_is_found_by_a_later_run(minutes):
    clock = Clock()
    with HubSpot(clock=clock, index_lag=minutes * 60) as crm:
        (one,) = crm.add("contacts", people(1), at=OLD)
        crm.index()
        first = read(crm, clock=clock, **CONTACTS)
        clock.now += 3_600
        crm.change("contacts", one, {"firstname": "Late"})
        second = read(crm, first, clock=clock, **CONTACTS)
        assert keys(second) == []
        clock.now += minutes * 60 + 1
        assert keys(read(crm, second, clock=clock, **CONTACTS)) == [one]


def test_a_record_that_is_indexed_hours_late_is_found_within_a_day():
    clock = Clock()
    with HubSpot(clock=clock, index_lag=5 * 3_600) as crm:
        (one,) = crm.add("contacts", people(1), at=OLD)
        crm.index()
        pages = read(crm, clock=clock, **CONTACTS)
        crm.change("contacts", one, {"firstname": "Late"})
        found = []
        for _ in range(25):
            clock.now += 3_600
            pages = read(crm, pages, clock=clock, **CONTACTS)
            found += keys(pages)
        assert found


def test_an_interrupted_run_that_goes_on_hours_later_finds_what_was_indexed_meanwhile():
    clock = Clock()
    with HubSpot(clock=clock, index_lag=1_800) as crm:
        ids = crm.add("contacts", people(200), at=OLD)
        crm.index()
        pages = read(crm, clock=clock, **CONTACTS)
        clock.now += DAY / 1000
        late = crm.add("contacts", people(1, first=900))
        clock.now += 60
        pages = read(crm, pages, clock=clock, **CONTACTS)  # its end passes the late one
        clock.now += 5 * 3_600
        assert set(keys(read(crm, pages, clock=clock, **CONTACTS))) >= set(late)
        assert set(late).isdisjoint(ids)


def test_settle_leaves_the_newest_for_the_next_run():
    clock = Clock()
    with HubSpot(clock=clock) as crm:
        (one,) = crm.add("contacts", people(1), at=OLD)
        first = read(crm, clock=clock, settle="60s", **CONTACTS)
        clock.now += 10
        crm.change("contacts", one, {"firstname": "New"})
        clock.now += 30
        second = read(crm, first, clock=clock, settle="60s", **CONTACTS)
        assert keys(second) == []
        clock.now += 31
        assert keys(read(crm, second, clock=clock, settle="60s", **CONTACTS)) == [one]


def test_start_and_until_bound_what_is_read(crm):
    ids = crm.add("contacts", people(10), at=lambda n: OLD + n * DAY)
    start, until = (datetime.fromtimestamp((OLD + n * DAY) / 1000, UTC) for n in (3, 7))
    assert sorted(keys(read(crm, **CONTACTS, start=start.isoformat(), until=until))) == ids[3:7]
    assert sorted(keys(read(crm, **CONTACTS, until=until))) == ids[:7]


def test_start_still_bounds_the_look_back_of_later_runs(crm):
    now = datetime.now(UTC)
    start = int(now.timestamp() * 1000)
    old, new = crm.add("contacts", people(2), at=[start - 60_000, start])
    first = read(crm, **CONTACTS, start=now.isoformat())
    assert keys(first) == [new]
    assert old not in keys(read(crm, first, **CONTACTS, start=now.isoformat()))


def test_where_reads_only_what_meets_it_in_first_and_later_runs_and_by_key(crm):
    rows = [{"email": f"p{n}@x.example", "jobtitle": "CTO" if n % 2 else "CEO"} for n in range(10)]
    ids = crm.add("contacts", rows, at=OLD)
    where = [{"propertyName": "jobtitle", "operator": "IN", "values": ["CTO"]}]
    first = read(crm, **CONTACTS, where=where)
    assert sorted(keys(first)) == sorted(ids[1::2])
    for one in ids[:4]:
        crm.change("contacts", one, {"firstname": "X"})
    second = read(crm, first, **CONTACTS, where=where)
    assert sorted(keys(second)) == sorted(ids[1:4:2])
    with stream(crm, ["email"], object="contacts", where=where) as connector:
        assert [record.key for record in connector.fetch(ids[:3])] == [ids[1]]


def test_where_that_asks_only_what_is_filled_goes_through_the_list_and_counts_the_others(crm):
    ids = crm.add("contacts", [{"email": "a@x.example"}, {"firstname": "Bo"}, {"email": "c@x.example"}], at=OLD)
    where = [{"propertyName": "email", "operator": "HAS_PROPERTY"}]
    first = read(crm, object="contacts", fields=["firstname"], where=where)
    assert keys(first) == [ids[0], ids[2]]
    assert filtered(first) == {"outside `where`": 1}
    assert crm.calls["search"] == 1, "only to compare the numbers"
    crm.change("contacts", ids[1], {"email": "bo@x.example"})
    crm.change("contacts", ids[0], {"email": ""})
    assert keys(read(crm, first, object="contacts", fields=["firstname"], where=where)) == [ids[1]]
    with stream(crm, ["firstname"], object="contacts", where=where) as connector:
        assert {record.key for record in connector.fetch(ids)} == {ids[1], ids[2]}


def test_dates_in_where_are_compared_as_dates(crm):
    ids = crm.add("contacts", people(3), at=OLD, created=OLD)
    crm.add("contacts", people(3, first=10), at=OLD, created=OLD - DAY)
    stamp = datetime.fromtimestamp(OLD / 1000, UTC).isoformat()
    where = [{"propertyName": "createdate", "operator": "GTE", "value": stamp}]
    assert sorted(keys(read(crm, **CONTACTS, where=where))) == sorted(ids)


def test_cursor_field_null_lists_everything_in_every_run(crm):
    ids = crm.add("contacts", people(5), at=OLD)
    first = read(crm, **CONTACTS, cursorField=None)
    assert keys(read(crm, first, **CONTACTS, cursorField=None)) == ids


def test_a_cursor_of_another_definition_starts_anew(crm):
    ids = crm.add("contacts", people(5), at=OLD)
    first = read(crm, **CONTACTS)
    where = [{"propertyName": "email", "operator": "HAS_PROPERTY"}]
    assert sorted(keys(read(crm, first, **CONTACTS, where=where))) == sorted(ids)


def test_a_cursor_of_another_account_is_refused_with_a_remedy(crm):
    first = read(crm, **CONTACTS)
    with (
        HubSpot(portal=111) as other,
        pytest.raises(SourceMisconfigured, match=r"account 8675309 .* account 111.*--full"),
    ):
        read(other, first, **CONTACTS)


@pytest.mark.parametrize("cursor", [{}, {"version": 2}, {"phase": "done"}, {"end": "x"}])
def test_a_cursor_that_is_none_of_ours_is_refused_with_a_remedy(crm, cursor):
    with pytest.raises(SourceMisconfigured, match="--full"):
        read(crm, cursor, **CONTACTS)


def test_long_lists_of_properties_reach_no_address(crm):
    names = [f"a_rather_long_name_of_a_property_{n:03}" for n in range(400)]
    crm.define("contacts", *names)
    crm.add("contacts", [{names[399]: "x"}], at=OLD)
    pages = read(crm, object="contacts", fields=[*names, "email"])
    (record,) = [record for page in pages for record in page.records]
    assert record.fields[names[399]] == "x"
    assert crm.calls["batch_read"] == 1


def test_properties_that_do_not_exist_stop_the_stream_before_anything_is_read(crm):
    crm.add("contacts", people(3), at=OLD)
    with pytest.raises(SourceMisconfigured, match=r"'firstName' is no property of contacts; did you mean firstname"):
        read(crm, object="contacts", fields=["email", "firstName"])
    assert crm.calls["list"] == crm.calls["search"] == 0


def test_a_property_that_is_deleted_stops_the_next_run_instead_of_clearing_memory(crm):
    crm.define("contacts", "favourite_colour")
    crm.add("contacts", people(3), at=OLD)
    first = read(crm, object="contacts", fields=["favourite_colour"])
    crm.undefine("contacts", "favourite_colour")
    with pytest.raises(SourceMisconfigured, match="favourite_colour"):
        read(crm, first, object="contacts", fields=["favourite_colour"])


def test_an_object_that_does_not_exist_is_told_with_the_names_that_are_alike(crm):
    crm.define("2-123", "colour", label="Cars")
    with pytest.raises(SourceMisconfigured, match="contacts"):
        read(crm, object="contcts", fields=["email"])


def test_a_custom_object_is_read_by_its_type_id_and_by_its_name(crm):
    name = crm.define("2-4711", "colour", label="Cars")
    ids = crm.add("2-4711", [{"colour": "red"}, {"colour": "blue"}], at=OLD)
    for named in ("2-4711", name):
        first = read(crm, object=named, fields=["colour"])
        assert keys(first) == ids
        crm.change("2-4711", ids[0], {"colour": "green"})
        assert ids[0] in keys(read(crm, first, object=named, fields=["colour"]))


@pytest.mark.parametrize("object", "companies deals tickets notes calls emails meetings tasks communications".split())
def test_every_standard_object_is_read_first_and_incrementally(crm, object):
    (one,) = crm.add(object, [{}], at=OLD)
    first = read(crm, object=object, fields=["hs_object_id"])
    assert keys(first) == [one]
    crm.touch(object, one)
    assert keys(read(crm, first, object=object, fields=["hs_object_id"])) == [one]


def test_records_are_fetched_by_key_and_those_that_are_gone_are_left_out(crm):
    ids = crm.add("contacts", people(250), at=OLD)
    crm.archive("contacts", ids[0])
    with stream(crm, ["email"], object="contacts") as connector:
        found = [record.key for record in connector.fetch([*ids, "999999999", "no id", '["1","2"]'])]
    assert sorted(found) == sorted(ids[1:])


def test_counting_asks_the_search_once(crm):
    ids = crm.add("contacts", people(120), at=OLD)
    first = read(crm, **CONTACTS)
    crm.change("contacts", ids[0], {"firstname": "X"})
    with stream(crm, ["email"], object="contacts") as connector:
        assert connector.count(None) == 120
        assert connector.count(first[-1].cursor) == 1
        assert connector.count(first[0].cursor) is None


def test_without_fields_every_property_is_read(crm):
    crm.add("contacts", [{"email": "a@x.example", "jobtitle": "CTO"}], at=OLD)
    (record,) = [record for page in read(crm, object="contacts") for record in page.records]
    assert record.fields["jobtitle"] == "CTO"
    assert "createdate" in record.fields


def test_a_check_reads_no_more_than_one_record_in_each_way(crm):
    crm.add("contacts", people(300), at=OLD)
    with stream(crm, ["email"], object="contacts") as connector:
        reading = connector.check()
    assert (reading.primary_key, reading.cursor_field) == (("hs_object_id",), "lastmodifieddate")
    assert crm.calls.total() <= 5


def test_objects_are_listed_with_custom_ones_and_without_archived_ones(crm):
    name = crm.define("2-4711", "colour", label="Cars")
    with stream(crm, object="contacts") as connector:
        found = {one.name: one.label for one in connector.objects()}
    assert found["contacts"] == "Contacts"
    assert name in found


@pytest.mark.parametrize(("number", "pages"), [(400, 2), (50, 0), (2_490, 24)])
def test_a_list_that_ends_early_is_remarked_on_and_the_search_brings_the_rest(crm, number, pages):
    ids = crm.add("contacts", people(number), at=OLD)
    crm.fail("GET /crm/v3/objects/contacts", status=200, body={"results": []}, skip=pages)
    found = read(crm, **CONTACTS)
    assert sorted(keys(found)) == sorted(ids)
    (note,) = notes(found)
    assert note.startswith(f"HubSpot's list gave {100 * pages:,} records, its search knows {number:,}: the others are")
    assert keys(read(crm, found, **CONTACTS)) == []


def test_a_reading_that_is_cut_off_behind_a_short_list_goes_on_through_the_search(crm):
    ids = crm.add("contacts", people(250), at=OLD)
    crm.fail("GET /crm/v3/objects/contacts", status=200, body={"results": []}, skip=1)
    with stream(crm, **CONTACTS) as connector:
        reading = connector.read(None)
        pages = [next(reading), next(reading)]
        reading.close()
    assert len(keys(pages)) == 100
    assert set(keys(read(crm, pages, **CONTACTS))) == set(ids)


def test_every_page_s_cursor_survives_json(crm):
    crm.add("contacts", people(150), at=OLD)
    for page in read(crm, **CONTACTS):
        assert json.loads(json.dumps(page.cursor)) == page.cursor
        assert page.cursor["shown"]
    assert notes(read(crm, **CONTACTS)) == []


def test_a_stale_list_position_goes_on_after_records_before_it_are_gone(crm):
    ids = crm.add("contacts", people(300), at=OLD)
    pages = read(crm, **CONTACTS)
    crm.archive("contacts", ids[99])
    crm.archive("contacts", ids[100])
    rest = keys(read(crm, pages[0].cursor, **CONTACTS))
    assert set(rest) == set(ids[101:])


def test_a_calculated_stamp_bump_reads_the_record_again_with_equal_fields(crm):
    ids = crm.add("contacts", people(2), at=OLD)
    first = read(crm, **CONTACTS)
    before = {record.key: record.fields for page in first for record in page.records}
    crm.touch("contacts", ids[0])
    (page,) = [page for page in read(crm, first, **CONTACTS) if page.records]
    assert page.records[0].fields == before[ids[0]]


def test_times_between_runs_do_not_matter_when_clocks_differ():
    ours, theirs = Clock(1_780_000_000), Clock(1_780_000_000 - 900)
    with HubSpot(clock=theirs) as crm:
        (one,) = crm.add("contacts", people(1), at=OLD)
        pages = read(crm, clock=ours, **CONTACTS)
        for moment in range(3):
            ours.now += HOUR / 1000 * 3
            theirs.now += HOUR / 1000 * 3
            crm.change("contacts", one, {"firstname": f"F{moment}"})
            pages = read(crm, pages, clock=ours, **CONTACTS)
            assert one in keys(pages) or one in keys(read(crm, pages, clock=ours, **CONTACTS))


def test_a_clock_that_was_ahead_once_hides_no_later_change():
    clock = Clock()
    with HubSpot(clock=clock) as crm:
        (one,) = crm.add("contacts", people(1), at=OLD)
        clock.now += 30 * DAY / 1000
        pages = read(crm, clock=clock, **CONTACTS)
        clock.now -= 30 * DAY / 1000
        pages = read(crm, pages, clock=clock, **CONTACTS)
        clock.now += 5 * 3_600
        crm.change("contacts", one, {"firstname": "Later"})
        assert one in keys(read(crm, pages, clock=clock, **CONTACTS))


def test_a_first_run_that_goes_on_hours_later_leaves_no_gap_behind_its_beginning():
    clock = Clock()
    with HubSpot(clock=clock) as crm:
        ids = crm.add("contacts", people(250), at=OLD)
        pages = read(crm, clock=clock, **CONTACTS)
        clock.now += 60
        crm.change("contacts", ids[0], {"firstname": "Early"})  # behind the first page already
        clock.now += 5 * 3_600
        pages = read(crm, pages[0].cursor, clock=clock, **CONTACTS)
        clock.now += 3_600
        assert ids[0] in keys(read(crm, pages, clock=clock, **CONTACTS))


def test_a_merged_id_that_is_answered_with_its_winner_makes_no_record_of_another_key(crm):
    (winner,) = crm.add("contacts", people(1), at=OLD)
    answer = {"status": "COMPLETE", "results": [{"id": winner, "properties": {"email": "p0@x.example"}}]}
    crm.fail("POST /crm/v3/objects/contacts/batch/read", status=200, body=answer)
    with stream(crm, ["email"], object="contacts") as connector:
        assert list(connector.fetch(["4711"])) == []
