"""Limits and failures: waited out where that helps, told with a remedy where it does not, and nothing lost."""

from __future__ import annotations

import time
from base64 import b64decode

import pytest
from doubles.hubspot import WORDINGS, HubSpot, Limits, html, missing_scope, too_many
from hubspot_streams import OLD, Clock, keys, people, read, stream

from connectors.base import SourceMisconfigured, SourceRefused, SourceUnreachable
from connectors.hubspot import Source, Variables, connect
from connectors.hubspot.pace import Budget, Pace
from connectors.hubspot.transport import _proxy_for

CONTACTS = {"object": "contacts", "fields": ["email"]}
ANY = "* /*"
SEARCH = "POST /crm/v3/objects/contacts/search"
LIST = "GET /crm/v3/objects/contacts"
BATCH = "POST /crm/v3/objects/contacts/batch/read"


def changed(crm):
    """A stream that has run, and a record that changed since; yields its key."""
    ids = crm.add("contacts", people(3), at=OLD)
    first = read(crm, **CONTACTS)
    crm.change("contacts", ids[0], {"firstname": "X"})
    return first, ids[0]


@pytest.mark.parametrize(
    ("answer", "waits"),
    [
        (too_many("SECONDLY"), [1.0]),
        (too_many("TEN_SECONDLY_ROLLING"), [10.0]),
    ],
)
def test_a_limit_is_waited_out_without_retry_after(crm, answer, waits):
    first, one = changed(crm)
    crm.refuse(SEARCH, answer)
    paused = []
    assert keys(read(crm, first, pause=paused.append, **CONTACTS)) == [one]
    assert paused == waits


@pytest.mark.parametrize("place", [SEARCH, BATCH, LIST])
@pytest.mark.parametrize("status", [423, 500, 502, 503, 521])
def test_temporary_failures_are_outlived_whatever_the_call(crm, place, status):
    first, one = changed(crm)
    crm.fail(place, status=status, times=3)
    paused = []
    assert keys(read(crm, first, pause=paused.append, **CONTACTS)) == [one]
    assert len(paused) == 3


def test_a_page_of_html_instead_of_an_error_is_outlived(crm):
    first, one = changed(crm)
    crm.refuse(SEARCH, html(502), times=2)
    assert keys(read(crm, first, **CONTACTS)) == [one]


def test_an_answer_that_is_no_json_or_breaks_off_is_asked_for_again(crm):
    first, one = changed(crm)
    crm.fail(SEARCH, status=200, body="<html>Please log in</html>")
    crm.fail(BATCH, cut=True)
    assert keys(read(crm, first, **CONTACTS)) == [one]


def test_a_connection_that_is_dropped_is_opened_again(crm):
    first, one = changed(crm)
    crm.fail(SEARCH, drop=True, times=2)
    assert keys(read(crm, first, **CONTACTS)) == [one]


def test_a_server_that_accepts_and_never_answers_ends_the_run_in_time(crm):
    first, _ = changed(crm)
    crm.fail(SEARCH, silent=True, times=50)
    began = time.monotonic()
    with pytest.raises(SourceUnreachable, match=r"does not answer.*Nothing was lost"):
        read(crm, first, **CONTACTS)
    assert time.monotonic() - began < 30


def test_a_server_that_keeps_failing_ends_the_run_with_its_cursor_kept(crm):
    first, one = changed(crm)
    crm.fail(SEARCH, status=503, times=7)
    with pytest.raises(SourceUnreachable, match="answers 503"):
        read(crm, first, **CONTACTS)
    assert keys(read(crm, first, **CONTACTS)) == [one]


def test_the_daily_limit_ends_the_run_at_once_and_says_when_it_is_renewed(crm):
    first, one = changed(crm)
    crm.refuse(BATCH, too_many("DAILY"))
    paused = []
    with pytest.raises(SourceUnreachable, match=r"daily limit.*renewed at 20\d\d-\d\d-\d\dT00:00.*America/New_York"):
        read(crm, first, pause=paused.append, **CONTACTS)
    assert paused == []
    assert keys(read(crm, first, **CONTACTS)) == [one]


