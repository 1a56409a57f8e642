"""What records and servers say steers no terminal, forges no line and starts no formula, on any screen."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from doubles import memory_server as server
from doubles.memory_api import MemoryApi
from fixtures_canary import Cage
from fixtures_postgres import Database
from hypothesis import given
from hypothesis import strategies as st

from state import open_store
from state.values import Failure, Step
from sync.commands import screen
from sync.commands.rejects import _harmless

STEERING = {
    "clear": "\x1b[2J\x1b[H",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "one byte": "\x9b2J",
    "back": "abc\b\b\b",
    "return": "\rmemsync: all is well",
    "bidi": "\u202egnp.exe",
    "isolate": "\u2066x\u2069",
    "separator": "a\u2028b\u2029c\x85d",
    "line": "a\nmemsync: all is well",
    "delete": "\x7f\x1a",
}
OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
FORMULAS = ("=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", " =1", "＝1", "'=1", '="x"', "=cmd|'/c calc'!A0")


def harmless(text: str) -> bool:
    return not OBEYED.search(text) and "\nmemsync: all is well" not in text


@pytest.fixture
def hostile_store(cage: Cage) -> Cage:
    """A state store full of what others said: keys, codes, messages and a cursor."""
    with open_store(f"sqlite:///{cage.folder}/memsync-state.db") as store:
        lease = store.acquire("customers", json.dumps({"host": "x", "pid": 1, "started": "1"}))
        number = store.start_run(lease, "run")
        every = [*STEERING.values(), *FORMULAS]
        store.apply(
            lease, Step(rejects=[Failure(f"{text}{n}", text, text, final=True) for n, text in enumerate(every)])
        )
        store.finish_run(lease, number, "".join(STEERING.values()), {"read": 1})
        store.release(lease)
    return cage


@pytest.mark.parametrize(
    "arguments",
    [
        ("rejects", "list", "--limit", "500"),
        ("rejects", "list", "--json"),
        ("rejects", "list", "--csv"),
        ("rejects", "list", "--code", "nothing"),
        ("rejects", "show", "customers"),
        ("rejects", "show", "customers", "--json"),
        ("status",),
        ("status", "--json"),
        ("status", "customers"),
        ("status", "customers", "--json"),
        ("state", "export", "customers"),
    ],
)
def test_no_screen_about_the_state_obeys_what_is_in_it(
    arguments: tuple[str, ...], hostile_store: Cage, database: Database
) -> None:
    database.do("ALTER TABLE customers ALTER COLUMN id TYPE text")
    ended = hostile_store.memsync(*arguments)
    assert ended.out + ended.err
    assert harmless(ended.out), ascii(OBEYED.findall(ended.out))
    assert harmless(ended.err), ascii(OBEYED.findall(ended.err))


def test_json_keeps_what_it_escapes(hostile_store: Cage) -> None:
    listed = hostile_store.memsync("rejects", "list", "--json").json["rejects"]
    assert {one["message"] for one in listed} == {*STEERING.values(), *FORMULAS}


def test_a_spreadsheet_finds_no_formula_in_any_cell(hostile_store: Cage) -> None:
    rows = list(csv.reader(io.StringIO(hostile_store.memsync("rejects", "list", "--csv").out)))
    assert len(rows) == 1 + len(STEERING) + len(FORMULAS)
    assert {len(row) for row in rows} == {7}
    assert [cell for row in rows for cell in row if cell.lstrip()[:1] in "=+-@＝＋－＠" and cell] == []


@given(st.text())
def test_no_text_becomes_a_formula_or_a_second_row(text: str) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([_harmless(text), "end"])
    ((cell, end),) = csv.reader(io.StringIO(buffer.getvalue()))
    assert end == "end"
    assert not cell or cell.lstrip()[:1] not in "=+-@＝＋－＠" or not cell.strip()
    assert cell.isprintable()


@given(st.text())
def test_no_text_in_a_json_document_reaches_the_terminal_raw(text: str) -> None:
    from click.testing import CliRunner

    with CliRunner().isolation() as (out, *_):
        screen.show_json({"a": text.encode("utf-8", "replace").decode()})
        shown = out.getvalue().decode()
    assert json.loads(shown)["a"] == text.encode("utf-8", "replace").decode()
    assert not OBEYED.search(shown)


@pytest.mark.parametrize("what", list(STEERING))
@pytest.mark.parametrize("place", ["refused", "item", "event", "collections", "header"])
def test_what_a_server_says_steers_no_terminal(what: str, place: str, cage: Cage, parrot: MemoryApi) -> None:
    text = f"before {STEERING[what]} after"
    named = {"id": "c", "payload": {"collectionId": "c", "collectionName": text}}
    replies = {
        ("refused", "batch"): server.failure(400, text, message=text),
        ("item", "batch"): server.success({"eventId": "e", "errors": [{"email": "p8@x.example", "message": text}]}),
        ("event", "event"): server.success({"status": text, "errors": [{"message": text}]}),
        ("collections", "collections"): server.success({"actions": [named]}),
        ("header", "me"): server.answer(b"", 302, Location=text.encode("latin-1", "replace").decode("latin-1")),
    }
    parrot.judge = lambda call: replies.get((place, call.name))
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    cage.monkeypatch.setattr("state.delivery.FIRST_POLL", 0.0)
    ended = [*cage.in_every_mode("run", "--wait", "1s" if place == "event" else "0s"), cage.memsync("rejects", "list")]
    for one in ended:
        assert harmless(one.out), ascii(one.out)
        assert harmless(one.err), ascii(one.err)


def test_values_of_records_steer_no_terminal(cage: Cage, database: Database, parrot: MemoryApi) -> None:
    every = "".join(STEERING.values())
    database.do("UPDATE customers SET email = NULL, name = %s, notes = %s WHERE id = 7", every, every)
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    assert cage.memsync("run", "--wait", "0s").code == 3
    shown = cage.memsync("rejects", "show", "customers")
    assert "name: " in shown.out
    assert harmless(shown.out)
    shown = cage.memsync("rejects", "show", "customers", "--json")
    assert shown.json["rejects"][0]["record"]["name"] == every
    assert harmless(shown.out)
