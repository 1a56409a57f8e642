"""Several programs over the same table and the same sink, in turn: first run, nothing new, a few changes."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple

from benchmarks.measure import Taken, measure
from benchmarks.sink import BATCH, KEY
from benchmarks.table import touch, touch_only
from sync.sandbox import SandboxOptions
from sync.sandbox.process import sandbox_process

MAP = """\
stream: bench
source: {connector: postgres, object: public.customers}
destination: {rowsPerCall: 500}
mapping:
  entityType: contact
  email: email
  properties:
    first_name: {sourceField: first_name, collectionName: Contacts, transform: [strip]}
    last_name: {sourceField: last_name, collectionName: Contacts}
    company: {sourceField: company, collectionName: Contacts}
    plan: {sourceField: plan, collectionName: Contacts}
    score: {sourceField: score, collectionName: Contacts}
    notes: {sourceField: notes, collectionName: Notes, extractMemories: true}
"""
MEMSYNC = [str(Path(sys.executable).with_name("memsync"))]
RUN = [*MEMSYNC, "run", "--json", "--yes", "--wait", "0s"]
STATE = "memsync-state.db"
CHANGED, TOUCHED = 10, 81
FIRST, AGAIN = "first run", "nothing new"
CHANGES, TOUCHES = f"{CHANGED} changed", f"{TOUCHED} touched, equal"


@dataclass(frozen=True, slots=True)
class Arena:
    """Where the programs run: a folder, a table, and a sink that counts."""

    folder: Path
    database: str
    sink: str

    @property
    def variables(self) -> dict[str, str]:
        """What every program finds in its environment."""
        found = {"DATABASE_URL": self.database, "PERSONIZE_BASE_URL": self.sink, "PERSONIZE_SECRET_KEY": KEY}
        return found | {"PYTHONPATH": str(Path.cwd())}

    def counted(self) -> tuple[int, int]:
        """Rows and batch calls that the sink counted so far."""
        request = urllib.request.Request(
            f"{self.sink}/api/v1/usage/current", headers={"Authorization": f"Bearer {KEY}"}
        )
        with urllib.request.urlopen(request) as answer:
            found = json.load(answer)["data"]
        return found["rows"], found["calls"].get(f"POST {BATCH}", 0)


class Contestant(NamedTuple):
    """A program under test: one run of it, knowing or not knowing what the one before did."""

    name: str
    run: Callable[[Arena], Taken]
    forget: Callable[[Arena], None]
    """Make the next run a first one."""


class Outcome(NamedTuple):
    """One run: what it took, and what came of it at the sink."""

    took: Taken
    rows: int
    calls: int


@contextmanager
def arena(folder: Path, database: str) -> Iterator[Arena]:
    """A sink, and a folder with the map."""
    (folder / "mappings").mkdir(exist_ok=True)
    (folder / "mappings" / "bench.yaml").write_text(MAP)
    with sandbox_process(SandboxOptions(sink=True)) as sink:
        yield Arena(folder, database, sink)


def memsync() -> Contestant:
    """memsync as it is installed."""

    def forget(place: Arena) -> None:
        for file in place.folder.glob(f"{STATE}*"):
            file.unlink()

    return Contestant("memsync run", lambda place: measure(RUN, place.folder, place.variables), forget)


def minimal_loop() -> Contestant:
    """The loop of `minimal.py`, told where the run before ended."""
    since: list[str] = []

    def run(place: Arena) -> Taken:
        took = measure([sys.executable, "-m", "benchmarks.minimal", *since], place.folder, place.variables)
        since[:] = [took.output.strip()]
        return took

    return Contestant("minimal loop", run, lambda _: since.clear())


def dlt(backend: str, python: Path) -> Contestant:
    """dlt with one of its ways to read, by the Python of an environment of its own."""
    command = [str(python), "-m", "benchmarks.with_dlt", backend]

    def forget(place: Arena) -> None:
        rmtree(place.folder / "dlt", ignore_errors=True)

    return Contestant(f"dlt, {backend}", lambda place: measure(command, place.folder, place.variables), forget)


def rounds(place: Arena, contestants: Sequence[Contestant]) -> Iterator[tuple[str, Contestant, Outcome]]:
    """Every round once: in each of them, one contestant after the other."""
    for one in contestants:
        one.forget(place)
    for name in (FIRST, AGAIN, CHANGES, TOUCHES):
        if name == CHANGES:
            touch(place.database, CHANGED)
        if name == TOUCHES:
            touch_only(place.database, TOUCHED)
        for one in contestants:
            yield name, one, _run(place, one)


def _run(place: Arena, one: Contestant) -> Outcome:
    rows, calls = place.counted()
    took = one.run(place)
    more_rows, more_calls = place.counted()
    return Outcome(took, more_rows - rows, more_calls - calls)
