"""The stand-in for HubSpot: how it limits calls, and how it fails when told to."""

import httpx
import pytest
from doubles.hubspot import Limits, missing_scope, shapes, too_many
from hubspot_calls import Clock, account, search

SEARCH = "/crm/v3/objects/contacts/search"


def test_searches_are_limited_per_second_without_headers_or_a_time_to_wait():
    clock = Clock()
    with account(limits=Limits(), clock=clock) as (_, client):
        answers = [client.post(SEARCH, json={}) for _ in range(6)]
        assert [one.status_code for one in answers] == [200] * 5 + [429]
        assert shapes.faults(shapes.LIMIT, answers[5].json()) == []
        assert answers[5].json()["policyName"] == "SECONDLY"
        assert not [name for one in answers for name in one.headers if "ratelimit" in name or name == "retry-after"]
        assert client.get("/crm/v3/owners").status_code == 200
        clock.now += 1
        assert client.post(SEARCH, json={}).status_code == 200


def test_other_calls_are_limited_per_ten_seconds_and_say_what_is_left():
    clock = Clock()
    with account(limits=Limits(per_ten_seconds=3), clock=clock) as (_, client):
        answers = [client.get("/crm/v3/owners") for _ in range(4)]
        assert [one.headers["X-HubSpot-RateLimit-Remaining"] for one in answers] == ["2", "1", "0", "0"]
        assert answers[0].headers["X-HubSpot-RateLimit-Max"] == "3"
        assert answers[0].headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
        assert (answers[3].status_code, answers[3].json()["policyName"]) == (429, "TEN_SECONDLY_ROLLING")
        clock.now += 10
        assert client.get("/crm/v3/owners").status_code == 200


def test_the_day_ends_at_midnight_of_the_accounts_time_zone():
    clock = Clock()  # 07:08 UTC, so 00:08 of the same day in Los Angeles
    with account(limits=Limits(per_day=2), clock=clock, time_zone="America/Los_Angeles") as (_, client):
        first = client.get("/account-info/v3/api-usage/daily/private-apps")
        assert first.headers["X-HubSpot-RateLimit-Daily-Remaining"] == "1"
        (usage,) = first.json()["results"]
        assert (usage["usageLimit"], usage["currentUsage"], usage["resetsAt"]) == (2, 1, "2024-05-07T07:00:00Z")
        search(client)
        assert client.get("/crm/v3/owners").json()["policyName"] == "DAILY"
        assert client.post(SEARCH, json={}).json()["policyName"] == "DAILY"
        clock.now += 24 * 3600
        assert client.get("/crm/v3/owners").status_code == 200
        assert client.get("/account-info/v3/details").json()["utcOffset"] == "-07:00"


@pytest.mark.parametrize(("status", "is_html"), [(423, False), (429, False), (477, False), (502, True), (503, True)])
def test_the_next_matching_calls_fail_as_told(status, is_html):
    with account() as (crm, client):
        crm.fail(f"POST {SEARCH}", status, headers={"Retry-After": "3"}, times=2, skip=1)
        answers = [client.post(SEARCH, json={}) for _ in range(4)]
        assert [one.status_code for one in answers] == [200, status, status, 200]
        assert answers[1].headers["Retry-After"] == "3"
        assert answers[1].text.startswith("<!DOCTYPE" if is_html else "{")
        assert crm.calls["search"] == 4


def test_a_ready_refusal_befalls_a_kind_of_call():
    with account() as (crm, client):
        crm.refuse("search", too_many("DAILY", in_error_type=True))
        crm.refuse("list", missing_scope("private", []))
        answer = client.post(SEARCH, json={})
        assert (answer.status_code, answer.json()["errorType"], "policyName" in answer.json()) == (429, "DAILY", False)
        assert client.get("/crm/v3/objects/notes").status_code == 403
        assert client.get("/crm/v3/objects/notes").status_code == 200


def test_connections_end_or_stay_silent_as_told():
    with account() as (crm, client):
        crm.fail("GET /crm/*", drop=True)
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/crm/v3/owners")
        crm.fail("owners", cut=True)
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/crm/v3/owners")
        crm.fail("*", silent=True, times=-1)
        for _ in range(2):
            with pytest.raises(httpx.ReadTimeout):
                client.get("/crm/v3/owners", timeout=0.1)
