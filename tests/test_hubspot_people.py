"""People's words: one row per activity and the contact or company it is about."""

from __future__ import annotations

import json

import pytest
from doubles.hubspot import HubSpot
from hubspot_streams import OLD, Clock, filtered, keys, notes, people, read, stream

from connectors.base import SourceMisconfigured, SourceUnreachable
from connectors.hubspot.people import MOST

NOTES = {"object": "notes", "associate": "contacts", "fields": ["contact.email", "contact.firstname", "hs_note_body"]}
DAY = 86_400


def records(pages):
    return [record for page in pages for record in page.records]


def key(*parts: str) -> str:
    return json.dumps(parts, separators=(",", ":"))


@pytest.mark.parametrize("version", ["v3", "2026-09"])
def test_a_note_about_two_people_makes_two_rows_with_their_addresses(crm, version):
    ana, bo = crm.add("contacts", people(2), at=OLD)
    (note,) = crm.add("notes", [{"hs_note_body": "<p>Met</p>"}], at=OLD)
    crm.associate("notes", note, "contacts", ana)
    crm.associate("notes", note, "contacts", bo)
    found = {record.key: record.fields for record in records(read(crm, **NOTES, version=version))}
    assert set(found) == {key(note, ana), key(note, bo)}
    assert found[key(note, bo)] == {
        "hs_note_body": "<p>Met</p>",
        "contact": {"email": "p1@x.example", "firstname": "P1", "id": bo},
    }


def test_an_association_that_is_listed_twice_makes_one_row(crm):
    (ana,) = crm.add("contacts", people(1), at=OLD)
    (note,) = crm.add("notes", [{"hs_note_body": "x"}], at=OLD)
    crm.associate("notes", note, "contacts", ana, "Primary")
    assert keys(read(crm, **NOTES)) == [key(note, ana)]


@pytest.mark.parametrize("unlinked", ["errors", "absent"])
def test_a_note_about_nobody_is_counted_with_the_reason(unlinked):
    with HubSpot(unlinked=unlinked) as crm:
        (ana,) = crm.add("contacts", people(1), at=OLD)
        one, _ = crm.add("notes", [{"hs_note_body": "x"}, {"hs_note_body": "y"}], at=OLD)
        crm.associate("notes", one, "contacts", ana)
        pages = read(crm, **NOTES)
        assert keys(pages) == [key(one, ana)]
        assert filtered(pages) == {"no contact is associated": 1}


def test_associations_of_many_people_are_read_over_their_pages_and_bounded():
    with HubSpot(links_per_page=7) as crm:
        contacts = crm.add("contacts", people(60), at=OLD)
        notes_ = crm.add("notes", [{"hs_note_body": "x"}, {"hs_note_body": "y"}], at=OLD)
        for one in contacts[:20]:
            crm.associate("notes", notes_[0], "contacts", one)
        for one in contacts:
            crm.associate("notes", notes_[1], "contacts", one)
        pages = read(crm, **NOTES)
        assert sorted(keys(pages)) == sorted(
            [key(notes_[0], one) for one in contacts[:20]] + [key(notes_[1], one) for one in contacts[:MOST]]
        )
        assert filtered(pages) == {"more than 25 contacts are associated": 60 - MOST}


def test_a_person_without_an_address_is_counted_and_not_rejected(crm):
    ana, bo = crm.add("contacts", [{"firstname": "Ana"}, {"email": "bo@x.example"}], at=OLD)
    (note,) = crm.add("notes", [{"hs_note_body": "x"}], at=OLD)
    crm.associate("notes", note, "contacts", ana)
    crm.associate("notes", note, "contacts", bo)
    pages = read(crm, **NOTES)
    assert keys(pages) == [key(note, bo)]
    assert filtered(pages) == {"the contact has no contact.email": 1}


def test_a_further_address_stands_in_for_a_missing_one(crm):
    (ana,) = crm.add("contacts", [{"hs_additional_emails": "ana@x.example;a2@x.example"}], at=OLD)
    (note,) = crm.add("notes", [{"hs_note_body": "x"}], at=OLD)
    crm.associate("notes", note, "contacts", ana)
    assert records(read(crm, **NOTES))[0].fields["contact"]["email"] == "ana@x.example"


