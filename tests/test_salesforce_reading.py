"""Reading Salesforce: first everything, then what changed; nothing lost at the edges."""

import json
from datetime import timedelta

import pytest
from doubles.salesforce import Salesforce
from salesforce_streams import OLD, contacts, filtered, gone, kept, keys, read, records, stream

from connectors.base import SourceMisconfigured, SourceUnreachable
from connectors.cursors import RESET


@pytest.fixture
def org():
    with Salesforce(page_size=200) as org:
        org.ids = contacts(org, 700)
        yield org


def title(org, id, text="CTO"):
    org.change("Contact", id, {"Title": text})


def swept(pages):
    return [page for page in pages if page.swept]


def test_the_first_reading_brings_everything_once(org):
    pages = read(org)
    assert keys(pages) == org.ids
    assert pages[-1].records == ()


def test_the_next_reading_brings_what_changed_and_nothing_else(org):
    first = read(org)
    title(org, org.ids[5])
    (new,) = contacts(org, 1, first=9000, at=org.now())
    second = read(org, first)
    assert set(keys(second)) == {org.ids[5], new}
    assert records(second)[org.ids[5]]["Title"] == "CTO"


def test_a_reading_with_nothing_new_takes_one_query_and_moves_the_cursor(org):
    first = read(org)
    org.advance(timedelta(hours=2))
    before = org.calls["query"]
    second = read(org, first)
    assert keys(second) == []
    assert org.calls["query"] == before + 1
    assert second[-1].cursor["end"] > first[-1].cursor["end"]


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_reading_goes_on_behind_any_page_of_the_first_one(org, cut):
    pages = read(org)[:cut]
    assert keys(pages) + keys(read(org, pages)) == org.ids


def test_many_records_of_one_second_are_read_from_any_page_on(org):
    first = read(org)
    for one in org.ids:
        title(org, one)
    whole = read(org, first)
    assert sorted(keys(whole)) == org.ids
    for cut in range(1, len(whole)):
        assert sorted({*keys(whole[:cut]), *keys(read(org, whole[cut - 1].cursor))}) == org.ids


def test_a_record_that_changes_while_its_window_is_read_is_neither_lost_nor_hides_another(org):
    first = read(org)
    for one in org.ids:
        title(org, one)
    with stream(org) as connector:
        pages = connector.read(kept(first))
        seen = [next(pages)]
        org.advance(timedelta(minutes=1))
        title(org, org.ids[250], "Later")
        seen += [next(pages)]
    rest = read(org, seen)
    assert set(keys(seen)) | set(keys(rest)) == set(org.ids)
    assert records(rest)[org.ids[250]]["Title"] == "Later"


@pytest.mark.parametrize("behind", [timedelta(seconds=1), timedelta(minutes=5), timedelta(minutes=14)])
def test_a_record_that_is_committed_late_is_found_behind_the_cursor(org, behind):
    first = read(org)
    (late,) = org.commit_late("Contact", [{"LastName": "Late", "Email": "late@mail.example"}], behind)
    assert late in keys(read(org, first))


def test_a_record_that_is_committed_late_while_everything_is_read_is_found_by_the_next_reading(org):
    with stream(org) as connector:
        pages = connector.read(None)
        seen = [next(pages)]
        org.change("Contact", org.ids[0], {"Title": "Late"}, at=org.now() - timedelta(minutes=3))
        seen += list(pages)
    assert records(read(org, seen))[org.ids[0]]["Title"] == "Late"


def test_settle_leaves_what_is_newer_for_the_next_reading(org):
    first = read(org, settle="5m")
    title(org, org.ids[1])
    assert keys(read(org, first, settle="5m")) == []
    org.advance(timedelta(minutes=6))
    assert keys(read(org, first, settle="5m")) == [org.ids[1]]


def test_deleted_records_are_named_and_not_handed_on(org):
    first = read(org)
    org.delete("Contact", org.ids[3])
    second = read(org, first)
    assert gone(second) == {org.ids[3]: "deleted"}
    assert keys(second) == []


