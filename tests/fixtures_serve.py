"""`memsync serve` as a process on a small place: a Postgres table, the sandbox, a map with a schedule."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fixtures_postgres import Database
from workplace import MAP, TABLE, Workplace, at

from sync.sandbox import Sandbox, SandboxOptions

PATIENCE = 40.0
"""Seconds for things that take one or two on a machine with nothing else to do."""
EVERY_MINUTE = '\nschedule: {cron: "* * * * *"}\n'
YEARLY = '\nschedule: {cron: "0 0 1 1 *"}\n'


def eventually(look: Callable[[], Any], what: str = "it") -> Any:
    """The first true result of a look."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {PATIENCE:.0f} s")


class Serving:
    """One `memsync serve`, its log lines, and its pages."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.lines = process, list[str]()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        line = eventually(self._first_line, "serving")
        self.url = line.partition('"page": "')[2].partition('"')[0]

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(iter(self.process.stderr.readline, ""))

    def _first_line(self) -> str | None:
        assert self.process.poll() is None, "".join(self.lines)
        return next((one for one in self.lines if '"page"' in one), None)

    def get(self, path: str = "/", **options: Any) -> httpx.Response:
        return httpx.get(self.url + path, timeout=PATIENCE, **options)

    def said(self, *words: str) -> str:
        """The first log line that holds all of these words, once there is one."""
        return eventually(lambda: next((one for one in self.lines if all(w in one for w in words)), None), str(words))

    def count(self, word: str) -> int:
        return sum(word in line for line in self.lines)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop, and wait."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=PATIENCE)
        self._reader.join(PATIENCE)
        return code


@dataclass
class ServePlace(Workplace):
    """A workplace in which the scheduler can be started."""

    served: list[Serving] = field(default_factory=list)

    def serve(self, *arguments: str) -> Serving:
        one = Serving(self.start("serve", "--port", "0", *arguments))
        self.served.append(one)
        return one

    def close(self) -> None:
        for one in self.served:
            if one.process.poll() is None:
                one.process.kill()
            one.process.wait()
            one._reader.join(PATIENCE)
            for pipe in (one.process.stdout, one.process.stderr):
                if pipe is not None:
                    pipe.close()


@pytest.fixture
def serve_sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(database=tmp_path / "sandbox.db")) as one:
        yield one


@pytest.fixture
def serve_place(tmp_path: Path, database: Database, serve_sandbox: Sandbox) -> Iterator[ServePlace]:
    """One stream that was run once, and is due on the first of January."""
    database.do(TABLE)
    folder = tmp_path / "work"
    folder.mkdir()
    made = ServePlace(folder, at(serve_sandbox) | {"DATABASE_URL": database.url})
    made.write_map(MAP + YEARLY)
    yield made
    made.close()


def fill(database: Database, first: int, last: int) -> None:
    database.do(
        "INSERT INTO customers (id, email, name, plan, notes) "
        "SELECT n, 'p' || n || '@example.com', 'Name ' || n, 'Team', 'Note ' || n FROM generate_series(%s::int, %s) n",
        first,
        last,
    )
