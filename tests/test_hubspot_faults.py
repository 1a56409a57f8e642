"""What HubSpot's errors mean: wait, or an error that says what to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from connectors.base import SourceMisconfigured, SourceRefused, SourceUnreachable
from connectors.hubspot.faults import PATIENCE, Again, Asked, TokenRefused, judge
from connectors.hubspot.transport import Answer

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
ASKED = Asked("reading notes", "api.hubapi.com", "HUBSPOT_ACCESS_TOKEN", ("crm.objects.contacts.read",))


def judged(status: int, body: object = None, headers: dict | None = None, pauses: int = 0, asked: Asked = ASKED):
    raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    return judge(Answer(status, headers or {}, raw), asked, pauses, NOW)


@pytest.mark.parametrize(
    ("policy", "seconds"), [("SECONDLY", 1.0), ("TEN_SECONDLY_ROLLING", 10.0), ("something new", 1.0)]
)
@pytest.mark.parametrize("where", ["policyName", "errorType"])
def test_a_limit_without_retry_after_is_waited_out_by_its_policy(policy, seconds, where):
    assert judged(429, {"status": "error", where: policy}).seconds == seconds


def test_a_limit_with_retry_after_is_waited_out_as_told():
    assert judged(429, {"policyName": "TEN_SECONDLY_ROLLING"}, {"retry-after": "7"}).seconds == 7
    when = {"retry-after": "Mon, 23 Nov 2026 20:00:30 GMT"}
    assert judged(503, None, when).seconds == 30


def test_a_limit_that_asks_for_an_hour_is_left_to_the_next_run():
    found = judged(429, {}, {"retry-after": str(PATIENCE + 1)})
    assert isinstance(found, SourceUnreachable)


@pytest.mark.parametrize("where", ["policyName", "errorType", "message"])
def test_the_daily_limit_ends_the_run_and_names_when_it_is_renewed(where):
    asked = Asked("reading notes", "api.hubapi.com", "T", zone="Europe/Berlin")
    found = judged(429, {where: "the DAILY limit"}, asked=asked)
    assert isinstance(found, SourceUnreachable)
    assert "2026-11-24T00:00+01:00 (Europe/Berlin)" in str(found)


def test_the_daily_limit_of_an_account_without_a_known_zone_is_told_too():
    assert "midnight in the account's time zone" in str(judged(429, {"policyName": "DAILY"}))


@pytest.mark.parametrize("status", [500, 502, 503, 504, 521, 522, 523, 524, 525, 526, 408])
def test_temporary_failures_are_tried_again_ever_later(status):
    waits = [judged(status, b"<html>Bad gateway</html>", pauses=pauses).seconds for pauses in range(8)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_lock_is_waited_for_at_least_two_seconds():
    assert judged(423).seconds == 2
    assert judged(423, headers={"retry-after": "1"}).seconds == 2


def test_a_move_to_another_data_centre_ends_the_run_and_says_when_to_come_back():
    found = judged(477, headers={"retry-after": "36000"})
    assert isinstance(found, SourceUnreachable)
    assert "10.0 hours" in str(found)


def test_a_token_that_is_not_accepted_is_tried_once_more_and_no_oftener():
    found = judged(401, {"category": "INVALID_AUTHENTICATION"})
    assert isinstance(found, Again)
    assert found.tries == 1
    assert isinstance(found.error, TokenRefused)


def test_a_malformed_token_is_no_outage():
    assert isinstance(judged(530, b"<html>"), TokenRefused)


SCOPES = ["crm.objects.leads.read"]
WORDINGS = [
    {"category": "MISSING_SCOPES", "message": "x", "errors": [{"context": {"requiredGranularScopes": SCOPES}}]},
    {"message": "This app hasn't been granted all required scopes to make this call."},
    {"message": "You do not have permissions to view this. It requires one of [crm.objects.leads.read]"},
    {"message": "The token is missing required scopes"},
    {"message": "User does not have proper permissions"},
    {"message": "The scope isn't available for public use"},
    {"category": "USER_DOES_NOT_HAVE_PERMISSIONS"},
    {},
]


@pytest.mark.parametrize("body", WORDINGS)
def test_a_missing_scope_is_named_in_each_wording(body):
    asked = Asked("reading leads", "api.hubapi.com", "HUBSPOT_ACCESS_TOKEN", ("crm.objects.leads.read",))
    found = judged(403, body, asked=asked)
    assert isinstance(found, SourceRefused)
    assert "the scope crm.objects.leads.read" in str(found)
    assert "HUBSPOT_ACCESS_TOKEN" in str(found)


def test_the_scopes_that_the_answer_names_win_over_those_we_know():
    found = judged(403, {"category": "MISSING_SCOPES", "errors": [{"context": {"requiredGranularScopes": ["a", "b"]}}]})
    assert "one of the scopes a, b" in str(found)
    assert "crm.objects.contacts.read" not in str(found)


def test_a_record_that_is_private_to_its_owner_is_told_as_such():
    assert "private to its owner" in str(judged(403, {"message": "This record is private to its owner"}))


def test_a_wrong_request_is_told_in_hubspot_s_words_and_never_tried_again():
    found = judged(400, {"message": "Invalid filter", "correlationId": "abc", "errors": [{"message": "no such one"}]})
    assert isinstance(found, SourceMisconfigured)
    assert "Invalid filter; no such one; correlationId abc" in str(found)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_an_error_because_the_token_would_travel_along(status):
    assert "redirect" in str(judged(status, b"", {"location": "https://elsewhere.example"}))
    assert "elsewhere" not in str(judged(status, b"", {"location": "https://elsewhere.example"}))


@pytest.mark.parametrize("status", [400, 403, 404, 409, 414, 418, 477, 530])
@pytest.mark.parametrize(
    "body", [b"", b"<html>oops</html>", b"[]", b'"text"', b"\xff\xfe", b"null", b'{"errors":[1]}', b'{"errors":7}']
)
def test_no_body_of_an_error_is_too_strange(status, body):
    assert isinstance(judged(status, body), Exception)


def test_messages_show_neither_addresses_of_people_nor_tokens_and_stay_short():
    said = "ana.roe@example.com has pat-na1-1234abcd-00 and Bearer xyz123 " + "long " * 500
    text = str(judged(400, {"message": said}))
    assert "ana.roe" not in text
    assert "1234abcd" not in text
    assert "xyz123" not in text
    assert len(text) < 600


HOSTILE = "ana@x.example\n\x1b[2Jpat-na1-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 423, 429, 500])
def test_no_part_of_an_answer_brings_addresses_tokens_or_control_characters_into_a_message(status):
    context = {"requiredGranularScopes": [HOSTILE]}
    body = {"message": f"{HOSTILE} ana%40x.example \u202e", "category": HOSTILE, "correlationId": HOSTILE}
    found = judged(status, body | {"errors": [{"context": context, "message": HOSTILE}]})
    text = str(found.error if isinstance(found, Again) else found)
    assert text.isprintable()
    assert not [word for word in ("ana", "pat-na1", "aaaaaaaa") if word in text]


def test_an_unknown_path_of_a_dated_version_names_the_variable():
    asked = Asked("listing contacts", "api.hubapi.com", "EU_HUBSPOT_ACCESS_TOKEN", version="2031-03")
    assert "EU_HUBSPOT_API_VERSION (2031-03)" in str(judged(404, asked=asked))
    assert "HUBSPOT_API_VERSION" not in str(judged(404))
