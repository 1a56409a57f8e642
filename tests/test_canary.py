"""Whatever a server answers, no key and no value of a record leaves a trace on a screen, in a log or in the state."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import pytest
from doubles import memory_server as server
from doubles.memory_api import Call, MemoryApi
from doubles.memory_server import Reply
from fixtures_canary import KEY, PERSON, Cage, traces

Said = Callable[[list[dict[str, Any]]], Reply]
EVERYTHING = {"authorization": f"Bearer {KEY}", "key": KEY, "headers": [["X-Key", KEY]]}
PROSE = f"could not store {PERSON['name']} <{PERSON['email']}> with {PERSON['plan']}: {PERSON['notes']} ({KEY})"


def echo(status: int, *, escaped: bool = True, **more: object) -> Said:
    """The whole request in the answer, as debugging proxies and careless servers do it."""

    def reply(rows: list[dict[str, Any]]) -> Reply:
        body = {"success": False, "error": "validation_error", "rows": rows, **EVERYTHING, **more}
        return server.answer(json.dumps(body, ensure_ascii=escaped).encode(), status)

    return reply


def prose(status: int, text: str = PROSE, kind: str = "text/plain") -> Said:
    return lambda _: server.answer(text.encode(), status, kind)


def page(status: int) -> Said:
    return prose(status, f"<html><h1>Bad Gateway</h1><pre>{html.escape(PROSE)}</pre></html>", "text/html")


def message(status: int, text: str, error: str = "validation_error") -> Said:
    return lambda _: server.failure(status, error, message=text)


def nested(rows: list[dict[str, Any]]) -> Reply:
    return server.failure(400, json.dumps({"rows": rows, "key": KEY}), message=json.dumps(json.dumps(rows)))


def beheaded(rows: list[dict[str, Any]]) -> Reply:
    return server.answer((b"x" * 150 + b" " + json.dumps(rows).encode())[:340], 500, "text/plain")


def moved(_: list[dict[str, Any]]) -> Reply:
    where = f"https://memory.example.com/?key={KEY}&name={quote_plus(PERSON['plan'])}&email={PERSON['email']}"
    return server.answer(b"", 307, Location=where)


def farewell(_: list[dict[str, Any]]) -> Reply:
    return server.success({"eventId": "event-1"}, Sunset=f"{KEY} {PERSON['email']}")


def items(**item: object) -> Said:
    return lambda _: server.success({"eventId": "event-1", "errors": [item]})


BATCHES: dict[str, Said] = {
    "400": echo(400),
    "400 unescaped": echo(400, escaped=False),
    "400 prose": prose(400),
    "400 small letters": message(400, PROSE.lower()),
    "400 capitals": message(400, f"BAD NAME {PERSON['name']}".upper()),
    "400 nested": nested,
    "400 row named by its name": message(400, "bad", error=PERSON["plan"]),
    "401": echo(401),
    "402": echo(402),
    "402 prose": message(402, PROSE, "INSUFFICIENT_CREDITS"),
    "403": echo(403),
    "404": echo(404),
    "408": echo(408),
    "413": echo(413),
    "413 page": page(413),
    "422": echo(422, escaped=False),
    "429 month": echo(429, window="per_month"),
    "429 cap": echo(429, code="RECORD_CAP_EXCEEDED"),
    "429 long": echo(429, retryAfterSeconds=86400),
    "500": echo(500),
    "500 beheaded": beheaded,
    "502 page": page(502),
    "503": echo(503, escaped=False),
    "307": moved,
    "sunset": farewell,
    "200 success as text": lambda rows: server.answer(json.dumps({"success": "true", "rows": rows}).encode()),
    "200 failure": lambda rows: server.answer(json.dumps({"success": False, "message": PROSE, "r": rows}).encode()),
    "200 no event": lambda _: server.success({PERSON["plan"]: 1, PERSON["name"]: 2, KEY: 3}),
    "200 event is prose": lambda _: server.success({"eventId": PROSE}),
    "200 list": lambda rows: server.answer(json.dumps(rows).encode()),
    "200 broken": lambda rows: server.answer(json.dumps(rows).encode()[:-5]),
    "200 page": page(200),
    "200 twins": lambda _: server.answer(f'{{"success":true,"success":true,"x":{json.dumps(PROSE)}}}'.encode()),
    "200 deep": lambda _: server.answer(b'{"success":true,"data":' + b"[" * 1010 + b"]" * 1010 + b"}"),
    "not http": lambda _: server.raw(f"{PROSE}\r\n\r\n".encode()),
    "bad header": lambda _: server.raw(f"HTTP/1.1 200 OK\r\n{KEY} {PERSON['plan']}\r\n\r\n".encode()),
    "cut": lambda _: server.truncated_length(),
    "hang up": lambda _: server.hang_up(),
    "encoding": lambda _: server.answer(b"x", Content_Encoding=f"{KEY}-{PERSON['plan']}"),
    "item names the row": items(email=PERSON["email"], message=PROSE),
    "item in small letters": items(email=PERSON["email"], message=PROSE.lower(), code="CONTENT_TOO_LARGE"),
    "item without a name": items(message=PROSE, code=PERSON["plan"]),
    "item with a name for a code": items(email=PERSON["email"], code="Quokka", error="Wombat"),
    "item is prose": lambda _: server.success({"eventId": "event-1", "errors": [PROSE]}),
}


def about_the_person(fault: str, call: Call) -> Reply | None:
    return BATCHES[fault](call.rows) if PERSON["email"] in call.emails else None


@pytest.mark.parametrize("fault", list(BATCHES))
def test_an_answer_to_a_batch_leaves_no_trace(fault: str, cage: Cage, parrot: MemoryApi) -> None:
    parrot.judge = lambda call: about_the_person(fault, call)
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    ended = cage.in_every_mode("run", "--wait", "0s")
    assert parrot.count("batch") > 0
    assert all(one.code in (0, 2, 3, 5, 6) for one in ended), ended[0].err
    assert all(one.out + one.err for one in ended)
    cage.look_everywhere()


def event(**event: object) -> Reply:
    return server.success({"eventId": "event-1", **event})


EVENTS: dict[str, Reply] = {
    "status": event(status=PERSON["name"]),
    "failed": event(status="failed", message=PROSE, error=PROSE),
    "failed prose": event(status="failed", errors=[PROSE]),
    "failed in small letters": event(status="failed", errors=[{"message": PROSE.lower()}]),
    "first word": event(status="failed", errors=[{"message": "Wombat was not taken"}]),
    "partial": event(status="partial_failure", errors=[{"email": PERSON["email"], "message": PROSE}]),
    "partial quoting": event(status="partial", errors=[{"email": PERSON["email"], "message": f'"{PERSON["plan"]}"'}]),
    "partial by key": event(status="partial", errors={PERSON["email"]: f"{PERSON['plan']} is no plan"}),
    "capitals": event(status="failed", errors=[{"message": "VALUE WOMBAT OF TASMANIA"}]),
    "500": server.failure(500, PROSE, message=PROSE),
    "400": server.failure(400, PROSE, message=PROSE),
    "401": server.failure(401, PROSE, message=PROSE.lower()),
    "402": server.failure(402, PROSE, message=PROSE.upper()),
    "307": moved([]),
    "404": server.failure(404, "not_found_error", message=PROSE),
    "page": page(200)([]),
}


@pytest.mark.parametrize("fault", list(EVENTS))
def test_an_event_leaves_no_trace(fault: str, cage: Cage, parrot: MemoryApi) -> None:
    parrot.judge = lambda call: EVENTS[fault] if call.name == "event" else None
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    cage.monkeypatch.setattr("state.delivery.FIRST_POLL", 0.0)
    cage.monkeypatch.setattr("sync.follow.FIRST", 0.0)
    cage.in_every_mode("run", "--wait", "1s")
    assert parrot.count("event") > 0
    cage.look_everywhere()


def opening(call: Call, name: str, reply: Reply) -> Reply | None:
    return reply if call.name == name else None


OPENINGS: dict[str, Reply] = {
    "400": echo(400)([]),
    "401": echo(401)([]),
    "403 page": prose(403, f"<p>{KEY}</p>", "text/html")([]),
    "500": echo(500)([]),
    "429": echo(429, window="per_month")([]),
    "no object": server.success([KEY]),
    "broken": prose(200, f'{{"key": "{KEY}')([]),
    "odd limits": server.success({"organization": {"id": KEY}, "plan": {"limits": {"maxApiCallsPerMinute": KEY}}}),
    "307": server.redirect(307, f"https://memory.example.com/?key={KEY}"),
}


@pytest.mark.parametrize("name", ["me", "collections"])
@pytest.mark.parametrize("fault", list(OPENINGS))
def test_an_answer_before_the_first_row_leaves_no_trace(fault: str, name: str, cage: Cage, parrot: MemoryApi) -> None:
    parrot.judge = lambda call: opening(call, name, OPENINGS[fault])
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    cage.in_every_mode("run", "--wait", "0s")
    cage.in_every_mode("validate")
    cage.look_everywhere()


@pytest.mark.parametrize("fault", ["400", "400 small letters", "500", "502 page", "200 failure", "200 broken"])
def test_a_check_and_a_dry_run_leave_no_trace(fault: str, cage: Cage, parrot: MemoryApi) -> None:
    parrot.judge = lambda call: about_the_person(fault, call)
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    codes = {one.code for one in cage.in_every_mode("validate") + cage.in_every_mode("run", "--dry-run")}
    assert codes <= {2, 5}
    assert parrot.count("batch") >= 6
    cage.look_everywhere()


def test_a_search_that_is_refused_shows_nothing_of_whom_it_was_for(cage: Cage, parrot: MemoryApi) -> None:
    cage.write_map((cage.folder / "mappings/customers.yaml").read_text().replace("email: email", "website: plan"))
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    assert cage.memsync("run", "--wait", "4s").code == 0
    parrot.judge = lambda call: prose(400)([]) if call.name == "other" else None
    assert {one.code for one in cage.in_every_mode("verify", "customers")} <= {2, 5}
    assert parrot.count("other") > 0
    cage.look_everywhere()


def test_the_search_for_traces_finds_them(cage: Cage, parrot: MemoryApi) -> None:
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    shown = cage.memsync("rejects", "list")
    assert not traces(shown.out)
    cage.said.append(f"a line\nwith {PERSON['name']}")
    with pytest.raises(AssertionError):
        cage.look_everywhere()
