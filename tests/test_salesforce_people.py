"""What people said, keyed by the person's e-mail: tasks, events, messages, cases, comments and notes."""

import json

import pytest
from doubles.salesforce import Salesforce
from salesforce_streams import OLD, filtered, gone, keys, read, records, stream

from connectors.base import SourceMisconfigured
from connectors.salesforce import people

NOBODY = "no person is linked"


@pytest.fixture
def org():
    with Salesforce() as org:
        (org.acme,) = org.add("Account", [{"Name": "Acme"}], OLD)
        ann, bob, mute = (
            {"FirstName": "Ann", "LastName": "Roe", "Email": "ann@mail.example", "AccountId": org.acme},
            {"FirstName": "Bob", "LastName": "Doe", "Email": "bob@mail.example"},
            {"LastName": "Mute"},
        )
        org.ann, org.bob, org.mute = org.add("Contact", [ann, bob, mute], OLD)
        (org.lea,) = org.add("Lead", [{"LastName": "Lea", "Company": "L", "Email": "lea@mail.example"}], OLD)
        yield org


def both_ways(org, object, fields, **more):
    """What is read by REST, after it was compared with what Bulk reads."""
    rest = read(org, object=object, fields=fields, api="rest", **more)
    bulk = read(org, object=object, fields=fields, api="bulk", **more)
    assert records(rest) == records(bulk)
    assert filtered(rest) == filtered(bulk)
    with stream(org, fields, object=object) as connector:
        assert {record.key: record.fields for record in connector.fetch(keys(rest))} == records(rest)
    return rest


def addresses(pages):
    return sorted(fields["Who"]["Email"] for fields in records(pages).values())


@pytest.mark.parametrize("object", ["Task", "Event"])
def test_an_activity_comes_with_its_person_be_it_a_contact_or_a_lead(org, object):
    who = [org.ann, org.lea, org.mute, org.acme and None]
    ids = org.add(object, [{"Subject": "Call", "WhoId": one} for one in who], OLD)
    pages = both_ways(org, object, ["Who.Email", "Who.Name", "Subject", "Who.Id", "Who.Type"])
    assert filtered(pages) == {NOBODY: 1, "the person has no Email": 1}
    assert keys(pages) == [json.dumps([ids[0], org.ann], separators=(",", ":")), f'["{ids[1]}","{org.lea}"]']
    found = [fields["Who"] for fields in records(pages).values()]
    assert found[0] == {"Email": "ann@mail.example", "Name": "Ann Roe", "Id": org.ann, "Type": "Contact"}
    assert found[1]["Type"] == "Lead"


def test_rest_brings_persons_along_without_further_calls(org):
    org.add("Task", [{"Subject": "Call", "WhoId": org.ann}, {"Subject": "Call", "WhoId": org.lea}], OLD)
    read(org, object="Task", fields=["Who.Email", "Subject"], api="rest")
    assert "TYPEOF Who WHEN Contact THEN Email, IsDeleted WHEN Lead THEN Email, IsDeleted END" in org.soql[-1]
    assert org.calls["query"] == 1


def test_bulk_asks_for_many_persons_at_once_and_for_each_once(org):
    ids = org.add("Contact", [{"LastName": "x", "Email": f"{at}@mail.example"} for at in range(400)], OLD)
    org.add("Task", [{"Subject": "Call", "WhoId": one} for one in ids * 3], OLD)
    pages = read(org, object="Task", fields=["Who.Email", "Subject"], api="bulk")
    assert len(keys(pages)) == 1200
    assert org.calls["query"] == 2


def test_a_persons_own_relationships_can_be_followed(org):
    org.add("Task", [{"Subject": "Call", "WhoId": org.ann}, {"Subject": "Call", "WhoId": org.lea}], OLD)
    pages = both_ways(org, "Task", ["Who.Email", "Who.Account.Name", "Who.Company"])
    found = {fields["Who"]["Email"]: fields["Who"] for fields in records(pages).values()}
    assert found["ann@mail.example"]["Account"] == {"Name": "Acme"}
    assert found["ann@mail.example"]["Company"] is None
    assert found["lea@mail.example"]["Account"] is None
    assert found["lea@mail.example"]["Company"] == "L"