def test_a_merged_record_is_told_from_a_deleted_one_and_its_winner_is_read(org):
    first = read(org)
    org.merge("Contact", org.ids[1], org.ids[2])
    second = read(org, first)
    assert gone(second) == {org.ids[2]: "merged"}
    assert keys(second) == [org.ids[1]]


def test_a_record_taken_out_of_the_bin_again_is_read_again(org):
    first = read(org)
    org.delete("Contact", org.ids[3])
    second = read(org, first)
    org.undelete("Contact", org.ids[3])
    assert keys(read(org, second)) == [org.ids[3]]


def test_archived_tasks_are_read_too():
    with Salesforce() as org:
        (old,) = org.add("Task", [{"Subject": "Call", "Status": "Completed", "ActivityDate": "2020-01-01"}], OLD)
        org.archive()
        pages = read(org, fields=["Id", "Subject"], object="Task")
        assert keys(pages) == [old]
        with stream(org, ["Id", "Subject"], object="Task") as connector:
            assert [record.key for record in connector.fetch([old])] == [old]


def test_where_is_kept_to_by_every_way_of_reading(org):
    where = "Title = 'CTO' OR Title = 'CEO'"
    title(org, org.ids[7])
    first = read(org, where=where)
    assert keys(first) == [org.ids[7]]
    title(org, org.ids[8], "CEO")
    title(org, org.ids[9], "COO")
    assert set(keys(read(org, first, where=where))) == {org.ids[7], org.ids[8]}
    with stream(org, where=where) as connector:
        assert {record.key for record in connector.fetch(org.ids[7:10])} == set(org.ids[7:9])
        assert connector.count(None) == 2


@pytest.mark.parametrize("where", ["Title = 'x') OR (Id != null", "Title = 'x", "(Title = 'x'"])
def test_a_condition_cannot_leave_its_brackets(org, where):
    with pytest.raises(ValueError, match="brackets and quotes closed"):
        read(org, where=where)


def test_start_leaves_out_what_is_older(org):
    (new,) = contacts(org, 1, first=9000, at=org.now())
    assert keys(read(org, start="2025-01-01T00:00:00Z")) == [new]


def test_until_leaves_out_what_is_newer(org):
    contacts(org, 1, first=9000, at=org.now())
    assert keys(read(org, until=OLD + timedelta(days=1))) == org.ids


def test_another_condition_starts_anew(org):
    first = read(org)
    assert len(keys(read(org, first, where="Email != null"))) == 700


def test_another_org_is_refused_with_the_way_out(org):
    first = kept(read(org))
    first["org"] = "00Dxx0000009999"
    with pytest.raises(SourceMisconfigured, match="--full"):
        read(org, first)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"end": "yesterday"},
        {"end": "2024-01-01T00:00:00Z OR Id != null"},
        {"part": {"low": 1}},
        {"x": 1},
    ],
)
def test_a_cursor_that_is_none_of_ours_is_refused(org, change):
    first = kept(read(org)) | change
    with pytest.raises(SourceMisconfigured) as raised:
        read(org, first)
    assert str(raised.value) == RESET


def test_an_id_in_a_cursor_that_is_none_never_reaches_a_statement(org):
    first = kept(read(org)[0].cursor)
    first["part"]["after"] = "x' OR Id != null"
    with pytest.raises(SourceMisconfigured):
        read(org, first)


def test_a_cursor_is_a_small_json_document(org):
    assert len(json.dumps(kept(read(org)))) < 500


# Queries that take too long


def test_windows_are_halved_until_queries_come_to_an_end():
    with Salesforce(timeout_rows=150) as org:
        first = read(org)
        now = org.now()
        ids = [one for minute in range(60) for one in contacts(org, 10, minute * 10, now + timedelta(minutes=minute))]
        org.advance(timedelta(hours=1))
        second = read(org, first, api="rest")
        assert sorted(set(keys(second))) == ids
        for cut in range(1, len(second)):
            assert set(keys(second[:cut])) | set(keys(read(org, second[cut - 1].cursor, api="rest"))) == set(ids)


def test_a_minute_that_takes_too_long_is_read_by_bulk():
    with Salesforce(timeout_rows=150) as org:
        first = read(org)
        ids = contacts(org, 200, at=org.now())
        org.advance(timedelta(hours=1))
        assert sorted(keys(read(org, first))) == ids
        with pytest.raises(SourceUnreachable, match="took too long"):
            read(org, first, api="rest")


