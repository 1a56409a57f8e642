"""Whether waiting is hidden, and whether the plan's calls are used and kept to.

    python -m benchmarks.waiting

A server that takes 300 ms a call: 4 calls in flight beside 1. A plan of 60 calls a minute: five minutes in simulated
time, against three kinds of windows, and a minute in real time, by one process and by two that share a state store.
The allowance is the plan's limit times MEMSYNC_RATE_SHARE (0.9); what a share of 1 brings is told beside it and has no
bound. Ends with 1 where a figure misses its bound.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from subprocess import Popen
from typing import NamedTuple

from benchmarks.simulated import Case, simulate
from benchmarks.table import fill
from benchmarks.watched import Place, Watched, ended, most_within
from sync.demo.postgres import embedded_postgres
from sync.sandbox import SandboxOptions

LATENCY, IN_FLIGHT, SPEED_UP = 0.3, 4, 3.6
USED = 0.97
"""The part of the allowance that is used at least."""
PER_MINUTE, SHARE, WINDOW = 60, 0.9, 60.0
CHUNKS, ROWS_PER_CALL = 80, 50
PACED = 66
"""Chunks of the runs in real time: some more than a minute's allowance, so that the minute has an end."""
MAP = """\
stream: {name}
source: {{connector: postgres, object: public.customers}}
destination: {{rowsPerCall: {rows}}}
mapping:
  entityType: contact
  email: email
  properties:
    first_name: {{sourceField: first_name, collectionName: Contacts}}
    notes: {{sourceField: notes, collectionName: Notes, extractMemories: true}}
"""


class Minute(NamedTuple):
    """Runs against a plan in real time, and what is expected of them; `bound` is false where it is only told."""

    name: str
    share: float
    streams: tuple[str, ...]
    bound: bool


MINUTES = (
    Minute("one process", SHARE, ("one",), bound=True),
    Minute("two processes, one state store", SHARE, ("one", "two"), bound=True),
    Minute("one process, a share of 1", 1.0, ("one",), bound=False),
)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="memsync-waiting-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with embedded_postgres(folder / "postgres") as database:
            sound = [*_in_flight(folder, database), *_simulated(folder), *_minutes(folder, database)]
    print("every figure of waiting keeps its bound" if all(sound) else "missed: a figure is beyond its bound")
    sys.exit(0 if all(sound) else 1)


def _in_flight(folder: Path, database: str) -> Iterator[bool]:
    fill(database, CHUNKS * ROWS_PER_CALL)
    alone, together = (_rate(folder, database, places) for places in (1, IN_FLIGHT))
    print(
        f"{CHUNKS} calls of {LATENCY:g} s: {alone:.2f} a second one by one, {together:.2f} with {IN_FLIGHT} in flight: "
        f"{together / alone:.2f}x (at least {SPEED_UP}x)",
        flush=True,
    )
    yield together / alone >= SPEED_UP


def _rate(folder: Path, database: str, places: int) -> float:
    """Calls a second, from the first batch to the answer of the last."""
    with Watched(SandboxOptions(sink=True, latency=LATENCY)) as sandbox:
        in_flight = str(places)
        place = Place.at(folder / f"places-{places}", sandbox, DATABASE_URL=database, MEMSYNC_IN_FLIGHT=in_flight)
        place.write_map(MAP.format(name="bench", rows=ROWS_PER_CALL))
        summary = ended(place.start())
        batches = sandbox.batches
    if summary["sent"] != CHUNKS * ROWS_PER_CALL or len(batches) != CHUNKS:
        sys.exit(f"expected {CHUNKS} calls, found {len(batches)}: {summary}")
    return CHUNKS / (max(call.ended for call in batches) - min(call.arrived for call in batches))


def _simulated(folder: Path) -> Iterator[bool]:
    print(f"\n{PER_MINUTE} calls a minute, 5 minutes, simulated: calls made, part of limit x share, answers of 429")
    for share in (SHARE, 1.0):
        for window in ("sliding", "first", "minute"):
            for processes in (1, 2):
                case = Case(PER_MINUTE, share, processes, IN_FLIGHT, window)
                yield _tell_simulated(case, folder) or share == 1.0
    yield _tell_simulated(replace(Case(), processes=2, unsteady=1.0), folder)


def _tell_simulated(case: Case, folder: Path) -> bool:
    with tempfile.TemporaryDirectory(dir=folder) as state:
        found = simulate(case, Path(state))
    bound = f"(at least {USED:.0%}, 0)" if case.share < 1 else "(no bound)"
    of_whom = "1 process" if case.processes == 1 else f"{case.processes} processes"
    name = f"share {case.share:g}, {case.window:7} window, {of_whom:11}, up to {case.unsteady:g} s late"
    print(f"  {name}: {found.calls}, {found.used:.1%}, {found.refused} {bound}", flush=True)
    return found.used >= USED and not found.refused


def _minutes(folder: Path, database: str) -> Iterator[bool]:
    """All at the same time, each against a server of its own: they wait more than they work."""
    fill(database, PACED)
    print(f"\n{PER_MINUTE} calls a minute, in real time: what the server saw")
    with ExitStack() as stack:
        begun: list[tuple[Minute, Watched, list[Popen[str]]]] = []
        for minute in MINUTES:
            sandbox = stack.enter_context(Watched(SandboxOptions(sink=True, per_minute=PER_MINUTE)))
            begun.append((minute, sandbox, _started(folder, database, minute, sandbox)))
        for minute, sandbox, processes in begun:
            for process in processes:
                ended(process)
            yield _tell_minute(minute, sandbox)


def _started(folder: Path, database: str, minute: Minute, sandbox: Watched) -> list[Popen[str]]:
    share = str(minute.share)
    place = Place.at(folder / minute.name, sandbox, DATABASE_URL=database, MEMSYNC_RATE_SHARE=share)
    for stream in minute.streams:
        place.write_map(MAP.format(name=stream, rows=len(minute.streams)), stream)
    return [place.start(stream) for stream in minute.streams]


def _tell_minute(minute: Minute, sandbox: Watched) -> bool:
    moments = sorted(call.arrived for call in sandbox.log)
    used = sum(at < moments[0] + WINDOW for at in moments) / (PER_MINUTE * minute.share)
    most = most_within(moments, WINDOW)
    bound = f"(at least {USED:.0%}, at most {PER_MINUTE}, 0)" if minute.bound else "(no bound)"
    print(
        f"  {minute.name}: {len(moments)} calls in {moments[-1] - moments[0]:.0f} s, {used:.1%} of the allowance in "
        f"the first minute, at most {most} in any minute, {sandbox.refused} answers of 429 {bound}",
        flush=True,
    )
    return not minute.bound or (used >= USED and most <= PER_MINUTE and not sandbox.refused)


if __name__ == "__main__":
    main()