def test_a_move_to_another_data_centre_ends_the_run_without_waiting(crm):
    first, _ = changed(crm)
    crm.fail(SEARCH, status=477, headers={"Retry-After": "86400"})
    paused = []
    with pytest.raises(SourceUnreachable, match="data centre"):
        read(crm, first, pause=paused.append, **CONTACTS)
    assert paused == []


def test_a_token_that_fails_once_is_not_given_up(crm):
    first, one = changed(crm)
    crm.fail(SEARCH, status=401)
    assert keys(read(crm, first, **CONTACTS)) == [one]


def test_a_token_that_is_not_accepted_is_told_by_the_name_of_its_variable(crm):
    with pytest.raises(SourceRefused, match="HUBSPOT_ACCESS_TOKEN") as told:
        read(crm, token="pat-na1-0000-wrong", **CONTACTS)
    assert "pat-na1" not in str(told.value)


def test_a_token_that_the_server_quotes_back_is_cut_out(crm):
    crm.fail(LIST, status=400, body={"message": f"the token {crm.token} of hapikey is odd"})
    with pytest.raises(SourceMisconfigured, match="is odd") as told:
        read(crm, **CONTACTS)
    assert crm.token not in str(told.value)


def test_a_malformed_token_is_told_as_such(crm):
    crm.fail("GET /account-info/v3/details", status=530)
    with pytest.raises(SourceRefused, match="HUBSPOT_ACCESS_TOKEN"):
        read(crm, **CONTACTS)


@pytest.mark.parametrize("wording", sorted(WORDINGS))
def test_a_missing_scope_stops_the_stream_and_names_the_scope_in_each_wording(wording):
    with (
        HubSpot(scopes={"crm.objects.contacts.read"}, wording=wording) as crm,
        pytest.raises(SourceRefused, match=r"crm\.objects\.deals\.read"),
    ):
        read(crm, object="deals", fields=["dealname"])


def test_a_scope_that_is_taken_away_between_pages_stops_there(crm):
    ids = crm.add("contacts", people(250), at=OLD)
    with stream(crm, ["email"], object="contacts") as connector:
        reading = connector.read(None)
        page = next(reading)
        crm.refuse(LIST, missing_scope("granular", ["crm.objects.contacts.read"]))
        with pytest.raises(SourceRefused, match=r"crm\.objects\.contacts\.read"):
            next(reading)
    assert set(keys([page])) | set(keys(read(crm, page.cursor, **CONTACTS))) == set(ids)


def test_a_token_that_may_not_ask_for_the_account_still_reads(crm):
    crm.add("contacts", people(1), at=OLD)
    crm.fail("GET /account-info/v3/details", status=403, times=2)
    assert len(keys(read(crm, **CONTACTS))) == 1
    with stream(crm, ["email"], object="contacts") as connector:
        assert any("which account" in note for note in connector.check().notes)


def test_a_filter_that_hubspot_refuses_is_told_in_its_words(crm):
    crm.fail(SEARCH, status=400, body={"status": "error", "message": "There was a problem with the request."})
    with pytest.raises(SourceMisconfigured, match="There was a problem with the request"):
        read(crm, start="2024-01-01T00:00:00Z", **CONTACTS)


def test_a_redirect_is_not_followed(crm):
    with HubSpot() as elsewhere:
        crm.fail(LIST, status=302, headers={"Location": f"{elsewhere.url}/crm/v3/objects/contacts"})
        with pytest.raises(SourceMisconfigured, match="redirect"):
            read(crm, **CONTACTS)
        assert not elsewhere.requests


def test_a_wait_that_is_ended_ends_the_reading_at_once(crm):
    class Ended(Exception):
        pass

    def end(_: float) -> None:
        raise Ended

    first, _ = changed(crm)
    crm.fail(SEARCH, status=503, times=9)
    with pytest.raises(Ended):
        read(crm, first, pause=end, **CONTACTS)


