"""What a run may spend, as a user meets it: limits, guards, and what a dry run says beforehand."""

from __future__ import annotations

import os
import pty
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures_postgres import Database
from test_run import add
from workplace import MAP, MEMSYNC, TABLE, Workplace, at

from sync.sandbox import Sandbox, SandboxOptions

GUARDED = MAP + "limits: {confirmAbove: 20}\n"
PLAIN = MAP.replace("extractMemories: true", "extractMemories: false") + "limits: {confirmAbove: 20}\n"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(database=tmp_path / "sandbox.db")) as one:
        yield one


@pytest.fixture
def place(tmp_path: Path, database: Database, sandbox: Sandbox) -> Workplace:
    database.do(TABLE)
    folder = tmp_path / "work"
    folder.mkdir()
    made = Workplace(folder, at(sandbox) | {"DATABASE_URL": database.url})
    made.write_map(GUARDED)
    return made


def test_a_first_run_with_much_text_sends_nothing_unasked(
    place: Workplace, database: Database, sandbox: Sandbox
) -> None:
    add(database, 1, 25)
    ended = place.run()
    assert (ended.code, ended.stream["status"], ended.stream["sent"]) == (6, "unconfirmed", 0)
    assert "about 25 records are due" in ended.stream["message"]
    assert "--yes" in ended.stream["message"]
    assert sandbox.seen().rows == 0
    agreed = place.run("--yes")
    assert (agreed.code, agreed.stream["sent"]) == (0, 25)
    add(database, 26, 60)
    assert (place.run().code, place.run().stream["sent"]) == (0, 0)  # the first run is over


def test_a_limit_below_the_guard_needs_no_consent(place: Workplace, database: Database) -> None:
    add(database, 1, 25)
    ended = place.run("--limit", "5")
    assert (ended.code, ended.stream["sent"]) == (0, 5)
    assert place.run().code == 6


def test_a_map_without_text_needs_no_consent(place: Workplace, database: Database) -> None:
    add(database, 1, 25)
    place.write_map(PLAIN)
    assert place.run().code == 0


def test_a_backfill_with_much_text_needs_consent_too(place: Workplace, database: Database) -> None:
    add(database, 1, 25)
    assert place.run("--yes").code == 0
    place.write_map(GUARDED.replace("confirmAbove: 20", "confirmAbove: 20, timesUsual: null"))
    ended = place.memsync("backfill", "customers", "--json", "--wait", "0s", "--resend")
    assert (ended.code, ended.stream["status"]) == (6, "unconfirmed")
    assert place.memsync("backfill", "customers", "--json", "--wait", "0s", "--resend", "--yes").stream["sent"] == 25


def test_a_backfill_of_what_was_delivered_needs_no_consent(place: Workplace, database: Database) -> None:
    add(database, 1, 25)
    place.run("--yes")
    ended = place.memsync("backfill", "customers", "--json", "--wait", "0s")
    assert (ended.code, ended.stream["unchanged"]) == (0, 25)


def test_consent_to_a_first_run_holds_until_it_is_done(place: Workplace, database: Database) -> None:
    add(database, 1, 45)
    assert place.run("--yes", "--max-rows", "10").stream["status"] == "budget"
    assert (place.run().code, place.run().code) == (0, 0)


