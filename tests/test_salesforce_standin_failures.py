"""The stand-in Salesforce: limits, and failures on order."""

import json
import time

import pytest
import requests
from doubles.salesforce import Salesforce, shapes
from doubles.salesforce.answers import ERRORS
from salesforce_calls import Caller

SOQL = "SELECT Id FROM Contact"


def code_of(answer):
    (error,) = answer.json()
    return answer.status_code, error["errorCode"]


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_every_known_error_can_be_ordered_in_the_recorded_form(org, caller, code):
    org.fail("query", code)
    answer = caller.query(SOQL)
    shapes.check(shapes.ERRORS, answer.json())
    assert answer.status_code == ERRORS[code][0]
    assert caller.query(SOQL).status_code == 200


def test_concurrency_and_the_daily_limit_differ_only_in_their_text(org, caller):
    texts = []
    for code in ("CONCURRENT_REQUEST_LIMIT", "REQUEST_LIMIT_EXCEEDED"):
        org.fail("query", code)
        answer = caller.query(SOQL)
        assert code_of(answer) == (403, "REQUEST_LIMIT_EXCEEDED")
        texts.append(answer.json()[0]["message"])
    assert texts == ["ConcurrentRequests (Concurrent API Requests) Limit exceeded.", "TotalRequests Limit exceeded."]


def test_a_failure_is_ordered_by_path_and_spares_other_paths(org, caller):
    fault = org.fail("GET /services/data/v*/query", status=503, body=None, headers={"Retry-After": "3"})
    job = caller.job(SOQL)
    assert job.status_code == 200
    assert caller.call("GET", "/jobs/query").status_code == 200
    answer = caller.query(SOQL)
    assert (answer.status_code, answer.content, answer.headers["Retry-After"]) == (503, b"", "3")
    assert fault.used == 1


def test_a_failure_can_begin_later_last_longer_and_be_mended(org, caller):
    org.fail("query", status=500, body={"any": "thing"}, times=None, after=1)
    assert [caller.query(SOQL).status_code for _ in range(3)] == [200, 500, 500]
    org.mend()
    assert caller.query(SOQL).status_code == 200


def test_an_edge_proxy_answers_with_a_page(org, caller):
    org.fail("query", status=502, body="<html><body>Bad gateway</body></html>")
    answer = caller.query(SOQL)
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html;charset=UTF-8")


def test_a_connection_can_be_dropped_before_the_answer(org, caller):
    org.fail("query", drop=True)
    with pytest.raises(requests.ConnectionError):
        caller.query(SOQL)
    assert caller.query(SOQL).status_code == 200


def test_an_answer_can_be_cut_short(org, caller):
    org.add("Contact", [{"LastName": "x" * 80}] * 50)
    org.fail("query", cut=30)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        caller.query(SOQL)
    assert caller.query(SOQL).json()["totalSize"] == 50


def test_the_results_of_a_job_can_be_cut_short(org, caller):
    org.add("Contact", [{"LastName": "x" * 80}] * 50)
    path, _ = caller.finished("SELECT LastName FROM Contact")
    org.fail("bulk_results", cut=500)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        caller.call("GET", f"{path}/results")
    assert caller.call("GET", f"{path}/results").headers["Sforce-NumberOfRecords"] == "50"


def test_a_call_that_is_never_answered_does_not_hold_up_the_end(caller):
    with Salesforce() as org, Caller(org) as other:
        org.fail("query", hang=True)
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{org.url}/services/data/v62.0/query", headers=dict(other.headers), timeout=0.2)
        started = time.monotonic()
    assert time.monotonic() - started < 5


def test_logins_can_fail_too(org):
    org.fail("token", status=400, body={"error": "invalid_grant", "error_description": "expired access/refresh token"})
    answer = requests.post(f"{org.url}/services/oauth2/token", data={}, timeout=10)
    shapes.check(shapes.OAUTH_ERROR, answer.json())


def test_the_daily_limit_is_told_with_every_answer_and_holds():
    with Salesforce(daily_calls=100, used=97, per_app=(17, 250, "memsync")) as org, Caller(org) as caller:
        answer = caller.call("GET", "/limits")
        told = "api-usage=98/100; per-app-api-usage=17/250(appName=memsync)"
        assert answer.headers["Sforce-Limit-Info"] == told
        shapes.check(shapes.LIMIT, answer.json()["DailyApiRequests"])
        assert answer.json()["DailyApiRequests"] == {"Max": 100, "Remaining": 2}
        answers = [caller.query(SOQL) for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 403]
        assert code_of(answers[-1]) == (403, "REQUEST_LIMIT_EXCEEDED")


def test_a_query_that_finds_too_much_runs_too_long_and_a_smaller_one_does_not():
    with Salesforce(timeout_rows=5) as org, Caller(org) as caller:
        ids = org.add("Contact", [{"LastName": "x"}] * 8)
        assert code_of(caller.query(SOQL)) == (400, "QUERY_TIMEOUT")
        assert len(caller.query(f"{SOQL} WHERE Id <= '{ids[3]}'").json()["records"]) == 4
        assert caller.finished(SOQL)[1]["state"] == "JobComplete"


def test_without_the_permission_to_view_all_data_activities_are_too_large():
    with Salesforce(view_all_data=False, distinct_people=3) as org, Caller(org) as caller:
        people = org.add("Contact", [{"LastName": "x"}] * 4)
        org.add("Task", [{"Subject": "s", "WhoId": person} for person in people])
        answer = caller.query("SELECT Id FROM Task")
        assert code_of(answer) == (400, "OPERATION_TOO_LARGE")
        assert caller.query("SELECT Id FROM Task LIMIT 2").status_code == 200
        assert caller.query(SOQL).status_code == 200


def test_an_address_longer_than_the_edge_takes_gets_414(caller):
    ids = ", ".join(f"'003xx{number:010d}'" for number in range(900))
    answer = caller.query(f"SELECT Id FROM Contact WHERE Id IN ({ids})")
    assert (answer.status_code, answer.headers["Content-Type"]) == (414, "text/html")


def test_calls_requests_and_statements_are_recorded_by_kind(org, caller):
    caller.query(SOQL)
    caller.call("GET", "/sobjects/Contact/describe")
    caller.call("GET", "/nonsense")
    caller.job("SELECT Id FROM Lead")
    assert org.calls == {"query": 1, "describe": 1, "unknown": 1, "bulk_create": 1}
    assert org.soql == [SOQL, "SELECT Id FROM Lead"]
    assert [request.kind for request in org.requests] == ["query", "describe", "unknown", "bulk_create"]
    assert json.loads(org.requests[-1].body)["operation"] == "query"


def test_a_call_without_a_session_is_refused(org):
    answer = requests.get(f"{org.url}/services/data/v62.0/limits", timeout=10)
    assert code_of(answer) == (401, "INVALID_SESSION_ID")


def test_a_body_that_is_not_json_is_refused(caller):
    json_said = {"Content-Type": "application/json"}
    assert code_of(caller.call("POST", "/jobs/query", data="{", headers=json_said)) == (400, "JSON_PARSER_ERROR")
    assert code_of(caller.call("POST", "/jobs/query", data="{}")) == (415, "UNSUPPORTED_MEDIA_TYPE")