def test_a_month_of_windows_that_all_take_too_long_is_read_by_one_job():
    with Salesforce() as org:
        first = read(org)
        now = org.now()
        ids = [one for day in range(30) for one in contacts(org, 10, day * 10, now + timedelta(days=day))]
        org.advance(timedelta(days=30))
        org.fail("query", "QUERY_TIMEOUT", times=None)
        asked = org.calls["query"]
        second = read(org, first)
        assert sorted(keys(second)) == ids
        assert org.calls["bulk_create"] == 1
        assert org.calls["query"] - asked < 10
        org.mend()
        assert not set(keys(read(org, second))) - set(ids[-10:])


@pytest.mark.parametrize("refused", ["bulk_create", "bulk_status"])
def test_a_month_that_neither_queries_nor_bulk_can_read_ends_with_what_to_do(refused):
    with Salesforce() as org:
        first = read(org)
        ids = contacts(org, 10, at=org.now())
        org.advance(timedelta(days=30))
        org.fail("query", "QUERY_TIMEOUT", times=None)
        org.fail(refused, status=404, body=[{"errorCode": "NOT_FOUND", "message": "no"}], times=None)
        asked, seen = org.calls["query"], []
        with stream(org) as connector, pytest.raises(SourceUnreachable, match="let `where` name indexed fields"):
            seen.extend(connector.read(kept(first)))
        assert org.calls["bulk_create"] == 1
        assert org.calls["query"] - asked < 40
        org.mend()
        assert set(keys(read(org, seen or first))) == set(ids)


def test_a_first_reading_that_takes_too_long_is_done_with_fewer_records_at_once_or_by_bulk():
    with Salesforce(timeout_rows=600) as org:
        ids = contacts(org, 2000)
        assert keys(read(org, api="rest")) == ids
    with Salesforce(timeout_rows=100) as org:
        ids = contacts(org, 2000)
        assert sorted(keys(read(org))) == ids
        assert org.calls["bulk_create"] == 1


def test_a_range_that_takes_too_long_is_read_by_bulk_as_well():
    with Salesforce(timeout_rows=100) as org:
        ids = contacts(org, 700)
        found = read(org, start="2024-01-01T00:00:00Z", until=OLD + timedelta(days=1))
        assert sorted(keys(found)) == ids
        assert org.calls["bulk_create"] == 1


# Everything again


def test_formulas_and_parents_arrive_with_the_refresh():
    with Salesforce() as org:
        (account,) = org.add("Account", [{"Name": "Acme"}], OLD)
        (ann,) = org.add("Contact", [{"LastName": "Roe", "AccountId": account}], OLD)
        first = read(org, fields=["LastName", "Account.Name"], refresh="weekly")
        org.change("Account", account, {"Name": "Acme & Sons"})
        org.advance(timedelta(days=6))
        second = read(org, first, fields=["LastName", "Account.Name"], refresh="weekly")
        assert keys(second) == []
        org.advance(timedelta(days=2))
        third = read(org, second, fields=["LastName", "Account.Name"], refresh="weekly")
        assert records(third)[ann]["Account"]["Name"] == "Acme & Sons"
        assert keys(read(org, third, fields=["LastName", "Account.Name"], refresh="weekly")) == []


def test_a_refresh_names_all_that_is_there_so_that_erased_records_show(org):
    first = read(org, refresh="1d")
    org.delete("Contact", org.ids[4])
    org.purge("Contact", org.ids[4])
    org.advance(timedelta(days=2))
    (new,) = contacts(org, 1, first=9000, at=org.now())
    second = read(org, first, refresh="1d")
    named = {key for page in second for key in page.present}
    assert named == {*org.ids, new} - {org.ids[4]}
    assert swept(second) == second[-2:-1]


