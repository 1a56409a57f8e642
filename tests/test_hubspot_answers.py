"""Answers that call themselves a success and are none: nothing is lost over them, and no run breaks on them."""

from __future__ import annotations

import json

import pytest
from doubles.hubspot import HubSpot
from hubspot_altered import Altered
from hubspot_streams import OLD, Clock, filtered, gone, keys, notes, people, read, stream

from connectors.base import ConnectorError, SourceMisconfigured, SourceUnreachable

CONTACTS = {"object": "contacts", "fields": ["email", "firstname"]}
SEARCHED = {**CONTACTS, "start": "2020-01-01T00:00:00Z"}
NOTES = {"object": "notes", "associate": "contacts", "fields": ["contact.email", "hs_note_body"]}


def only(kind: str, instead, times: int = 10**6):
    """Answers of one kind are replaced, so often."""
    left = iter(range(times))

    def alter(found_kind, found):
        if found_kind != kind or next(left, None) is None:
            return None
        return instead(found) if callable(instead) else instead

    return alter


def noted(crm, number=3):
    (ana,) = crm.add("contacts", people(1), at=OLD)
    ids = crm.add("notes", [{"hs_note_body": "x"}] * number, at=OLD)
    for one in ids:
        crm.associate("notes", one, "contacts", ana)
    return ids


NOT_ALL = [
    {"status": "PENDING", "results": []},
    {"status": "CANCELED", "results": []},
    {"results": []},
    {"status": "COMPLETE"},
    {"status": "COMPLETE", "results": None},
    {"status": "COMPLETE", "results": {}},
    {"status": "COMPLETE", "results": [], "numErrors": 3},
    {"status": "COMPLETE", "results": [], "errors": ["x"]},
    {"status": "COMPLETE", "results": [], "errors": [{"message": "boom"}]},
    {"status": "COMPLETE", "results": [], "numErrors": 3, "errors": [{"category": "OBJECT_NOT_FOUND"}]},
    {"status": "error", "message": "Internal"},
]


@pytest.mark.parametrize("body", NOT_ALL)
@pytest.mark.parametrize("kind", ["batch", "associations"])
def test_a_batch_that_is_not_whole_never_means_that_there_is_nothing(crm, kind, body):
    ids = noted(crm)
    made = {**NOTES, "start": "2020-01-01T00:00:00Z"}
    with Altered(crm, only(kind, body)) as faulty, pytest.raises(SourceUnreachable, match="Nothing was lost"):
        read(faulty, **made)
    with Altered(crm, only(kind, body, 2)) as faulty:
        assert len(keys(read(faulty, **made))) == len(ids)


def test_named_records_that_are_not_found_are_no_failure(crm):
    ids = crm.add("contacts", people(3), at=OLD)
    lost = {"category": "OBJECT_NOT_FOUND", "context": {"ids": ids[:2]}}

    def alter(kind, found):
        if kind == "batch":
            kept = [one for one in found["results"] if one["id"] == ids[2]]
            return {"status": "COMPLETE", "results": kept, "numErrors": 2, "errors": [lost]}
        return None

    with Altered(crm, alter) as faulty:
        pages = read(faulty, **SEARCHED)
    assert keys(pages) == ids[2:]
    assert filtered(pages) == {"no longer there when it was read": 2}


ODD_LISTS = [
    {},
    {"results": None},
    {"results": {"a": 1}},
    {"results": [1]},
    {"results": [], "paging": "none"},
    {"results": [], "paging": {"next": {"after": []}}},
    {"results": [{"properties": {}}]},
    {"results": [{"id": None, "properties": {}}]},
    {"results": [{"id": "", "properties": {}}]},
    {"results": [{"id": True, "properties": {}}]},
    {"results": [{"id": '1"\n', "properties": {}}]},
    {"results": [{"id": "1", "properties": []}]},
    {"results": [{"id": "1", "properties": "x"}]},
    {"status": "error", "message": "Internal"},
    [],
    b"true",
]


