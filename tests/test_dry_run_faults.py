"""A dry run changes nothing, whatever goes wrong in it: not the state file, not memory, not the source."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from doubles.memory_api import Call, MemoryApi
from doubles.memory_server import (
    Received,
    Reply,
    answer,
    drip,
    failure,
    html,
    redirect,
    reset,
    success,
    truncated_length,
)
from fixtures_faults import FaultyPlace, end_of, fill
from fixtures_postgres import Database
from workplace import MAP

STATE = "memsync-state.db"


class Watchful(MemoryApi):
    """Remembers of every call whether it could have changed anything."""

    def __init__(self) -> None:
        super().__init__()
        self.changing: list[str] = []

    def _decide(self, received: Received) -> Reply:
        if received.method != "GET" and json.loads(received.body).get("dryRun") is not True:
            self.changing.append(f"{received.method} {received.path}")
        return super()._decide(received)


@pytest.fixture
def api() -> Iterator[Watchful]:
    with Watchful() as one:
        yield one


def _all(place: FaultyPlace) -> dict[str, str]:
    """A digest of every file of the folder, by its name."""
    return {
        str(path.relative_to(place.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(place.folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def settled(faulty: FaultyPlace, database: Database, api: Watchful) -> FaultyPlace:
    """A place whose stream ran before, with an event that waits, a reject, and rows that are due."""
    fill(database, 1, 60)
    database.do("UPDATE customers SET email = NULL WHERE id = 3")
    assert faulty.run().code == 3
    fill(database, 61, 100)
    database.do("UPDATE customers SET name = 'new', updated_at = now() WHERE id = 9")
    api.calls.clear()
    api.changing.clear()
    return faulty


def on(name: str, reply: Reply) -> Callable[[Call], Reply | None]:
    return lambda call: reply if call.name == name else None


ITEM_ERRORS = success({"eventId": "e", "errors": [{"email": "p61@example.com", "message": "no"}, "something"]})
FAULTS: dict[str, tuple[Callable[[Call], Reply | None], int]] = {
    "nothing": (lambda _: None, 0),
    "401 at the start": (on("me", failure(401, "authentication_error")), 5),
    "401 for the batch": (on("batch", failure(401, "authentication_error")), 5),
    "402": (on("batch", failure(402, "INSUFFICIENT_CREDITS")), 6),
    "a month that is used up": (on("batch", failure(429, "rate_limit_exceeded", window="per_month")), 6),
    "429 for a minute": (on("batch", failure(429, "rate_limit_exceeded", window="per_minute", retryAfterSeconds=1)), 5),
    "400": (on("batch", failure(400, "validation_error", message="a row is not valid")), 5),
    "500": (on("batch", failure(500, "server_error")), 5),
    "502 for everything": (lambda _: failure(502, "bad_gateway"), 5),
    "a page in HTML": (on("batch", html()), 5),
    "a redirect": (on("batch", redirect(302, "https://elsewhere.example/")), 2),
    "a reset": (on("batch", reset()), 5),
    "half an answer": (on("batch", truncated_length()), 5),
    "an answer without data": (on("batch", answer(b'{"success": true}')), 5),
    "an answer that says no": (on("batch", answer(b'{"success": false, "error": "validation_error"}')), 5),
    "item errors": (on("batch", ITEM_ERRORS), 3),
    "no collections": (on("collections", success({"actions": []})), 2),
}


def test_a_dry_run_changes_nothing_whatever_the_server_answers(
    settled: FaultyPlace, database: Database, api: Watchful
) -> None:
    before, table = _all(settled), database.do("SELECT * FROM customers ORDER BY id")
    for name, (judge, code) in FAULTS.items():
        api.judge = judge
        ended = settled.run("--dry-run")
        assert _all(settled) == before, name
        assert api.changing == [], name
        assert ended.code == code, (name, ended.out, ended.err)
    assert database.do("SELECT * FROM customers ORDER BY id") == table
    assert api.count("event") == 0


def _spoil_map(place: FaultyPlace) -> None:
    place.write_map(MAP.replace("[strip, lower]", "[number]"))


def _break_url(place: FaultyPlace) -> None:
    place.variables["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/nowhere"


SOURCES: dict[str, tuple[Callable[[FaultyPlace, Database], Any], int]] = {
    "no server": (lambda place, _: _break_url(place), 4),
    "no table": (lambda _, database: database.do("DROP TABLE customers"), 2),
    "no column": (lambda _, database: database.do("ALTER TABLE customers DROP COLUMN plan"), 2),
    "another key": (lambda place, _: place.write_map(MAP.replace("email: email", "email: id")), 0),
    "a transform that fits no row": (lambda place, _: _spoil_map(place), 2),
    "a map that cannot be read": (lambda place, _: place.write_map(MAP + "\t}"), 2),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_dry_run_changes_nothing_whatever_the_source_or_the_map_does(
    settled: FaultyPlace, database: Database, api: Watchful, name: str
) -> None:
    spoil, code = SOURCES[name]
    spoil(settled, database)
    before = _all(settled)
    ended = settled.run("--dry-run")
    assert _all(settled) == before
    assert api.changing == []
    assert ended.code == code, ended.out + ended.err


def test_a_dry_run_of_any_kind_changes_nothing(settled: FaultyPlace, api: Watchful) -> None:
    before = _all(settled)
    for options in ("", "--full", "--resend", "--limit 5"):
        for command in ("run", "backfill customers"):
            if command == "run" or options in ("", "--resend"):
                ended = settled.memsync(*command.split(), *options.split(), "--dry-run")
                assert ended.code in (0, 3), ended.err
                assert "dry run: nothing was stored" in ended.out
                assert (_all(settled), api.changing) == (before, []), (command, options)


def test_a_dry_run_without_a_store_makes_none(faulty: FaultyPlace, database: Database, api: Watchful) -> None:
    fill(database, 1, 20)
    before = _all(faulty)
    api.judge = on("batch", failure(500, "server_error"))
    assert faulty.run("--dry-run").code == 5
    assert (_all(faulty), api.changing) == (before, [])


def test_a_dry_run_beside_a_real_one_disturbs_nothing_of_it(
    settled: FaultyPlace, database: Database, api: Watchful
) -> None:
    """It needs no lease, and what it sees is the state before or between the steps of the other."""
    dry: list[Any] = []

    def judge(call: Call) -> None:
        if call.name == "batch" and not dry:
            dry.append(None)
            dry[0] = settled.start("run", "--json", "--dry-run")

    api.judge = judge
    assert settled.run().code == 0
    ended = end_of(dry[0])
    assert (ended.code, ended.stream["accepted"]) == (0, 0)
    assert sorted(api.emails[59:]) == sorted([f"p{n}@example.com" for n in range(61, 101)] + ["p9@example.com"])


def test_a_dry_run_that_is_killed_or_stopped_leaves_the_state_as_it_was(settled: FaultyPlace, api: Watchful) -> None:
    before = _all(settled)
    settled.clocks["sync.deliver.GRACE"] = 0.3
    for end in (subprocess.Popen.kill, subprocess.Popen.terminate):
        process: list[subprocess.Popen[str]] = []
        api.judge = on("batch", drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b" "))
        seen = api.count("batch")
        process.append(settled.start("run", "--dry-run"))
        api.wait_for("batch", seen + 1)
        end(process[0])
        assert end_of(process[0]).code in (-9, 143)
        after = _all(settled)
        # A reader that is killed leaves its index of the log behind, which says nothing and is made anew.
        assert {name: mark for name, mark in after.items() if not name.endswith(("-shm", "-wal"))} == before
        assert all((settled.folder / name).stat().st_size == 0 for name in after if name.endswith("-wal"))
    assert api.changing == []


def test_a_dry_run_over_a_log_that_a_killed_run_left_sees_it_and_loses_nothing_of_it(
    settled: FaultyPlace, database: Database, api: Watchful
) -> None:
    process: list[subprocess.Popen[str]] = []

    def judge(call: Call) -> None:
        if call.name == "batch" and api.count("batch") == 5:
            process[0].kill()

    settled.variables["MEMSYNC_IN_FLIGHT"] = "1"
    api.judge = judge
    process.append(settled.started_run())
    assert end_of(process[0]).code == -9
    api.judge = lambda _: None
    path = Path(settled.folder / STATE)

    def dump() -> list[str]:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as store:
            return list(store.iterdump())

    before = dump()
    api.changing.clear()
    assert settled.run("--dry-run").code == 0
    assert (dump(), api.changing) == (before, [])
    assert settled.run().code == 0
    assert set(api.emails) == {f"p{number}@example.com" for number in range(1, 101) if number != 3}