def test_an_address_that_is_no_identity_may_be_missing(crm):
    (ana,) = crm.add("contacts", [{"firstname": "Ana"}], at=OLD)
    (note,) = crm.add("notes", [{"hs_note_body": "x"}], at=OLD)
    crm.associate("notes", note, "contacts", ana)
    pages = read(crm, object="notes", associate="contacts", fields=["contact.id", "contact.email", "hs_note_body"])
    assert records(pages)[0].fields["contact"] == {"id": ana, "email": None}


def test_a_note_can_be_keyed_by_its_company_and_tell_its_first_contact(crm):
    acme, other = crm.add("companies", [{"domain": "acme.example"}, {"domain": "b.example"}], at=OLD)
    (ana,) = crm.add("contacts", people(1), at=OLD)
    (note,) = crm.add("notes", [{"hs_note_body": "x"}], at=OLD)
    crm.associate("notes", note, "companies", acme)
    crm.associate("notes", note, "companies", other)
    crm.associate("notes", note, "contacts", ana)
    pages = read(crm, object="notes", associate="companies", fields=["company.domain", "contact.email"])
    found = {record.key: record.fields for record in records(pages)}
    assert set(found) == {key(note, acme), key(note, other)}
    assert found[key(note, acme)]["contact"]["email"] == "p0@x.example"


def test_the_primary_company_is_the_one_that_is_told_beside_a_contact(crm):
    first, second = crm.add("companies", [{"domain": "first.example"}, {"domain": "second.example"}], at=OLD)
    (ana,) = crm.add("contacts", people(1), at=OLD)
    (note,) = crm.add("notes", [{"hs_note_body": "x"}], at=OLD)
    crm.associate("notes", note, "contacts", ana)
    crm.associate("notes", note, "companies", first)
    crm.associate("notes", note, "companies", second, "Primary")
    pages = read(crm, object="notes", associate="contacts", fields=["contact.email", "company.domain"])
    assert records(pages)[0].fields["company"]["domain"] == "second.example"


def test_a_note_that_is_linked_to_somebody_later_still_arrives():
    clock = Clock()
    with HubSpot(clock=clock) as crm:
        (ana,) = crm.add("contacts", people(1), at=OLD)
        (note,) = crm.add("notes", [{"hs_note_body": "x"}])
        pages = read(crm, clock=clock, **NOTES)
        assert filtered(pages) == {"no contact is associated": 1}
        clock.now += 3 * DAY
        pages = read(crm, pages, clock=clock, **NOTES)
        assert keys(pages) == []
        before = crm.stamp("notes", note)
        crm.associate("notes", note, "contacts", ana)
        assert crm.stamp("notes", note) == before, "an association moves no stamp"
        clock.now += DAY
        pages = read(crm, pages, clock=clock, **NOTES)
        assert keys(pages) == [key(note, ana)]


def test_many_recent_activities_are_looked_at_again_every_six_hours_only():
    clock = Clock()
    with HubSpot(clock=clock) as crm:
        (ana,) = crm.add("contacts", people(1), at=OLD)
        at = int(clock.now * 1000) - 2 * DAY * 1000
        linked = crm.add("notes", [{"hs_note_body": "x"}] * 1_200, at=at)
        for one in linked[1:]:
            crm.associate("notes", one, "contacts", ana)
        pages = read(crm, clock=clock, **NOTES)
        crm.associate("notes", linked[0], "contacts", ana)
        clock.now += 3_600
        pages = read(crm, pages, clock=clock, **NOTES)
        assert keys(pages) == []
        clock.now += 5 * 3_600
        assert key(linked[0], ana) in keys(read(crm, pages, clock=clock, **NOTES))


def test_how_long_later_links_are_looked_for_is_the_map_s_choice():
    clock = Clock()
    with HubSpot(clock=clock) as crm:
        (ana,) = crm.add("contacts", people(1), at=OLD)
        (note,) = crm.add("notes", [{"hs_note_body": "x"}])
        pages = read(crm, clock=clock, **NOTES)
        clock.now += 2 * DAY
        pages = read(crm, pages, clock=clock, **NOTES)
        clock.now += DAY
        crm.associate("notes", note, "contacts", ana)
        assert keys(read(crm, pages, clock=clock, relink="2d", **NOTES)) == []
        assert keys(read(crm, pages, clock=clock, relink="never", **NOTES)) == []
        assert keys(read(crm, pages, clock=clock, relink="4d", **NOTES)) == [key(note, ana)]


