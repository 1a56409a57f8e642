"""From an HTTP answer to the data, or to the error that says what to do."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.memory.answers import SHOWN, Answer, data_of, redact
from sync.memory.errors import (
    ChunkRefused,
    DestinationError,
    DestinationMisconfigured,
    DestinationRefused,
    DestinationUnavailable,
    NotFound,
    QuotaExhausted,
    RateLimited,
)


def error_of(status, body=None, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    with pytest.raises(DestinationError) as caught:
        data_of(Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, content), "GET /me")
    return caught.value


def limited(**more):
    return {"success": False, "error": "rate_limit_exceeded", **more}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (301, {}, DestinationMisconfigured),
        (400, {"error": "validation_error"}, ChunkRefused),
        (401, {"error": "authentication_error"}, DestinationRefused),
        (402, {"error": "INSUFFICIENT_CREDITS"}, QuotaExhausted),
        (403, {"error": "permission_error"}, DestinationRefused),
        (404, {"error": "not_found_error"}, NotFound),
        (405, {}, DestinationMisconfigured),
        (408, {}, DestinationUnavailable),
        (410, {}, NotFound),
        (413, {}, ChunkRefused),
        (422, {}, ChunkRefused),
        (425, {}, DestinationUnavailable),
        (429, limited(window="per_minute"), RateLimited),
        (429, {"error": "rate_limit_error"}, RateLimited),
        (429, limited(window="per_month", retryAfterSeconds=5), QuotaExhausted),
        (429, limited(window="monthly"), QuotaExhausted),
        (429, limited(retryAfterSeconds=86400), QuotaExhausted),
        (429, {"error": "INSUFFICIENT_CREDITS"}, QuotaExhausted),
        (429, {"error": "RECORD_CAP_EXCEEDED"}, DestinationMisconfigured),
        (429, {"error": "SCHEDULE_CAP_EXCEEDED"}, DestinationMisconfigured),
        (403, {"code": "RECORD_CAP_EXCEEDED"}, DestinationMisconfigured),
        (400, {"error": {"code": "INSUFFICIENT_CREDITS"}}, QuotaExhausted),
        (500, {}, DestinationUnavailable),
        (503, {}, DestinationUnavailable),
        (200, {"success": False, "error": "validation_error"}, ChunkRefused),
        (200, {"success": False, "error": "authentication_error"}, DestinationRefused),
        (200, {"success": False, "error": "RATE_LIMIT_EXCEEDED"}, RateLimited),
        (200, limited(window="per_month"), QuotaExhausted),
        (200, {"success": False, "error": "server_error"}, DestinationUnavailable),
        (200, {"success": False, "error": "INSUFFICIENT_CREDITS"}, QuotaExhausted),
        (200, {"success": False, "error": None}, ChunkRefused),
        (200, {"success": 1, "data": {}}, DestinationUnavailable),
        (200, {"data": {"eventId": "e"}}, DestinationUnavailable),
    ],
)
def test_every_answer_becomes_the_error_that_says_what_to_do(status, body, kind):
    assert type(error_of(status, body)) is kind


def test_a_success_gives_its_data():
    assert data_of(Answer(202, {}, b'{"success": true, "data": {"a": 1}}'), "GET /me") == {"a": 1}


@pytest.mark.parametrize(("status", "ambiguous"), [(500, True), (501, False), (502, True), (503, False), (504, True)])
def test_a_server_that_may_have_done_the_work_is_ambiguous(status, ambiguous):
    assert error_of(status, b"<html>").ambiguous is ambiguous


def test_a_429_carries_the_wait_and_the_limit():
    error = error_of(429, limited(limit=60, current=61, window="per_minute", retryAfterSeconds=37))
    assert (error.retry_after, error.limit) == (37.0, 60)
    assert error_of(429, limited(), retry_after="12").retry_after == 12.0


@pytest.mark.parametrize("limit", [0, -1, True, "60", None, 1.5])
def test_a_limit_that_is_none_is_not_taken_over(limit):
    assert error_of(429, limited(limit=limit)).limit is None


def test_the_limit_of_a_second_is_not_taken_for_that_of_a_minute():
    assert error_of(429, limited(limit=5, window="per_second")).limit is None


def test_a_503_carries_the_wait_that_it_asks_for():
    assert error_of(503, b"", retry_after="30").retry_after == 30.0


def test_a_sentence_is_not_taken_for_the_name_of_an_error():
    error = error_of(400, {"error": "the row of Jane Doe is bad", "code": 400})
    assert error.code == "HTTP_400"
    assert error_of(400, {"code": 17, "error": "validation_error"}).code == "validation_error"


CANARIES = [
    "canary@example.com",
    "o'canary@example.co.uk",
    "canary%40example.com",
    "canary\\u0040example.com",
    "CANARY@EXAMPLE",
    "sk_live_CANARY",
    "SK_TEST_CANARY-1.2",
    "Bearer CANARY",
    "authorization: bearer   CANARY.x_y",
]


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 429, 500])
def test_no_error_shows_a_key_or_an_address(canary, status):
    for frame in ('{{"success": 1, "message": "{}"}}', "<p>{}</p>", "x" * 190 + " {}", " " * 3990 + "{}"):
        text = frame.format(canary)
        error = error_of(status, text.encode(), location=f"https://host/{canary}")
        assert "canary" not in str(error).lower()


@given(st.text(max_size=600))
def test_what_is_shown_is_one_short_line(text):
    shown = redact(text)
    assert len(shown) <= SHOWN + 3
    assert shown.isprintable()


def test_terminal_commands_in_an_answer_are_not_shown():
    assert "\x1b" not in str(error_of(500, b"\x1b[2J\x1b]0;owned\x07"))


@given(st.binary(max_size=300), st.sampled_from([200, 302, 400, 401, 404, 429, 500, 503]))
def test_no_answer_at_all_breaks_it(body, status):
    with suppress(DestinationError):
        assert isinstance(data_of(Answer(status, {}, body), "GET /me"), dict)
