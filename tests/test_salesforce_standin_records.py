"""The stand-in Salesforce: pages, and what happens to records."""

import re
from datetime import UTC, datetime, timedelta

from doubles.salesforce import Salesforce, shapes
from doubles.salesforce.ids import long_form, with_guard
from doubles.salesforce.sample import Amounts, Sample
from salesforce_calls import DATA

# Pages


def contacts(count, **more):
    return [{"LastName": f"Name {number}", "Email": f"p{number}@x.example", **more} for number in range(count)]


def test_pages_hold_2000_records_and_lead_to_the_next(org, caller):
    ids = org.add("Contact", contacts(4500))
    page = caller.query("SELECT Id, Email FROM Contact ORDER BY Id").json()
    shapes.check(shapes.UNFINISHED_PAGE, page)
    shapes.check(shapes.ATTRIBUTES, page["records"][0]["attributes"])
    assert (page["totalSize"], len(page["records"])) == (4500, 2000)
    assert [record["Id"] for record in caller.records("SELECT Id FROM Contact ORDER BY Id")] == ids
    last = caller.call("GET", re.sub(r"2000$", "4000", page["nextRecordsUrl"])).json()
    shapes.check(shapes.PAGE, last)
    assert last["done"] is True


def test_a_page_can_be_asked_for_again(org, caller):
    org.add("Contact", contacts(2001))
    following = caller.query("SELECT Id FROM Contact").json()["nextRecordsUrl"]
    first, again = (caller.call("GET", following).json() for _ in range(2))
    assert first == again


def test_batch_size_is_kept_between_200_and_2000(org, caller):
    org.add("Contact", contacts(2500))
    for wanted, held in ((1, 200), (500, 500), (9000, 2000)):
        page = caller.query("SELECT Id FROM Contact", headers={"Sforce-Query-Options": f"batchSize={wanted}"}).json()
        assert len(page["records"]) == held


def test_two_custom_long_texts_make_pages_small(org, caller):
    org.define("Contact", "Notes__c textarea 32000", "History__c textarea 32000")
    org.add("Contact", contacts(300, Notes__c="n", History__c="h"))
    assert len(caller.query("SELECT Id, Notes__c, Description FROM Contact").json()["records"]) == 300
    assert len(caller.query("SELECT Id, Notes__c, History__c FROM Contact").json()["records"]) == 200


def test_a_forgotten_or_wrong_locator_is_refused(org, caller):
    org.add("Contact", contacts(2001))
    following = caller.query("SELECT Id FROM Contact").json()["nextRecordsUrl"]
    org.advance(timedelta(days=2, minutes=1))
    caller.headers["Authorization"] = f"Bearer {org.access_token}"
    for path in (following, "/query/0r8xx3Kd9999999AAA-2000", "/query/nonsense"):
        assert caller.call("GET", path).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_a_record_changed_between_pages_shows_its_new_values(org, caller):
    ids = org.add("Contact", contacts(2001))
    following = caller.query("SELECT Id, Title FROM Contact ORDER BY Id").json()["nextRecordsUrl"]
    org.change("Contact", ids[-1], {"Title": "Director"})
    assert caller.call("GET", following).json()["records"][0]["Title"] == "Director"


# Records


def test_ids_guard_their_case_and_sort_as_they_were_made(org):
    assert with_guard("003xx000004TmiQ") == "003xx000004TmiQAAS"
    assert with_guard("001D000000IqhSL") == "001D000000IqhSLIAZ"
    assert with_guard("Z" * 15) == "Z" * 15 + "555"
    ids = org.add("Contact", contacts(200))
    assert ids == sorted(ids)
    assert all(long_form(each[:15]) == each for each in ids)


def test_an_id_is_never_given_again(org):
    *_, last = org.add("Contact", contacts(3))
    org.delete("Contact", last)
    org.purge("Contact", last)
    assert org.add("Contact", contacts(1)) != [last]


def test_a_database_file_keeps_the_records(tmp_path):
    file = str(tmp_path / "org.db")
    with Salesforce(database=file) as org:
        (first,) = org.add("Contact", contacts(1))
    with Salesforce(database=file) as org:
        org.define("Contact", "New__c string")
        (second,) = org.add("Contact", contacts(1, New__c="x"))
        assert org.rows("Contact", "Id", "New__c") == [(first, None), (second, "x")]


def test_stamps_are_whole_seconds_and_a_load_ties(org, caller):
    org.add("Contact", contacts(3), at=datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC))
    stamps = {record["SystemModstamp"] for record in caller.records("SELECT SystemModstamp FROM Contact")}
    assert stamps == {"2026-01-02T03:04:05.000+0000"}


def test_a_late_commit_appears_behind_the_newest_stamp(org, caller):
    org.add("Contact", contacts(1))
    before = org.now() - timedelta(seconds=30)
    (late,) = org.commit_late("Contact", [{"LastName": "Late"}], behind=timedelta(minutes=3))
    since = before.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert late not in {r["Id"] for r in caller.records(f"SELECT Id FROM Contact WHERE SystemModstamp >= {since}")}
    assert late in {r["Id"] for r in caller.records("SELECT Id FROM Contact")}


def test_a_deleted_record_is_seen_by_query_all_only_until_it_is_purged(org, caller):
    kept, lost = org.add("Contact", contacts(2), at=datetime(2026, 1, 1, tzinfo=UTC))
    org.delete("Contact", lost)
    assert caller.records("SELECT Id FROM Contact") == [{"Id": kept}]
    deleted = caller.records("SELECT Id, SystemModstamp FROM Contact WHERE IsDeleted = true", "queryAll")
    assert deleted[0]["Id"] == lost
    assert deleted[0]["SystemModstamp"] > "2026-01-02"
    org.purge("Contact", lost)
    assert caller.records("SELECT Id FROM Contact", "queryAll") == [{"Id": kept}]


