"""Answers of Salesforce that are short, circular, damaged or strange: never complete, never shown."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from doubles.salesforce import Salesforce
from salesforce_streams import contacts, keys, read, stream, variables

from connectors.base import SourceUnreachable
from connectors.salesforce import bulk, results
from connectors.salesforce.faults import Refusal, refusal_of, short
from connectors.salesforce.login import login_of
from connectors.salesforce.transport import Transport

ID = "003xx0000000001AAA"
NEXT = "/services/data/v62.0/query/0r8xx0000000000001-200"


@pytest.fixture
def org():
    with Salesforce(page_size=200) as org:
        org.ids = contacts(org, 500)
        yield org


def told(org, **more):
    """The pages before SourceUnreachable, and what it says."""
    pages = []
    with stream(org, **more) as connector, pytest.raises(SourceUnreachable) as raised:
        pages.extend(connector.read(None))
    return pages, str(raised.value)


def page(rows=(), total=0, **more):
    return {"totalSize": total, "done": True, "records": list(rows), **more}


def test_a_short_result_is_asked_for_again(org):
    org.fail("query", status=200, body=page([{"Id": org.ids[0]}], 500))
    assert set(keys(read(org))) == set(org.ids)


def test_a_result_that_stays_short_is_never_taken_for_complete(org):
    org.fail("query", status=200, body=page([{"Id": org.ids[0]}], 500), times=None)
    pages, said = told(org)
    assert "announced 500 records and gave 1" in said
    assert not any(page.swept for page in pages)
    org.mend()
    assert set(keys(read(org, pages))) == set(org.ids)


def test_a_field_that_is_left_out_of_records_is_said_to_be_taken_as_empty(org):
    found = read(org)
    assert not [note for page in found for note in page.notes]
    org.fail("query", status=200, body=page([{"Id": org.ids[0]}], 1))
    (note,) = {note for page in read(org) for note in page.notes}
    assert "the server leaves" in note
    assert "Email" in note


@pytest.mark.parametrize("done", [{}, {"done": True}])
def test_the_address_of_a_next_page_counts_whatever_done_says(org, done):
    first = {"totalSize": 2, "records": [{"Id": org.ids[0]}], "nextRecordsUrl": NEXT, **done}
    org.fail("query", status=200, body=first)
    org.fail("query_more", status=200, body=page([{"Id": org.ids[1]}], 2))
    assert keys(read(org)) == org.ids[:2]


@pytest.mark.parametrize(("rows", "said"), [([], "in a circle"), ([{"Id": ID}], "the same records twice")])
def test_pages_that_lead_in_a_circle_end_the_reading(org, rows, said):
    for kind in ("query", "query_more"):
        org.fail(kind, status=200, body=page(rows, 500, done=False, nextRecordsUrl=NEXT), times=None)
    assert said in told(org)[1]


def test_a_page_that_comes_twice_is_not_taken_for_another(org):
    twice = [{"Id": one} for one in org.ids[:200]]
    once = org.fail("query_more", status=200, body=page(twice, 500, done=False, nextRecordsUrl=NEXT))
    assert sorted(set(keys(read(org)))) == org.ids
    assert once.used
    org.fail("query_more", status=200, body=page(twice, 500, done=False, nextRecordsUrl=NEXT), times=None)
    pages, _ = told(org)
    org.mend()
    assert {*keys(pages), *keys(read(org, pages))} == set(org.ids)


def test_more_records_than_were_announced_are_not_read_for_ever(org):
    strangers = [{"Id": f"003zz00000{number:05d}"} for number in range(200)]
    org.fail("query_more", status=200, body=page(strangers, 500, done=False, nextRecordsUrl=NEXT))
    others = [{"Id": f"003yy00000{number:05d}"} for number in range(200)]
    org.fail("query_more", status=200, body=page(others, 500, done=False, nextRecordsUrl=f"{NEXT}0"))
    assert "announced 500 records and gave 600" in told(org)[1]


def test_of_a_long_result_repeated_pages_are_known_without_keeping_all_ids(monkeypatch):
    monkeypatch.setattr(results, "_KEPT", 10)
    seen = results.Seen()
    ids = [f"003xx0000{number:06d}" for number in range(100)]
    assert not any(seen.repeats(ids[start : start + 20]) for start in range(0, 100, 20))
    assert results.Seen().repeats(["a", "a"])
    assert all(seen.repeats(ids[start : start + 20]) for start in range(0, 100, 20))


@pytest.mark.parametrize(
    "body",
    [
        page(done=False), page(total="abc"), page(total=True), page([None]), page([7]), page([{}]), page([{"Id": ""}]),
        page(nextRecordsUrl=7), page(nextRecordsUrl="http://["), [], None, "[" * 100_000,
    ],
)  # fmt: skip
def test_a_strange_page_is_the_servers_fault_and_makes_no_record(org, body):
    org.fail("query", status=200, body="null" if body is None else body, times=None)
    pages, said = told(org)
    assert not keys(pages)
    assert said.startswith("Contact: ")


@pytest.mark.parametrize(
    "body", ["null", [], {"fields": [None]}, {"fields": 7}, {"fields": [{"name": "Id", "length": "x"}]}]
)
def test_a_strange_description_is_the_servers_fault(org, body):
    org.fail("GET /services/data/*/sobjects/*/describe", status=200, body=body, times=None)
    assert "object Contact: " in told(org)[1]


@pytest.mark.parametrize("body", ["<html></html>", [], "null", {"access_token": 7, "instance_url": 8}])
def test_a_strange_answer_to_a_login_is_the_servers_fault(org, body):
    org.fail("POST /services/oauth2/token", status=200, body=body, times=None)
    assert "login" in told(org)[1]


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410])
def test_a_job_whose_results_are_refused_is_not_asked_again(org, status, monkeypatch):
    monkeypatch.setattr(bulk, "PAGE_RECORDS", 100)
    org.fail("bulk_results", status=status, body=[{"errorCode": "API_ERROR", "message": "no"}], after=1, times=None)
    pages, said = told(org, api="bulk")
    assert "starts another one" in said
    org.mend()
    assert set(keys(read(org, pages, api="bulk"))) == set(org.ids)
    assert org.calls["bulk_create"] == 2


@pytest.mark.parametrize("body", ["<html></html>", '"Id"\n"003', "\n".join(["Id,Email,LastName", ",,"])])
def test_a_job_whose_results_are_damaged_is_not_asked_again(org, body):
    org.fail("bulk_results", status=200, body=body, times=None)
    pages, _ = told(org, api="bulk")
    org.mend()
    assert not keys(pages)
    assert set(keys(read(org, pages, api="bulk"))) == set(org.ids)
    assert org.calls["bulk_create"] == 2


def test_a_locator_of_bulk_results_that_repeats_ends_the_reading(org, monkeypatch):
    monkeypatch.setattr("connectors.salesforce.parts.EMPTY_IN_A_ROW", 99)
    org.fail("bulk_results", status=200, body="", headers={"Sforce-Locator": "abc"}, times=None)
    assert "in a circle" in told(org, api="bulk")[1]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("row of Jane Roe, +1 555 0100 failed", "row of ... failed"),
        ("row of jane roe, jane@mail.example, who likes chocolate, failed", "row of ... who ... failed"),
        ("value \"open\" of 'jane'", "value '...' of '...'"),
        ("no such column 'Jane'", "no such column '...'"),
        ("exceeded 100000 distinct who/what's", "exceeded ... distinct who/what's"),
        ("entity type Jane is not supported by the Bulk API", "entity type ... is not supported by the Bulk API"),
        ("user hasn't approved this consumer", "user hasn't approved this consumer"),
        ("Jane", ""),
    ],
)
def test_of_what_a_server_says_only_common_words_are_shown(said, shown):
    assert short(Refusal(400, "UNKNOWN_EXCEPTION", said)) == f"UNKNOWN_EXCEPTION: {shown}".strip(" :")


@pytest.mark.parametrize("code", ["Jane", "JaneRoe", "jane_roe", "jane@mail.example", "Jane Roe", 7, ["x"]])
def test_what_is_no_code_is_not_shown_as_one(code):
    assert refusal_of(400, [{"errorCode": code, "message": "x failed"}]).code == ""


@pytest.mark.parametrize(
    "code",
    ["INVALID_FIELD", "INVALIDENTITY", "sf:INVALID_LOGIN", "InvalidSessionId", "FeatureNotEnabled", "invalid_grant"],
)
def test_codes_of_every_api_are_shown(code):
    assert refusal_of(400, {"error": code}).code == code


def test_quoted_names_are_shown_only_where_a_message_names_a_field_or_an_object():
    assert (
        short(Refusal(400, "INVALID_FIELD", "column 'Foo__c' of 'jane'")) == "INVALID_FIELD: column 'Foo__c' of '...'"
    )


def test_the_reason_of_a_failed_job_is_a_code_and_never_a_piece_of_data(org):
    org.rules.failing["Contact"] = "JANE_ROE of ACME_GMBH: QUERY_TIMEOUT"
    said = told(org, api="bulk")[1]
    assert "QUERY_TIMEOUT" in said
    assert "JANE" not in said
    assert "ACME" not in said


def test_what_describe_gives_no_name_is_left_out(org):
    nameless = [{"name": None, "type": "string"}, {"type": "string"}, {"name": "", "type": "string"}, {"name": 7}]
    odd = {"name": "Odd__c", "relationshipName": 7, "referenceTo": [None], "compoundFieldName": 7}
    known = [{"name": one, "type": "string"} for one in ("Id", "Email", "LastName", "Title", "Description")]
    body = {"name": "Contact", "fields": [*nameless, odd, *known]}
    org.fail("GET /services/data/*/sobjects/*/describe", status=200, body=body, times=None)
    assert set(keys(read(org))) == set(org.ids)
    with stream(org) as connector:
        assert next(field.name for field in connector.fields("Contact")) == "Odd__c"
        org.fail("GET /services/data/*/sobjects", status=200, body={"sobjects": [{"name": None, "queryable": True}]})
        assert connector.objects() == []


def test_credentials_that_the_server_quotes_are_not_shown(org):
    transport = Transport(login_of(variables(org)))
    try:
        transport.open()
        token = transport._client.session_id
        quoted = transport.masked(Refusal(403, "X", f"no {token} nor {org.client_secret}"))
    finally:
        transport.close()
    assert quoted.said == "no *** nor ***"


def test_a_server_clock_far_ahead_does_not_end_a_window_in_the_future(org):
    org.advance(timedelta(days=400))
    here = datetime.now(UTC)
    pages = read(org, clock=lambda: here)
    assert datetime.fromisoformat(pages[-1].cursor["end"]) <= here + timedelta(minutes=5)


@pytest.fixture
def large(org, monkeypatch):
    """Records of which no answer may hold many."""
    monkeypatch.setattr("connectors.salesforce.http._LARGEST", 1 << 20)
    org.queries.limits = dataclasses.replace(org.queries.limits, page_size=2000)
    for one in org.ids:
        org.change("Contact", one, {"Description": "Plain words. " * 300})
    return org


def test_an_answer_that_is_too_large_is_asked_for_in_smaller_pages(large):
    assert keys(read(large, api="rest")) == large.ids
    asked = [one for one in large.requests if one.kind in ("query", "query_more") and "Contact" in str(one.query)]
    assert len(asked) == 2, "what was too large is not downloaded again"
    assert asked[1].headers["sforce-query-options"] == "batchSize=200"


def test_where_the_smallest_pages_are_too_large_fewer_records_are_read_at_once_or_all_by_bulk(large, monkeypatch):
    monkeypatch.setattr("connectors.salesforce.http._LARGEST", 1 << 19)
    assert keys(read(large, api="rest")) == large.ids
    assert sorted(keys(read(large))) == large.ids
    assert large.calls["bulk_create"] == 1
    with stream(large) as connector:
        assert len(list(connector.fetch(large.ids))) == len(large.ids)


def test_an_answer_that_stays_too_large_is_told_and_not_downloaded_again_and_again(org, monkeypatch):
    monkeypatch.setattr("connectors.salesforce.http._LARGEST", 1 << 20)
    org.fail("query", status=200, body=b" " * (2 << 20), times=None)
    assert "larger than 1 MB, even for few records" in told(org, api="rest")[1]
    assert org.calls["query"] < 8


@pytest.mark.parametrize("place", ["-400", ""])
@pytest.mark.parametrize("pages", [1, 2, 3])
def test_a_kill_before_a_result_is_known_to_be_short_loses_none_of_what_is_missing(org, place, pages):
    with stream(org) as connector:
        reading = connector.read(None)
        seen = [next(reading)]
        name = next(iter(org.queries.locators))
        second = [{"Id": one} for one in org.ids[200:390]]
        last = [{"Id": one} for one in org.ids[400:]]
        onward = f"/services/data/v62.0/query/{name}{place}"
        org.fail("query_more", status=200, body=page(second, 500, done=False, nextRecordsUrl=onward))
        org.fail("query_more", status=200, body=page(last, 500))
        seen += [next(reading) for _ in range(pages - 1)]
    org.mend()
    assert {*keys(seen), *keys(read(org, seen))} == set(org.ids)


def test_a_result_whose_places_say_nothing_is_whole_all_the_same(org):
    first = {"totalSize": 500, "done": False, "nextRecordsUrl": NEXT}
    rows = [{"Id": one} for one in org.ids]
    org.fail("query", status=200, body=first | {"records": rows[:250]})
    org.fail("query_more", status=200, body=page(rows[250:], 500))
    pages = read(org)
    assert keys(pages) == org.ids
    assert pages[0].cursor["part"]["after"] is None
    assert pages[1].cursor["part"]["after"] == org.ids[-1]
