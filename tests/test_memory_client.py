"""The calls of the memory API in both dialects, over a transport that only writes down."""

import json
from datetime import UTC, datetime

import pytest

from sync.maps.row import Identity, MappedProperty
from sync.memory.answers import Answer
from sync.memory.client import MemoryClient, about_sunset
from sync.memory.collections import Collection, collections_of, resolve
from sync.memory.envelope import LARGEST_BODY, make_envelope, mapping_object
from sync.memory.errors import DestinationError, DestinationMisconfigured, DestinationUnavailable, NotFound
from sync.memory.plan import plan_of


def good(data, **headers):
    return Answer(200, headers, json.dumps({"success": True, "data": data}).encode())


class Wire:
    """Answers by path (a list: one after the other), and keeps the calls."""

    def __init__(self, **answers):
        self.calls = []
        self.answers = answers

    def call(self, method, path, body=None, params=None):
        self.calls.append((method, path, params))
        name = path.rpartition("/")[2].replace("-", "_") + ("_new" if "/v1.1/" in path else "")
        found = self.answers.get(name, Answer(404, {}, b"{}"))
        return found.pop(0) if isinstance(found, list) else found


@pytest.mark.parametrize("status", [404, 410])
def test_auto_asks_the_newer_dialect_when_there_is_no_older_one(status):
    wire = Wire(me=Answer(status, {}, b"<html>gone"), me_new=good({"a": 1}), import_new=good({"eventId": "e"}))
    client = MemoryClient(wire)
    assert client.me() == {"a": 1}
    client.batch(b"{}")
    assert [path for _, path, _ in wire.calls] == ["/api/v1/me", "/api/v1.1/me", "/api/v1.1/memory/import"]
    assert (client.dialect, client.extract_word, client.calls) == ("v1.1", "extract", 3)


def test_auto_stays_with_the_older_dialect_when_it_is_there():
    client = MemoryClient(Wire(me=good({})))
    client.me()
    assert (client.dialect, client.extract_word) == ("v1", "extractMemories")


@pytest.mark.parametrize("status", [301, 401, 403, 405, 429, 500])
def test_auto_takes_no_other_answer_for_a_missing_dialect(status):
    wire = Wire(me=Answer(status, {}, b"{}"), me_new=good({}))
    with pytest.raises(DestinationError):
        MemoryClient(wire).me()
    assert len(wire.calls) == 1


def test_auto_says_so_when_neither_is_there():
    client = MemoryClient(Wire())
    with pytest.raises(DestinationMisconfigured, match=r"neither /api/v1/me nor /api/v1\.1/me is there"):
        client.me()


def test_auto_starts_over_after_a_failure():
    client = MemoryClient(Wire(me=[Answer(404, {}, b""), good({"second": 1})], me_new=Answer(503, {}, b"")))
    with pytest.raises(DestinationUnavailable):
        client.me()
    assert client.me() == {"second": 1}
    assert client.dialect == "v1"


def test_a_chosen_dialect_asks_no_other():
    wire = Wire(me_new=good({}))
    with pytest.raises(NotFound):
        MemoryClient(wire, "v1").me()
    assert len(wire.calls) == 1


def test_a_sunset_is_mentioned_once():
    told = []
    wire = Wire(me=good({}, sunset="2026-07-15"))
    client = MemoryClient(wire, "v1", told.append)
    client.me()
    client.me()
    assert len(told) == 1
    assert "2026-07-15" in told[0]
    assert "PERSONIZE_API_VERSION=v1.1" in told[0]


@pytest.mark.parametrize("sunset", ["Wed, 15 Jul 2026 00:00:00 GMT", "2026-07-15", "2026-07-15T00:00:00Z"])
def test_an_announced_end_is_spoken_of_as_past_once_it_is(sunset):
    before, after = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    assert "v1 is announced to end on 2026-07-15: set" in about_sunset("v1", sunset, before)
    assert "v1 was announced to end on 2026-07-15, and still answers: set" in about_sunset("v1", sunset, after)
    assert "PERSONIZE" not in about_sunset("v1.1", sunset, before)
    assert "soon" not in about_sunset("v1", "soon", before)


def test_collections_are_read_to_the_last_page():
    pages = [good({"actions": [{"id": "a"}], "nextToken": "t"}), good({"actions": [{"id": "b"}, 7]})]
    wire = Wire(collections=pages)
    assert list(MemoryClient(wire, "v1").collections()) == [{"id": "a"}, {"id": "b"}]
    assert [params for _, _, params in wire.calls] == [{"limit": 100}, {"limit": 100, "nextToken": "t"}]


@pytest.mark.parametrize("tokens", ["aa", "aba", "abcb"])
def test_a_token_that_comes_back_ends_the_reading(tokens):
    wire = Wire(collections=[good({"actions": [], "nextToken": token}) for token in tokens])
    with pytest.raises(DestinationUnavailable, match="same nextToken"):
        list(MemoryClient(wire, "v1").collections())


@pytest.mark.parametrize("data", [{}, {"actions": None}, {"actions": {"a": 1}}])
def test_collections_that_are_no_list_are_told(data):
    with pytest.raises(DestinationUnavailable, match=r"list under data\.actions"):
        list(MemoryClient(Wire(collections=good(data)), "v1").collections())