def test_a_field_that_no_person_has_is_refused(org):
    with pytest.raises(SourceMisconfigured, match="no field Emial"):
        read(org, object="Task", fields=["Who.Emial"])


def test_shared_activities_are_one_row_for_each_person(org):
    org.define("Task", "WhoCount int")
    one, two = org.add(
        "Task",
        [{"Subject": "A", "WhoId": org.ann, "WhoCount": 3}, {"Subject": "B", "WhoId": org.bob, "WhoCount": 1}],
        OLD,
    )
    links = [(one, org.ann), (one, org.bob), (one, org.lea), (two, org.bob)]
    org.add("TaskRelation", [{"TaskId": task, "RelationId": who, "IsWhat": False} for task, who in links], OLD)
    org.add("TaskRelation", [{"TaskId": one, "RelationId": org.acme, "IsWhat": True}], OLD)
    pages = both_ways(org, "Task", ["Who.Email", "Subject"])
    assert sorted(map(tuple, map(json.loads, keys(pages)))) == sorted(links)
    with stream(org, ["Who.Email", "Subject"], object="Task") as connector:
        (found,) = connector.fetch([f'["{one}","{org.lea}"]', '["x","y"]', one, "[1]", "["])
    assert found.fields["Who"]["Email"] == "lea@mail.example"


def test_events_with_invitees_are_one_row_for_each_of_them(org):
    org.define("Event", "WhoCount int")
    (one,) = org.add("Event", [{"Subject": "Demo", "WhoId": org.ann, "WhoCount": 2}], OLD)
    org.add("EventRelation", [{"EventId": one, "RelationId": who, "IsWhat": False} for who in (org.ann, org.bob)], OLD)
    assert addresses(both_ways(org, "Event", ["Who.Email"])) == ["ann@mail.example", "bob@mail.example"]


def test_an_activity_without_a_person_as_identity_is_one_row_with_the_person_beside_it(org):
    ids = org.add("Task", [{"Subject": "A", "WhoId": org.ann}, {"Subject": "B"}], OLD)
    pages = both_ways(org, "Task", ["Id", "Subject", "Who.Email"])
    assert keys(pages) == ids
    assert [fields["Who"] and fields["Who"]["Email"] for fields in records(pages).values()] == [
        "ann@mail.example",
        None,
    ]


def test_messages_are_one_row_for_each_person_who_wrote_or_got_them(org):
    one, two = org.add(
        "EmailMessage", [{"Subject": "Hi", "TextBody": "Hello", "Status": "3"}, {"Subject": "None", "Status": "3"}], OLD
    )
    (user, *_), *_ = org.rows("User", "Id")
    links = [
        ("FromAddress", user, "us@memsync.example"),
        ("ToAddress", org.ann, "ann@mail.example"),
        ("CcAddress", org.mute, "mute@work.example"),
    ]
    links += [("CcAddress", org.ann, "ann@mail.example"), ("BccAddress", None, "stranger@mail.example")]
    rows = [
        {"EmailMessageId": one, "RelationId": who, "RelationType": kind, "RelationAddress": address}
        for kind, who, address in links
    ]
    org.add("EmailMessageRelation", rows, OLD)
    pages = both_ways(org, "EmailMessage", ["Who.Email", "Subject", "TextBody"])
    assert addresses(pages) == ["ann@mail.example", "mute@work.example"]
    assert filtered(pages) == {NOBODY: 1}
    assert all(key.startswith(f'["{one}",') for key in keys(pages))
    assert two not in str(keys(pages))


def test_messages_have_no_single_person(org):
    with pytest.raises(SourceMisconfigured, match=r"email: Who\.Email"):
        read(org, object="EmailMessage", fields=["Id", "Who.Email"])


def test_a_message_to_hundreds_is_not_about_all_of_them(org):
    crowd = org.add("Contact", [{"LastName": "x", "Email": f"{at}@mail.example"} for at in range(40)], OLD)
    (one,) = org.add("EmailMessage", [{"Subject": "News", "Status": "3"}], OLD)
    rows = [{"EmailMessageId": one, "RelationId": who, "RelationType": "ToAddress"} for who in crowd]
    org.add("EmailMessageRelation", rows, OLD)
    pages = both_ways(org, "EmailMessage", ["Who.Email"])
    assert len(keys(pages)) == people.MOST
    assert filtered(pages) == {f"more than {people.MOST} people are linked": 15}


