"""A folder, a Postgres and a memory API for tests of faults: commands run as processes, with shorter clocks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from doubles.memory_api import MemoryApi
from fixtures_postgres import Database
from workplace import MAP, OURS, TABLE, Ended, Workplace

_QUICK = str(Path(__file__).parent / "doubles" / "quick_memsync.py")
_ROWS = """
INSERT INTO customers (id, email, name, plan, notes)
SELECT n, 'p' || n || '@example.com', 'Name ' || n, 'Team', 'Note ' || n FROM generate_series(%s::int, %s) n
"""


@dataclass
class FaultyPlace(Workplace):
    """A workplace whose commands wait less, and whose processes do not outlive the test."""

    clocks: dict[str, Any] = field(default_factory=dict)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        process = subprocess.Popen(
            [sys.executable, _QUICK, *arguments],
            cwd=self.folder,
            env=clean | self.variables | {"MEMSYNC_TEST_CLOCKS": json.dumps(self.clocks)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def memsync(self, *arguments: str) -> Ended:
        with pytest.MonkeyPatch.context() as patch:
            for clock, seconds in self.clocks.items():
                patch.setattr(clock, seconds)
            return super().memsync(*arguments)

    def started_run(self, *arguments: str) -> subprocess.Popen[str]:
        """`memsync run --json` that is not waited for."""
        return self.start("run", "--json", "--wait", "0s", "--yes", *arguments)

    def run(self, *arguments: str) -> Ended:
        """The same, to its end; nobody is there to agree to much text."""
        return super().run("--yes", *arguments)

    def settings(self, text: str, name: str = "customers.yaml", stream: str = "customers") -> None:
        """Write the map with another `destination`."""
        changed = MAP.replace("{rowsPerCall: 10}", text).replace("stream: customers", f"stream: {stream}")
        self.write_map(changed, name)

    def position(self, stream: str = "customers") -> Any:
        """The incremental cursor as `memsync status --json` shows it; None before there is one."""
        found = self.memsync("status", stream, "--json").json["streams"][0]["positions"]
        return found.get("incremental", {}).get("cursor")

    def rejects(self, *arguments: str) -> list[dict[str, Any]]:
        """What `memsync rejects list --json` lists."""
        found: list[dict[str, Any]] = self.memsync("rejects", "list", *arguments, "--json").json["rejects"]
        return found


def end_of(process: subprocess.Popen[str], patience: float = 60.0) -> Ended:
    """Wait for a started command."""
    out, err = process.communicate(timeout=patience)
    return Ended(process.returncode, out, err)


def seconds_to_end(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[Ended, float]:
    """Send a signal; how the command ended, and how long that took."""
    process.send_signal(number)
    began = time.monotonic()
    ended = end_of(process)
    return ended, time.monotonic() - began


def fill(database: Database, first: int, last: int, table: str = "customers") -> None:
    """Rows with these numbers, all of one moment."""
    database.do(_ROWS.replace("customers", table), first, last)


@pytest.fixture
def api() -> Iterator[MemoryApi]:
    with MemoryApi() as one:
        yield one


@pytest.fixture
def faulty(tmp_path: Path, database: Database, api: MemoryApi) -> Iterator[FaultyPlace]:
    database.do(TABLE)
    folder = tmp_path / "work"
    folder.mkdir()
    variables = {"DATABASE_URL": database.url, "PERSONIZE_BASE_URL": api.url, "PERSONIZE_SECRET_KEY": "sk_test_1"}
    made = FaultyPlace(folder, variables | {"PERSONIZE_API_VERSION": "v1"})
    pauses = {"AMBIGUOUS_PAUSE": 0.3, "FIRST_PAUSE": 0.05, "LONGEST_PAUSE": 0.3}
    made.clocks = {f"sync.memory.writer.{name}": seconds for name, seconds in pauses.items()}
    made.write_map(MAP)
    yield made
    for process in made.started:
        process.kill()
        process.communicate()