def test_nothing_is_contacted_before_the_first_call(crm):
    with stream(crm, ["email"], object="contacts"):
        pass
    assert not crm.requests


def test_one_connection_is_kept_for_all_calls():
    seen = set()
    with HubSpot() as crm:
        wire = crm._wire
        usual = wire.process_request

        def remember(request, address):
            seen.add(address)
            usual(request, address)

        wire.process_request = remember
        crm.add("contacts", people(500), at=OLD)
        read(crm, **CONTACTS)
        assert len(seen) == 1


def test_the_limits_of_a_small_account_are_kept_so_that_none_is_hit():
    clock, log = Clock(), []
    limits = Limits(per_ten_seconds=100, searches_per_second=5, per_day=10_000)
    with HubSpot(clock=clock, limits=limits, log=log.append) as crm:
        ids = crm.add("contacts", people(5_000), at=lambda n: OLD + n)
        found = keys(read(crm, clock=clock, start="2023-01-01T00:00:00Z", **CONTACTS))
        assert set(found) == set(ids)
        clock.now += 10
        found = keys(read(crm, clock=clock, **CONTACTS))
        assert set(found) == set(ids)
    assert len(log) > 100
    assert not [line for line in log if line.endswith("429")]


def test_a_budget_lets_no_more_than_its_calls_into_any_span():
    budget, now, times = Budget(4, 1.0), 100.0, []
    for _ in range(20):
        now += budget.reserve(now)
        times.append(now)
    assert times[:4] == [100.0] * 4
    assert all(later - earlier >= 1.0 for earlier, later in zip(times, times[4:], strict=False))


def test_a_budget_follows_what_the_server_says():
    pace = Pace()
    pace.learn({"x-hubspot-ratelimit-max": "10", "x-hubspot-ratelimit-interval-milliseconds": "10000"})
    assert [round(pace.general.reserve(5.0), 3) for _ in range(9)] == [0.0] * 8 + [10.0]
    for odd in ({}, {"x-hubspot-ratelimit-max": "many"}, {"x-hubspot-ratelimit-max": "0"}):
        pace.learn(odd)
    assert pace.general.reserve(1_000.0) == 0


def test_a_proxy_of_the_environment_is_used_with_its_login_but_never_for_this_machine(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://me:p%40ss@proxy.example:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "inside.example")
    proxy, headers = _proxy_for("https://api.hubapi.com")
    assert proxy.endswith("@proxy.example:3128")
    assert b64decode(headers["proxy-authorization"].removeprefix("Basic ")) == b"me:p@ss"
    for url in ("http://127.0.0.1:80", "http://localhost", "https://inside.example"):
        assert _proxy_for(url) == (None, None)


def opened(url: str, token: str = "t"):
    return connect(
        Source(connector="hubspot", object="contacts"), Variables(hubspot_access_token=token, hubspot_base_url=url)
    )


@pytest.mark.parametrize(
    "url", ["http://api.hubapi.com", "ftp://x", "https://", "https://u:p@x.example", "https://x?a=1"]
)
def test_a_base_url_that_would_give_the_token_away_is_refused(url):
    with pytest.raises(SourceMisconfigured, match="HUBSPOT_BASE_URL"):
        opened(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"])
def test_an_address_of_this_machine_where_nobody_listens_is_told_without_waiting(url):
    connector = opened(url)
    try:
        with pytest.raises(SourceUnreachable, match="Nothing was lost"):
            connector.check()
    finally:
        connector.close()


@pytest.mark.parametrize("token", ["", " ", "two words", "übel"])
def test_a_token_that_cannot_be_one_is_refused_by_name(token):
    with pytest.raises(SourceMisconfigured, match="HUBSPOT_ACCESS_TOKEN") as told:
        opened("https://api.hubapi.com", token)
    assert not token.strip() or token not in str(told.value)


def test_the_token_shows_in_no_repr():
    connector = opened("https://api.hubapi.com", "pat-na1-secret")
    try:
        assert "secret" not in repr(vars(connector)) + repr(connector)
    finally:
        connector.close()
