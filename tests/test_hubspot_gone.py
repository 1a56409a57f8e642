"""What is no longer there: archived, merged, erased; seen, named, and never an obstacle."""

from __future__ import annotations

from datetime import timedelta

import pytest
from doubles.hubspot import HubSpot
from hubspot_streams import OLD, Clock, gone, keys, notes, people, read

from connectors.hubspot.chores import is_due
from connectors.hubspot.cursor import Chore

CONTACTS = {"object": "contacts", "fields": ["email"]}
DAY = 86_400


def present(pages) -> set[str]:
    return {key for page in pages for key in page.present}


def swept(pages) -> bool:
    return any(page.swept for page in pages)


def test_an_archived_record_is_named_by_the_next_run_although_its_stamp_did_not_move(crm):
    ids = crm.add("contacts", people(3), at=OLD)
    first = read(crm, **CONTACTS)
    crm.archive("contacts", ids[1])
    second = read(crm, first, **CONTACTS)
    assert gone(second) == {ids[1]: "archived"}
    assert keys(second) == []


def test_many_archived_records_are_walked_page_by_page(crm):
    ids = crm.add("contacts", people(250), at=OLD)
    first = read(crm, **CONTACTS)
    for one in ids:
        crm.archive("contacts", one)
    assert set(gone(read(crm, first, **CONTACTS))) == set(ids)


@pytest.mark.parametrize("new_id", [False, True])
def test_a_merge_names_the_loser_and_brings_the_winner(crm, new_id):
    winner, loser, _ = crm.add("contacts", people(3), at=OLD)
    first = read(crm, **CONTACTS)
    made = crm.merge("contacts", winner, loser, new_id=new_id)
    second = read(crm, first, **CONTACTS)
    assert keys(second) == [made]
    assert gone(second)[loser] == "merged"
    assert made not in gone(second)


def test_merged_companies_are_noticed_as_well(crm):
    winner, loser = crm.add("companies", [{"domain": "a.example"}, {"domain": "b.example"}], at=OLD)
    first = read(crm, object="companies", fields=["domain"])
    crm.merge("companies", winner, loser)
    second = read(crm, first, object="companies", fields=["domain"])
    assert gone(second)[loser] == "merged"


def test_an_erased_record_shows_by_its_absence_in_a_sweep(crm):
    ids = crm.add("contacts", people(120), at=OLD)
    first = read(crm, **CONTACTS)
    crm.erase("contacts", ids[5])
    second = read(crm, first, **CONTACTS)
    assert swept(second)
    assert present(second) == set(ids) - {ids[5]}


def test_activities_are_named_by_the_beginning_of_their_keys(crm):
    (ana,) = crm.add("contacts", people(1), at=OLD)
    one, two = crm.add("notes", [{"hs_note_body": "x"}] * 2, at=OLD)
    for note in (one, two):
        crm.associate("notes", note, "contacts", ana)
    notes = {"object": "notes", "associate": "contacts", "fields": ["contact.email", "hs_note_body"]}
    first = read(crm, **notes)
    crm.archive("notes", one)
    second = read(crm, first, **notes)
    assert gone(second) == {f'["{one}",': "archived"}
    assert present(second) == {f'["{two}",'}


def test_a_large_object_is_swept_weekly_and_a_small_one_in_every_run():
    clock = Clock()
    with HubSpot(clock=clock) as crm:
        crm.add("contacts", people(700), at=OLD)
        pages = read(crm, clock=clock, **CONTACTS)
        days = []
        for day in range(1, 16):
            clock.now += DAY
            pages = read(crm, pages, clock=clock, **CONTACTS)
            days += [day] if swept(pages) else []
        assert days == [7, 14]


def test_the_map_may_say_when_to_sweep_and_to_look_for_archived_records():
    clock = Clock()
    with HubSpot(clock=clock) as crm:
        ids = crm.add("contacts", people(20), at=OLD)
        pages = read(crm, clock=clock, **CONTACTS)
        crm.archive("contacts", ids[0])
        never = read(crm, pages, clock=clock, archived="never", sweep="never", **CONTACTS)
        assert (gone(never), swept(never)) == ({}, False)
        clock.now += 3_600
        assert not swept(read(crm, pages, clock=clock, sweep="2h", **CONTACTS))
        clock.now += 3_601
        assert swept(read(crm, pages, clock=clock, sweep="2h", **CONTACTS))


def test_a_bounded_reading_looks_for_nothing_else(crm):
    from datetime import UTC, datetime

    crm.add("contacts", people(3), at=OLD)
    first = read(crm, **CONTACTS, until=datetime.now(UTC))
    crm.forget_calls()
    read(crm, first, **CONTACTS, until=datetime.now(UTC))
    assert crm.calls["list"] == 0


def test_a_sweep_over_a_list_that_ends_early_counts_nothing_as_gone(crm):
    crm.add("contacts", people(400), at=OLD)
    first = read(crm, **CONTACTS)
    crm.fail("GET /crm/v3/objects/contacts", status=200, body={"results": []}, skip=2)
    second = read(crm, first, **CONTACTS)
    assert not swept(second)
    assert notes(second) == [
        "HubSpot's list gave 100 records, its search knows 400: erased records are looked for again later"
    ]
    assert swept(read(crm, second, **CONTACTS))


def test_a_sweep_that_was_cut_off_is_begun_anew(crm):
    ids = crm.add("contacts", people(300), at=OLD)
    first = read(crm, **CONTACTS)
    second = read(crm, first, **CONTACTS)
    (cut,) = [page for page in second if ids[0] in page.present]
    again = read(crm, cut.cursor, **CONTACTS)
    assert present(again) == set(ids)


@pytest.mark.parametrize(
    ("last", "wanted", "due"),
    [
        (None, None, True),
        (None, "never", False),
        (Chore(0, 3), None, True),
        (Chore(0, 6), None, False),
        (Chore(0), None, False),
        (Chore(0, 3), timedelta(days=2), False),
        (Chore(0, 999), timedelta(hours=1), True),
        (Chore(0, 3), "never", False),
    ],
)
def test_when_something_is_due_half_a_day_after_it_was_done(last, wanted, due):
    assert is_due(last, DAY * 500, wanted, timedelta(days=1)) is due
