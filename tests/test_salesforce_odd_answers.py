"""Answers of Salesforce that are short, circular, damaged or strange: never complete, never shown."""

from datetime import UTC, datetime, timedelta

import pytest
from doubles.salesforce import Salesforce
from salesforce_streams import contacts, keys, read, stream, variables

from connectors.base import SourceUnreachable
from connectors.salesforce import bulk
from connectors.salesforce.faults import Refusal, short
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


@pytest.mark.parametrize("done", [{}, {"done": True}])
def test_the_address_of_a_next_page_counts_whatever_done_says(org, done):
    first = {"totalSize": 2, "records": [{"Id": org.ids[0]}], "nextRecordsUrl": NEXT, **done}
    org.fail("query", status=200, body=first)
    org.fail("query_more", status=200, body=page([{"Id": org.ids[1]}], 2))
    assert keys(read(org)) == org.ids[:2]


@pytest.mark.parametrize("rows", [[], [{"Id": ID}]])
def test_pages_that_lead_in_a_circle_end_the_reading(org, rows):
    for kind in ("query", "query_more"):
        org.fail(kind, status=200, body=page(rows, 500, done=False, nextRecordsUrl=NEXT), times=None)
    assert "in a circle" in told(org)[1]


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


def test_what_the_server_says_of_people_and_of_credentials_is_not_shown(org):
    said = short(Refusal(400, "UNKNOWN_EXCEPTION", "row of Jane Roe, +1 555 0100 failed"))
    assert said == "UNKNOWN_EXCEPTION: row of ... failed"
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


def test_an_answer_that_is_far_too_large_is_let_go(org, monkeypatch):
    monkeypatch.setattr("connectors.salesforce.transport._LARGEST", 1 << 20)
    org.fail("query", status=200, body=b" " * (2 << 20), times=None)
    assert "larger than 1 MB" in told(org)[1]