def test_an_event_id_that_is_a_number_is_taken_as_text():
    assert MemoryClient(Wire(batch_memorize=good({"eventId": 17})), "v1").batch(b"")["eventId"] == "17"


@pytest.mark.parametrize("event", [None, "", " ", True, [], "a b", "x" * 201, "e\n", ".", "..", "é"])
def test_an_event_id_that_cannot_be_asked_for_is_ambiguous(event):
    client = MemoryClient(Wire(batch_memorize=good({"eventId": event, "jane@example.com": 1})), "v1")
    with pytest.raises(DestinationUnavailable, match=r"data\.eventId") as caught:
        client.batch(b"")
    assert caught.value.ambiguous
    assert "jane" not in str(caught.value)


def test_an_event_that_the_server_does_not_know_is_none():
    wire = Wire()
    assert MemoryClient(wire, "v1").event("a/b?c") is None
    assert wire.calls[0][1] == "/api/v1/events/a%2Fb%3Fc"


@pytest.mark.parametrize("status", [302, 405])
def test_another_misconfiguration_is_not_taken_for_a_lost_event(status):
    with pytest.raises(DestinationMisconfigured):
        MemoryClient(Wire(e=Answer(status, {}, b"")), "v1").event("e")


# -- collections


def action(id_, name):
    return {"id": f"action-{id_}", "type": "COLLECTION", "payload": {"collectionId": id_, "collectionName": name}}


KNOWN = collections_of([action("1", "Contacts"), action("2", "Notes"), action("3", "notes"), {"payload": None}, {}])


def mapped(name="a", collection=None, id_=None):
    return MappedProperty(name, name, extract=False, collection_name=collection, collection_id=id_)


def test_names_are_found_exactly_first_then_in_any_case():
    found = resolve(
        [mapped("a", "Contacts"), mapped("b", "contacts"), mapped("c", "Notes"), mapped("d", id_="3")], KNOWN
    )
    assert {name: one.id for name, one in found.items()} == {"a": "1", "b": "1", "c": "2", "d": "3"}


def test_every_unknown_name_is_told_at_once_with_the_nearest():
    with pytest.raises(DestinationMisconfigured) as caught:
        resolve([mapped("a", "Contcats"), mapped("b", "zzz"), mapped("c", id_="9")], KNOWN)
    assert "'Contcats' (property a): the organisation has none; did you mean 'Contacts'?" in str(caught.value)
    assert "'zzz' (property b): the organisation has none. It has: Contacts, Notes, notes" in str(caught.value)
    assert "collectionId 9" in str(caught.value)


def test_an_ambiguous_name_is_told_with_its_ids():
    with pytest.raises(DestinationMisconfigured, match=r"2 collections have this name.*: 2, 3$"):
        resolve([mapped("a", "NOTES")], KNOWN)


def test_an_organisation_without_collections_is_told():
    with pytest.raises(DestinationMisconfigured, match="It has: no collection"):
        resolve([mapped("a", "Notes")], [])


# -- the frame of a call, and the plan


@pytest.mark.parametrize("word", ["extractMemories", "extract"])
def test_the_frame_is_the_api_s_own(word):
    properties = [MappedProperty("notes", "n", extract=True), MappedProperty("title", "t", extract=False)]
    known = {"notes": Collection("c1", "Notes"), "title": Collection("c2", "Contacts")}
    header = mapping_object("contact", Identity("customKey", "key", "crm"), properties, known, word, "run-1")
    envelope = make_envelope("Crm", header, "pro", 1, dry_run=True, enterprise=False)
    body = json.loads(envelope.body([b'{"key":"1"}', b'{"key":"2"}']))
    assert body["rows"] == [{"key": "1"}, {"key": "2"}]
    assert (body["source"], body["tier"], body["dryRun"], body["chunkSize"]) == ("Crm", "pro", True, 1)
    assert (body["mapping"]["customKeyName"], body["mapping"]["customKey"]) == ("crm", "key")
    assert body["mapping"]["properties"]["notes"][word] is True
    assert body["mapping"]["properties"]["title"][word] is False
    assert len(envelope.body([b"x" * envelope.room])) == LARGEST_BODY


@pytest.mark.parametrize(
    ("limits", "per_minute", "per_month", "assumed"),
    [
        ({"maxApiCallsPerMinute": 120, "maxApiCallsPerMonth": 9}, 120, 9, False),
        ({"maxApiCallsPerMinute": "120"}, 120, None, False),
        ({"maxApiCallsPerMinute": 0}, 60, None, True),
        ({"maxApiCallsPerMinute": -5}, 60, None, True),
        ({"maxApiCallsPerMinute": True}, 60, None, True),
        ({"maxApiCallsPerMinute": "many"}, 60, None, True),
        (None, 60, None, True),
    ],
)
def test_a_plan_is_read_and_what_is_missing_is_assumed(limits, per_minute, per_month, assumed):
    plan = plan_of({"plan": {"name": "Enterprise Plus", "limits": limits}, "organization": []})
    assert (plan.per_minute, plan.per_month, plan.assumed) == (per_minute, per_month, assumed)
    assert plan.is_enterprise