def test_rows_are_fetched_by_their_pairs_of_keys(crm):
    contacts = crm.add("contacts", people(40), at=OLD)
    (note,) = crm.add("notes", [{"hs_note_body": "x"}], at=OLD)
    for one in contacts:
        crm.associate("notes", note, "contacts", one)
    wanted = [key(note, contacts[1]), key(note, contacts[39])]
    with stream(crm, NOTES["fields"], object="notes", associate="contacts") as connector:
        found = list(connector.fetch([*wanted, key(note, "999999"), key("999999", contacts[0]), "77", "[1"]))
    assert sorted(record.key for record in found) == sorted(wanted)
    assert found[0].fields["contact"]["email"]


def test_a_pair_that_is_no_longer_associated_is_not_fetched(crm):
    (ana,) = crm.add("contacts", people(1), at=OLD)
    (note,) = crm.add("notes", [{"hs_note_body": "x"}], at=OLD)
    crm.associate("notes", note, "contacts", ana)
    crm.unassociate("notes", note, "contacts", ana)
    with stream(crm, NOTES["fields"], object="notes", associate="contacts") as connector:
        assert list(connector.fetch([key(note, ana)])) == []


@pytest.mark.parametrize("place", ["objects/contacts/batch/read", "associations/notes/contacts/batch/read"])
def test_a_person_that_hubspot_fails_to_give_is_not_taken_for_nobody(crm, place):
    (ana,) = crm.add("contacts", people(1), at=OLD)
    (note,) = crm.add("notes", [{"hs_note_body": "x"}], at=OLD)
    crm.associate("notes", note, "contacts", ana)
    error = {"status": "error", "category": "SERVICE_UNAVAILABLE"}
    failed = {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [error]}
    pattern = f"POST /crm/v{4 if 'associations' in place else 3}/{place}"
    crm.fail(pattern, status=207, body=failed, times=2)
    assert keys(read(crm, **NOTES)) == [key(note, ana)]
    crm.fail(pattern, status=207, body=failed, times=4)
    with pytest.raises(SourceUnreachable, match="SERVICE_UNAVAILABLE"):
        read(crm, **NOTES)


def test_a_contact_is_read_once_for_all_its_notes(crm):
    (ana,) = crm.add("contacts", people(1), at=OLD)
    for one in crm.add("notes", [{"hs_note_body": "x"}] * 600, at=OLD):
        crm.associate("notes", one, "contacts", ana)
    assert len(keys(read(crm, **NOTES))) == 600
    assert crm.calls["batch_read"] == 1
    assert crm.calls["associations"] == 2


def test_a_killed_reading_of_notes_goes_on_without_a_loss(crm):
    (ana,) = crm.add("contacts", people(1), at=OLD)
    for one in crm.add("notes", [{"hs_note_body": "x"}] * 700, at=OLD):
        crm.associate("notes", one, "contacts", ana)
    pages = read(crm, **NOTES)
    everything = set(keys(pages))
    assert len(everything) == 700
    for number in range(len(pages)):
        assert set(keys(pages[: number + 1])) | set(keys(read(crm, pages[number].cursor, **NOTES))) == everything


def test_paths_of_people_without_associate_say_what_is_missing(crm):
    with pytest.raises(SourceMisconfigured, match=r"contact\.email.*`associate: contacts`"):
        read(crm, object="notes", fields=["contact.email", "hs_note_body"])


def test_properties_of_people_are_checked_like_all_others(crm):
    with pytest.raises(SourceMisconfigured, match=r"'mail' is no property of contacts"):
        read(crm, object="notes", associate="contacts", fields=["contact.mail"])


def test_a_check_tries_the_associations_too(crm):
    with stream(crm, NOTES["fields"], object="notes", associate="contacts") as connector:
        reading = connector.check()
    assert crm.calls["associations"] == 1
    assert any("2027-03-30" in note for note in reading.notes)


def test_bodies_that_are_withheld_for_want_of_a_scope_are_told():
    scopes = {"crm.objects.contacts.read"}
    with HubSpot(scopes=scopes) as crm:
        crm.add("emails", [{"hs_email_subject": "Hi", "hs_email_text": "Text"}] * 12, at=OLD)
        pages = read(crm, object="emails", fields=["hs_email_subject", "hs_email_text"])
        assert any("sales-email-read" in note for note in notes(pages))


def test_e_mails_with_bodies_are_not_remarked_on(crm):
    crm.add("emails", [{"hs_email_subject": "Hi", "hs_email_text": "Text"}] * 12, at=OLD)
    assert notes(read(crm, object="emails", fields=["hs_email_subject", "hs_email_text"])) == []