def test_a_failure_on_the_way_does_not_renew_what_may_be_sent_unasked(place: Workplace, database: Database) -> None:
    for first in range(1, 11, 2):
        add(database, first, first + 1)
        place.run()
    add(database, 100, 1300)
    assert place.run("--limit", "600").stream["sent"] == 600
    right = place.variables["DATABASE_URL"]
    place.variables["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    assert place.run().code == 4
    place.variables["DATABASE_URL"] = right
    assert [place.run().stream["sent"] for _ in range(2)] == [400, 0]


def test_a_dry_run_is_never_held_up_and_says_what_would_stop(place: Workplace, database: Database) -> None:
    add(database, 1, 25)
    ended = place.run("--dry-run", "--max-rows", "7")
    assert (ended.code, ended.stream["sent"]) == (0, 25)
    assert any("would be stopped after 7 rows" in note for note in ended.stream["notes"])
    assert any("about 25 records are due" in note for note in place.run("--dry-run").stream["notes"])
    place.run("--yes")
    place.write_map(MAP)
    assert not any("would be stopped" in note for note in place.run("--dry-run").stream["notes"])


def test_a_person_at_the_terminal_is_asked(place: Workplace, database: Database, sandbox: Sandbox) -> None:
    add(database, 1, 25)
    assert "Go on?" in at_terminal(place, "n", 6)
    assert sandbox.seen().rows == 0
    at_terminal(place, "y", 0)
    assert sandbox.seen().rows == 25


def at_terminal(place: Workplace, answer: str, code: int) -> str:
    """Run with a terminal for everything, give one answer, and return what was on the screen."""
    control, terminal = pty.openpty()
    variables = {k: v for k, v in os.environ.items() if k != "CI"} | place.variables
    process = subprocess.Popen(
        [MEMSYNC, "run", "--wait", "0s"],
        cwd=place.folder,
        env=variables,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    seen = b""
    while b"[y/N]" not in seen:
        seen += os.read(control, 4096)
    os.write(control, f"{answer}\n".encode())
    try:
        while part := os.read(control, 4096):
            seen += part
    except OSError:  # the other end is closed
        pass
    os.close(control)
    assert process.wait(timeout=60) == code, seen
    return seen.decode()


@pytest.mark.parametrize("limit", [["--max-rows", "10"], ["--max-credits", "20"]])
def test_a_limit_stops_the_run_and_the_next_one_goes_on(place: Workplace, database: Database, limit: list[str]) -> None:
    add(database, 1, 25)
    place.write_map(MAP)
    for sent, code in ((10, 6), (10, 6), (5, 0)):
        ended = place.run(*limit)
        assert (ended.stream["sent"], ended.code) == (sent, code)
    assert ended.stream["status"] == "ok"


def test_a_limit_of_calls_counts_every_call(place: Workplace, database: Database) -> None:
    add(database, 1, 25)
    place.write_map(MAP + "limits: {maxCalls: 2}\n")
    ended = place.run()
    assert (ended.code, ended.stream["status"], ended.stream["calls"]) == (6, "budget", 2)
    assert ended.stream["sent"] == 20
    assert "maxCalls" in ended.stream["message"]
    assert place.run().stream["sent"] == 5


def test_an_unusual_number_of_rows_needs_consent(place: Workplace, database: Database) -> None:
    for first in range(1, 11, 2):
        add(database, first, first + 1)
        assert place.run().stream["sent"] == 2
    add(database, 100, 1300)
    ended = place.run()
    assert (ended.code, ended.stream["status"], ended.stream["sent"]) == (6, "unconfirmed", 1000)
    assert "2 is the usual number" in ended.stream["message"]
    again = place.run()
    assert (again.code, again.stream["sent"]) == (6, 0)
    assert place.run("--yes").stream["sent"] == 201


def test_what_killed_runs_sent_counts_for_the_guards(place: Workplace, database: Database, sandbox: Sandbox) -> None:
    for first in range(1, 11, 2):
        add(database, first, first + 1)
        assert place.run().stream["sent"] == 2
    add(database, 100, 1300)
    before = sandbox.seen().rows
    with place.start("run", "--wait", "0s") as process:
        while sandbox.seen().rows < before + 300:
            time.sleep(0.005)
        process.kill()
        process.communicate()
    killed = place.memsync("status", "--json").json["streams"][0]["runs"][0]
    numbers = killed["summary"]
    assert killed["status"] == "killed"
    assert numbers["sent"] >= 200
    assert numbers["read"] == numbers["sent"] + numbers["unchanged"] + numbers["rejected"] + numbers["filtered"]
    assert numbers["calls"] >= numbers["sent"] // 10
    ended = place.run()
    assert (ended.code, ended.stream["status"]) == (6, "unconfirmed")
    assert ended.stream["sent"] == 1000 - numbers["sent"]


def test_the_estimate_holds(tmp_path: Path, database: Database) -> None:
    """Within 5 % on calls and 15 % on time, with a plan that makes the run wait."""
    database.do(TABLE)
    add(database, 1, 1000)
    with Sandbox(SandboxOptions(database=tmp_path / "s.db", per_minute=1500)) as slow:
        place = Workplace(tmp_path / "work", at(slow) | {"DATABASE_URL": database.url})
        place.folder.mkdir()
        place.write_map(MAP + "schedule: {cron: '0 2 * * *'}\n")
        told = place.run("--dry-run").stream["estimate"]
        ended = place.memsync("run", "--json", "--wait", "1m").stream
    assert told["rows_to_extract"] == 1000
    assert told["characters_to_extract"] == sum(len(f"Note about {n}.") for n in range(1, 1001))
    assert (told["credits"], told["credits_most"]) == (1000, 2000)
    assert told["fits_before_next_run"] is True
    assert ended["settled"] == 1000
    expected = told["calls"] + told["calls_to_follow"]
    assert abs(ended["calls"] - expected) <= 0.05 * expected
    assert abs(ended["seconds"] - told["seconds"]) <= 0.15 * told["seconds"]