def test_an_object_without_a_recycle_bin_loses_records_at_once(org, caller):
    (case,) = org.add("Case", [{"Subject": "s"}])
    (comment,) = org.add("CaseComment", [{"ParentId": case, "CommentBody": "c"}])
    org.delete("CaseComment", comment)
    assert caller.records("SELECT Id FROM CaseComment", "queryAll") == []


def test_a_merge_marks_the_loser_and_moves_what_pointed_at_it(org, caller):
    old = datetime(2026, 1, 1, tzinfo=UTC)
    winner, loser = org.add("Contact", contacts(2), at=old)
    (task,) = org.add("Task", [{"Subject": "Call", "WhoId": loser}], at=old)
    org.merge("Contact", winner, loser)
    (found,) = caller.records("SELECT Id, MasterRecordId FROM Contact WHERE IsDeleted = true", "queryAll")
    assert found == {"Id": loser, "MasterRecordId": winner}
    (moved,) = caller.records(f"SELECT WhoId, SystemModstamp FROM Task WHERE Id = '{task}'")
    assert moved["WhoId"] == winner
    assert moved["SystemModstamp"] > "2026-01-02"


def test_archived_activities_are_seen_by_query_all_only(org, caller):
    org.add("Task", [{"Subject": "Old", "Status": "Completed", "ActivityDate": "2020-01-01"}, {"Subject": "New"}])
    org.archive()
    assert [r["Subject"] for r in caller.records("SELECT Subject FROM Task")] == ["New"]
    assert len(caller.records("SELECT Id FROM Task", "queryAll")) == 2


def test_a_parents_change_does_not_move_the_childs_stamp(org, caller):
    org.define("Contact", "Account_Industry__c string formula:Account.Industry")
    old = datetime(2026, 1, 1, tzinfo=UTC)
    (account,) = org.add("Account", [{"Name": "A", "Industry": "Energy"}], at=old)
    org.add("Contact", contacts(1, AccountId=account), at=old)
    org.change("Account", account, {"Industry": "Banking"})
    (found,) = caller.records("SELECT Account_Industry__c, SystemModstamp FROM Contact")
    assert found == {"Account_Industry__c": "Banking", "SystemModstamp": "2026-01-01T00:00:00.000+0000"}


def test_records_are_made_read_changed_and_deleted_by_rest(org, caller):
    made = caller.call("POST", "/sobjects/Contact", json={"LastName": "Lovelace", "FirstName": "Ada"})
    assert made.status_code == 201
    path = f"/sobjects/Contact/{made.json()['id']}"
    assert caller.call("PATCH", path, json={"LastName": "Byron"}).status_code == 204
    assert caller.call("GET", path, params={"fields": "Name"}).json()["Name"] == "Ada Byron"
    assert caller.call("PATCH", path, json={"Nothing": 1}).json()[0]["errorCode"] == "INVALID_FIELD"
    assert caller.call("DELETE", path).status_code == 204
    assert caller.call("GET", path).status_code == 404


def test_updated_and_deleted_records_are_listed_by_period(org, caller):
    kept, lost = org.add("Contact", contacts(2))
    org.delete("Contact", lost)
    form = "%Y-%m-%dT%H:%M:%SZ"
    start, end = ((org.now() + timedelta(hours=hours)).strftime(form) for hours in (-1, 1))
    period = {"start": start, "end": end}
    updated = caller.call("GET", "/sobjects/Contact/updated/", params=period).json()
    deleted = caller.call("GET", "/sobjects/Contact/deleted/", params=period).json()
    shapes.check(shapes.UPDATED, updated)
    shapes.check(shapes.DELETED, deleted)
    assert (updated["ids"], [each["id"] for each in deleted["deletedRecords"]]) == ([kept], [lost])
    broken = caller.call("GET", "/sobjects/Contact/deleted/", params={"start": period["end"], "end": period["start"]})
    assert broken.json()[0]["errorCode"] == "INVALID_REPLICATION_DATE"


def test_a_file_field_is_an_address_from_which_its_bytes_come(org, caller):
    (version,) = org.add("ContentVersion", [{"Title": "note", "VersionData": "PGI+aGk8L2I+"}])
    (found,) = caller.records("SELECT VersionData FROM ContentVersion")
    assert found["VersionData"] == f"{DATA}/sobjects/ContentVersion/{version}/VersionData"
    assert caller.call("GET", found["VersionData"]).content == b"<b>hi</b>"


def test_sample_data_hangs_together(org, caller):
    Sample(org).fill(Amounts.around(200, {"emails": 5}))
    people = caller.records("SELECT Email, Account.Name FROM Contact WHERE AccountId != null AND Email != null")
    assert len(people) > 150
    assert all(person["Account"]["Name"] and "@" in person["Email"] for person in people)
    whos = "TYPEOF Who WHEN Contact THEN Email WHEN Lead THEN Email END"
    tasks = caller.records(f"SELECT {whos}, What.Name, Owner.Email FROM Task WHERE WhoId != null AND WhatId != null")
    assert {task["Who"]["attributes"]["type"] for task in tasks} == {"Contact", "Lead"}
    assert all(task["What"]["Name"] for task in tasks)
    assert len(caller.records("SELECT RelationAddress FROM EmailMessageRelation")) == 5
    assert all(each["Parent"] for each in caller.records("SELECT Parent.Subject, CommentBody FROM CaseComment"))
    ties = caller.records("SELECT COUNT(Id) n, COUNT_DISTINCT(SystemModstamp) stamps FROM Contact")
    assert ties == [{"n": 200, "stamps": 5}]