@pytest.mark.parametrize("body", ODD_LISTS)
def test_a_list_of_another_shape_is_asked_for_again_and_then_ends_the_run_by_name(crm, body):
    ids = crm.add("contacts", people(3), at=OLD)
    with Altered(crm, only("list", body)) as faulty, pytest.raises(SourceUnreachable, match="listing contacts: "):
        read(faulty, **CONTACTS)
    with Altered(crm, only("list", body, 1)) as faulty:
        assert keys(read(faulty, **CONTACTS)) == ids


@pytest.mark.parametrize("total", [None, "abc", [], -1, True, 0])
def test_a_search_that_does_not_say_how_many_match_ends_the_run(crm, total):
    crm.add("contacts", people(3), at=OLD)
    with (
        Altered(crm, only("search", lambda found: found | {"total": total})) as faulty,
        pytest.raises(SourceUnreachable, match="how many"),
    ):
        read(faulty, **SEARCHED)


@pytest.mark.parametrize("total", [450, 10**6])
def test_a_search_that_gives_less_than_it_announces_moves_no_cursor(crm, total):
    ids = crm.add("contacts", people(450), at=lambda n: OLD + n)

    def alter(kind, found):
        if kind != "search" or not faulty.asked.get("sorts"):
            return None
        return {"total": total, "results": found["results"] if not faulty.asked.get("after") else []}

    with (
        Altered(crm, alter) as faulty,
        stream(faulty, CONTACTS["fields"], object="contacts", start=SEARCHED["start"]) as one,
    ):
        pages = []
        with pytest.raises(SourceUnreachable, match="announces"):
            pages.extend(one.read(None))
    assert len(keys(pages)) in (0, 200)
    assert set(keys(read(crm, pages or None, **SEARCHED))) == set(ids)


@pytest.mark.parametrize("number", [50, 120])
def test_a_sweep_over_an_empty_list_names_nobody_and_is_tried_again(crm, number):
    ids = crm.add("contacts", people(number), at=OLD)
    first = read(crm, **CONTACTS)
    with Altered(crm, only("list", {"results": []})) as faulty:
        second = read(faulty, first, **CONTACTS)
        third = read(faulty, second, **CONTACTS)
    assert not [page for page in (*second, *third) if page.swept]
    assert notes(third) == notes(second) != []
    healed = read(crm, third, **CONTACTS)
    assert [page.swept for page in healed].count(True) == 1
    assert {one for page in healed for one in page.present} == set(ids)


def test_a_property_that_is_deleted_meanwhile_stops_the_stream_before_a_row_is_made_of_it(crm):
    crm.add("contacts", people(250), at=OLD)

    with stream(crm, **CONTACTS) as connector:
        reading = connector.read(None)
        page = next(reading)
        reading.close()
    with (
        Altered(crm, deleted("list", "firstname")) as faulty,
        pytest.raises(SourceMisconfigured, match=r"firstname of no record.*deleted or renamed"),
    ):
        read(faulty, page.cursor, **CONTACTS)


@pytest.mark.parametrize(("kind", "more"), [("list", {}), ("batch", {"start": "2020-01-01T00:00:00Z"})])
def test_a_property_that_is_deleted_between_the_answers_of_one_page_stops_the_stream(crm, kind, more):
    noted(crm, 250)

    with (
        Altered(crm, deleted(kind, "hs_note_body", after=2)) as faulty,
        pytest.raises(SourceMisconfigured, match=r"hs_note_body of no record"),
    ):
        read(faulty, **NOTES, **more)


def deleted(kind_of_records, name, after=0):
    """Alters answers as if a property were deleted behind the first look at the properties, and so many answers."""
    seen = []

    def alter(kind, found):
        if kind == kind_of_records:
            seen.append(kind)
            for one in found["results"] if len(seen) > after else ():
                one["properties"].pop(name, None)
            return found
        if kind == "properties" and len(seen) > after:
            return {"results": [one for one in found["results"] if one["name"] != name]}
        return None

    return alter