def test_a_refresh_that_was_interrupted_goes_on_without_sweeping(org):
    first = read(org, refresh="1d")
    org.advance(timedelta(days=2))
    second = read(org, first, refresh="1d")
    begun = next(at for at, page in enumerate(second) if page.records)
    third = read(org, second[begun].cursor, refresh="1d")
    assert keys(second[: begun + 1]) + keys(third) == org.ids
    assert not swept(third)
    org.advance(timedelta(days=2))
    assert swept(read(org, third, refresh="1d"))


def test_an_empty_answer_sweeps_nothing_away():
    with Salesforce() as org:
        assert not swept(read(org))


def test_a_part_of_the_records_sweeps_nothing_away(org):
    assert not swept(read(org, start="2024-01-01T00:00:00Z"))
    assert not swept(read(org, until=OLD + timedelta(days=1)))


def test_objects_without_a_stamp_are_read_whole_every_time():
    with Salesforce() as org:
        org.define("Code__c", "Text__c string 80", marks="bare")
        (one,) = org.add("Code__c", [{"Text__c": "A"}], OLD)
        first = read(org, fields=["Text__c"], object="Code__c")
        assert keys(first) == [one]
        assert keys(read(org, first, fields=["Text__c"], object="Code__c")) == [one]
        with pytest.raises(SourceMisconfigured, match="needs a cursor field"):
            read(org, fields=["Text__c"], object="Code__c", until=OLD)
        with pytest.raises(SourceMisconfigured, match="needs a cursor field"):
            read(org, fields=["Text__c"], object="Code__c", start="2024-01-01T00:00:00Z")


def test_reading_all_goes_on_where_it_was_interrupted(org):
    pages = read(org, cursorField=None)
    rest = read(org, pages[1].cursor, cursorField=None)
    assert keys(pages[:2]) + keys(rest) == org.ids
    assert keys(read(org, rest, cursorField=None)) == org.ids


@pytest.mark.parametrize(
    ("object", "marks", "cursor"), [("Kept__c", "kept", "SystemModstamp"), ("Dated__c", "dated", "CreatedDate")]
)
def test_the_best_stamp_that_an_object_has_is_the_cursor(object, marks, cursor):
    with Salesforce() as org:
        org.define(object, "Text__c string 80", marks=marks)
        org.add(object, [{"Text__c": "A"}], OLD)
        with stream(org, ["Text__c"], object=object) as connector:
            assert connector.check().cursor_field == cursor
        first = read(org, fields=["Text__c"], object=object)
        (new,) = org.add(object, [{"Text__c": "B"}])
        assert keys(read(org, first, fields=["Text__c"], object=object)) == [new]


def test_login_history_is_read_by_the_time_of_logins():
    with Salesforce() as org:
        (one,) = org.add("LoginHistory", [{"Status": "Success", "LoginTime": org.now() - timedelta(days=1)}])
        first = read(org, fields=["Status"], object="LoginHistory")
        (new,) = org.add("LoginHistory", [{"Status": "Success", "LoginTime": org.now()}])
        assert keys(first) == [one]
        assert keys(read(org, first, fields=["Status"], object="LoginHistory")) == [new]


# By key, and how many


def test_records_are_fetched_as_they_are_now(org):
    title(org, org.ids[1])
    org.delete("Contact", org.ids[2])
    with stream(org) as connector:
        found = {record.key: record.fields["Title"] for record in connector.fetch([*org.ids, "nonsense", "a' OR 'b"])}
    assert set(found) == {*org.ids} - {org.ids[2]}
    assert found[org.ids[1]] == "CTO"


def test_a_fetched_record_is_the_one_that_was_read(org):
    read_ones = {record.key: record for page in read(org) for record in page.records}
    with stream(org) as connector:
        assert {record.key: record for record in connector.fetch(org.ids)} == read_ones


def test_records_are_counted_without_those_in_the_bin(org):
    first = read(org)
    org.delete("Contact", org.ids[2])
    title(org, org.ids[3])
    with stream(org) as connector:
        assert connector.count(None) == 699
        assert connector.count(kept(first)) == 1
        assert connector.count(kept(read(org)[0].cursor)) is None
    org.fail("query", "QUERY_TIMEOUT")
    with stream(org) as connector:
        assert connector.count(None) is None


def test_nothing_is_filtered_without_a_reason(org):
    assert filtered(read(org)) == {}
