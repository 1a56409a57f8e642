"""What the sandbox keeps: over restarts, over kill -9, and whose files it refuses."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sandbox_calls import HandClock, client, person, record, search, send

from sync.sandbox import Sandbox, SandboxOptions
from sync.sandbox.database import DatabaseUnusable

SERVE = """
import sys, time
from pathlib import Path
from sync.sandbox import Sandbox, SandboxOptions
with Sandbox(SandboxOptions(database=Path(sys.argv[1]), delay=float(sys.argv[2]))) as sandbox:
    print(sandbox.url, flush=True)
    time.sleep(60)
"""


@contextmanager
def served(database: Path, delay: float) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-c", SERVE, str(database), str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_a_restart_keeps_records_memories_and_events(tmp_path: Path) -> None:
    options = SandboxOptions(database=tmp_path / "sandbox.db")
    with Sandbox(options) as sandbox, client(sandbox.url) as http:
        event = send(http, person(1, notes="Likes tea."))["eventId"]
    with Sandbox(options) as sandbox, client(sandbox.url) as http:
        assert record(http, "person1@example.com")["notes"] == "Likes tea."
        assert http.get(f"/api/v1/events/{event}").json()["data"]["status"] == "completed"
        assert http.post("/api/v1/smart-recall", json={"query": "tea"}).json()["data"]["results"]


@pytest.mark.parametrize("delay", [0, 3600])
def test_an_accepted_batch_survives_kill_9(tmp_path: Path, delay: float) -> None:
    database = tmp_path / "sandbox.db"
    with served(database, delay) as (process, url), client(url) as http:
        events = [send(http, person(number))["eventId"] for number in range(5)]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    clock = HandClock(os.stat(database).st_mtime + delay + 60)
    with Sandbox(SandboxOptions(database=database, delay=delay), clock=clock) as sandbox, client(sandbox.url) as http:
        statuses = [http.get(f"/api/v1/events/{event}").json()["data"]["status"] for event in events]
        assert statuses == ["completed"] * 5
        assert search(http)["totalMatched"] == 5


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    with Sandbox(SandboxOptions(database=tmp_path / "sandbox.db")) as sandbox, client(sandbox.url) as http:
        send(http, person(1))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes["sandbox.db"] == 0o600
    assert set(modes.values()) == {0o600}


def _foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mine (x)")


def _newer(path: Path) -> None:
    with Sandbox(SandboxOptions(database=path)):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=99")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_text("this is no database, whatever its name says\n" * 40), "not a database"),
        (lambda path: path.mkdir(), "directory"),
        (_foreign, "another program"),
        (_newer, "version 99"),
    ],
)
def test_a_file_that_is_no_sandbox_is_refused_and_left_alone(tmp_path: Path, make, reason: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "sandbox.db"
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(DatabaseUnusable, match=reason) as refused:
        Sandbox(SandboxOptions(database=path)).start()
    assert "--database" in str(refused.value)
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable, match=r"no/sandbox\.db"):
        Sandbox(SandboxOptions(database=tmp_path / "no" / "sandbox.db")).start()