def test_a_property_that_a_server_leaves_out_where_it_is_empty_is_empty(crm):
    crm.add("contacts", people(3), at=OLD)

    def without(found):
        for one in found["results"]:
            one["properties"].pop("firstname")
        return found

    with Altered(crm, only("list", without)) as faulty:
        found = [record.fields["firstname"] for page in read(faulty, **CONTACTS) for record in page.records]
    assert found == [None] * 3


def test_a_property_that_some_records_lack_is_empty_in_them(crm):
    crm.add("contacts", people(3), at=OLD)

    def without(found):
        found["results"][1]["properties"].pop("firstname")
        return found

    with Altered(crm, only("list", without)) as faulty:
        found = [record.fields["firstname"] for page in read(faulty, **CONTACTS) for record in page.records]
    assert found == ["P0", None, "P2"]


def test_a_property_of_people_that_is_deleted_meanwhile_stops_their_rows_too(crm):
    noted(crm)

    with (
        Altered(crm, deleted("batch", "email")) as faulty,
        pytest.raises(SourceMisconfigured, match="contacts: HubSpot gives email"),
    ):
        read(faulty, **NOTES)


@pytest.mark.parametrize(
    ("before", "behind", "value"),
    [
        (b'"P1"', b'"P\\ud83d"', "P\ufffd"),
        (b'"P1"', b'"P\xff"', "P\ufffd"),
        (b'"P1"', b"NaN", None),
        (b'"P1"', b'"a\x01b"', "a\x01b"),
    ],
)
def test_one_value_that_is_no_text_costs_that_value_and_nothing_else(crm, before, behind, value):
    crm.add("contacts", people(3), at=OLD)
    with Altered(crm, only("list", lambda found: json.dumps(found).encode().replace(before, behind))) as faulty:
        found = [record.fields["firstname"] for page in read(faulty, **CONTACTS) for record in page.records]
    assert found == ["P0", value, "P2"]


def test_depth_without_end_is_no_json(crm):
    with Altered(crm, only("list", b"[" * 200_000)) as faulty, pytest.raises(SourceUnreachable, match="no JSON"):
        read(faulty, **CONTACTS)


def test_a_record_that_is_read_alive_is_not_named_by_the_list_of_archived_ones(crm):
    ids = crm.add("contacts", people(3), at=OLD)
    first = read(crm, **CONTACTS)
    crm.change("contacts", ids[1], {"firstname": "New"})
    named = {"results": [{"id": one, "properties": {}, "archived": True} for one in (ids[1], "99")]}
    with Altered(crm, only("archived", named)) as faulty:
        second = read(faulty, first, **CONTACTS)
    assert keys(second) == [ids[1]]
    assert gone(second) == {"99": "archived"}


def test_a_record_that_is_listed_twice_is_read_once(crm):
    ids = crm.add("contacts", people(250), at=OLD)
    last = []

    def twice(found):
        results = [*last, *found["results"], found["results"][0]]
        last[:] = found["results"][-1:]
        return found | {"results": results}

    with Altered(crm, only("list", twice)) as faulty:
        assert keys(read(faulty, **CONTACTS)) == ids


@pytest.mark.parametrize("kind", ["list", "archived", "associations"])
@pytest.mark.parametrize("rising", [False, True])
def test_places_that_lead_in_circles_or_nowhere_end_the_run(crm, kind, rising):
    noted(crm)
    first = read(crm, **NOTES)
    count = iter(range(10**6))

    def paged(found, onward):
        return found | {"paging": {"next": {"after": onward}}}

    def alter(found_kind, found):
        if found_kind != kind:
            return None
        step = next(count)
        onward = str(step) if rising else "12"[step % 2]
        if kind == "associations":
            return found | {"results": [paged(one, onward) for one in found["results"]]}
        return paged(found, onward)

    since = first if kind == "archived" else None
    with Altered(crm, alter) as faulty, pytest.raises(ConnectorError):
        read(faulty, since, **NOTES)
    assert next(count) < 500