def test_a_case_belongs_to_its_contact_or_to_the_address_that_was_given(org):
    rows = [
        {"Subject": "A", "ContactId": org.ann, "SuppliedEmail": "other@mail.example"},
        {"Subject": "B", "SuppliedEmail": "new@mail.example", "SuppliedName": "New"},
        {"Subject": "C", "ContactId": org.mute},
        {"Subject": "D"},
    ]
    ids = org.add("Case", rows, OLD)
    pages = both_ways(org, "Case", ["Who.Email", "Who.Name", "Subject"])
    assert keys(pages) == ids[:2]
    assert [fields["Who"] for fields in records(pages).values()] == [
        {"Email": "ann@mail.example", "Name": "Ann Roe"},
        {"Email": "new@mail.example", "Name": "New"},
    ]
    assert filtered(pages) == {"the person has no Email": 1, NOBODY: 1}


def test_a_comment_belongs_to_the_contact_of_its_case(org):
    one, two = org.add(
        "Case", [{"Subject": "A", "ContactId": org.ann}, {"Subject": "B", "SuppliedEmail": "new@mail.example"}], OLD
    )
    org.add("CaseComment", [{"ParentId": one, "CommentBody": "x"}, {"ParentId": two, "CommentBody": "y"}], OLD)
    pages = both_ways(org, "CaseComment", ["Who.Email", "CommentBody"])
    assert addresses(pages) == ["ann@mail.example", "new@mail.example"]


def test_a_note_belongs_to_the_person_on_whom_it_was_written(org):
    rows = [{"Title": "T", "Body": "b", "ParentId": one} for one in (org.ann, org.lea, org.acme)]
    ids = org.add("Note", rows, OLD)
    pages = both_ways(org, "Note", ["Who.Email", "Body", "Parent.Name"])
    assert keys(pages) == ids[:2]
    assert addresses(pages) == ["ann@mail.example", "lea@mail.example"]
    assert filtered(pages) == {NOBODY: 1}


def test_a_deleted_activity_is_gone_for_every_person(org):
    (one,) = org.add("Task", [{"Subject": "A", "WhoId": org.ann}], OLD)
    first = read(org, object="Task", fields=["Who.Email"])
    org.delete("Task", one)
    assert gone(read(org, first, object="Task", fields=["Who.Email"])) == {f'["{one}",': "deleted"}


def test_a_person_who_was_deleted_is_no_person(org):
    org.add("Task", [{"Subject": "A", "WhoId": org.ann}, {"Subject": "B", "WhoId": org.bob}], OLD)
    org.delete("Contact", org.bob)
    pages = both_ways(org, "Task", ["Who.Email"])
    assert addresses(pages) == ["ann@mail.example"]


def test_only_so_many_people_are_remembered(org, monkeypatch):
    monkeypatch.setattr(people, "REMEMBERED", 2)
    org.add("Task", [{"Subject": "A", "WhoId": one} for one in (org.ann, org.bob, org.lea)], OLD)
    assert len(keys(both_ways(org, "Task", ["Who.Email"]))) == 3


def test_a_check_says_that_a_person_may_change_without_the_activity(org):
    with stream(org, ["Who.Email", "Subject"], object="Task") as connector:
        assert any("Who.Email" in note for note in connector.check().notes)


@pytest.mark.parametrize("error", ["QUERY_TIMEOUT", "INVALID_QUERY_LOCATOR"])
def test_trouble_with_the_people_of_a_page_loses_no_activity_of_it(org, error):
    tasks = org.add("Task", [{"Subject": "A", "WhoId": one} for one in (org.ann, org.bob, org.lea)], OLD)
    org.fail("query", error, after=1)
    pages = read(org, object="Task", fields=["Who.Email", "Who.Account.Name"], api="rest")
    assert [json.loads(key)[0] for key in keys(pages)] == tasks