@pytest.mark.parametrize("once", [True, False])
def test_a_saved_place_that_hubspot_refuses_begins_the_list_again_with_a_remark(crm, once):
    ids = crm.add("contacts", people(450), at=OLD)
    with stream(crm, **CONTACTS) as connector:
        reading = connector.read(None)
        pages = [next(reading), next(reading)]
        reading.close()
    place = pages[-1].cursor["after"]
    refusal = (400, {"message": "invalid paging cursor", "category": "VALIDATION_ERROR"})
    begun_again = []

    def alter(kind, _):
        if kind != "list" or (once and begun_again):
            return None
        begun_again.extend(["yes"] * ("after" not in faulty.asked))
        return refusal if faulty.asked.get("after") == place else None

    with Altered(crm, alter) as faulty:
        again = read(faulty, pages, **CONTACTS)
    assert sorted(keys(again)) == sorted(ids)
    assert "from the beginning again" in notes(again)[0]
    assert again[-1].cursor["phase"] == "done"


def test_a_refused_list_of_archived_records_ends_the_run_behind_all_else_and_names_the_way_out(crm):
    ids = crm.add("contacts", people(3), at=OLD)
    first = read(crm, **CONTACTS)
    crm.change("contacts", ids[0], {"firstname": "New"})
    refusal = (400, {"message": "Paging through deleted objects is not yet supported", "category": "VALIDATION_ERROR"})
    with Altered(crm, only("archived", refusal)) as faulty:
        with stream(faulty, **CONTACTS) as connector:
            pages = []
            with pytest.raises(SourceMisconfigured, match="archived: never"):
                pages.extend(connector.read(first[-1].cursor))
            with pytest.raises(SourceMisconfigured, match="archived: never"):
                connector.check()
        assert keys(pages) == [ids[0]]
        assert pages[-1].cursor["end"] > first[-1].cursor["end"]
        assert keys(read(faulty, first, archived="never", **CONTACTS)) == [ids[0]]


@pytest.mark.parametrize("lag", [0.5, 1.5, 6, 20])
def test_hourly_runs_miss_nothing_of_an_index_that_lags_by_hours(lag):
    clock, hour = Clock(), 3_600
    with HubSpot(clock=clock, index_lag=lag * hour, limits=None) as crm:
        ids = crm.add("contacts", people(60), at=OLD)
        clock.now += 100 * hour
        made = {**CONTACTS, "clock": clock, "archived": "never", "sweep": "never"}
        pages, found = read(crm, **made), {}
        for number in range(110):
            if number < len(ids):
                crm.change("contacts", ids[number], {"firstname": f"new {number}"})
            clock.now += hour
            pages = read(crm, pages, **made)
            found |= {record.key: record.fields["firstname"] for page in pages for record in page.records}
        assert found == {one: f"new {number}" for number, one in enumerate(ids)}


def test_more_than_10_000_records_of_one_millisecond_are_read_where_ids_are_compared_as_text():
    with HubSpot(limits=None, ids_compare_as="text") as crm:
        ids = crm.add("contacts", people(10_050), at=OLD)
        assert set(keys(read(crm, **SEARCHED))) == set(ids)


def test_emails_without_bodies_are_remarked_on_by_a_check(crm):
    crm.add("emails", [{"hs_email_subject": "x"}] * 12, at=OLD)
    with stream(crm, ["hs_email_text"], object="emails") as connector:
        assert any("sales-email-read" in note for note in connector.check().notes)


def test_a_custom_object_by_its_label_is_told_the_name_that_paths_take(crm):
    name = crm.define("2-4711", "colour", label="Cars")
    with (
        stream(crm, ["colour"], object="Cars") as connector,
        pytest.raises(SourceMisconfigured, match=rf"did you mean {name} \(2-4711\)"),
    ):
        connector.check()


@pytest.mark.parametrize("behind", [5, 6])
def test_records_that_were_archived_lately_explain_a_list_that_an_index_outlives(crm, behind):
    for one in crm.add("contacts", people(120), at=OLD)[:5]:
        crm.archive("contacts", one)
    with Altered(crm, only("search", lambda found: found | {"total": found["total"] + behind})) as faulty:
        if behind == 5:
            assert notes(read(faulty, **CONTACTS)) == []
        else:
            with pytest.raises(SourceUnreachable, match="announces 6 records more"):
                read(faulty, **CONTACTS)
