"""What commands take that have little to do: nearly all of it is the start.

    python -m benchmarks.start_up [--rows N] [--repeat N]

Medians of processor time, which other work on the machine hardly changes, and of the time that a person waits; beside
the first its bound. Ends with 1 where a bound is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.contest import MEMSYNC, RUN, Arena, arena
from benchmarks.measure import Taken, measure
from benchmarks.table import fill
from sync.__main__ import COMMANDS
from sync.demo.postgres import embedded_postgres

HELP, LOOK, ASK, NOTHING_NEW = 0.25, 0.6, 0.9, 0.9
"""Seconds of processor time, at most: help, a look at what is here, a look at source and destination, a run."""
MEMORY = 100
"""Megabytes, at most."""


class Case(NamedTuple):
    """A command, and the processor time that it may take."""

    arguments: Sequence[str]
    bound: float

    @property
    def name(self) -> str:
        """The command as a person types it."""
        return f"memsync {' '.join(self.arguments)}"


def cases() -> Iterator[Case]:
    """Every command's help, then commands that end quickly."""
    yield Case(["--help"], HELP)
    yield from (Case([name, "--help"], HELP) for name in COMMANDS)
    yield Case(["status"], LOOK)
    yield Case(["health", "--max-age", "1h"], LOOK)
    yield Case(["validate", "--offline"], LOOK)
    yield Case(["validate"], ASK)
    yield Case(RUN[len(MEMSYNC) :], NOTHING_NEW)


def main() -> None:
    """Print the figures; end with 1 where one is above its bound."""
    parser = argparse.ArgumentParser(prog="benchmarks.start_up")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=5)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="memsync-start-up-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with embedded_postgres(folder / "postgres") as database, arena(folder, database) as place:
            fill(database, wanted.rows)
            measure(RUN, folder, place.variables)
            print(f"{'':44}{'CPU s':>7}{'bound':>7}{'wall s':>8}{'MB':>6}")
            sound = [_show(case, place, wanted.repeat) for case in cases()]
    if not all(sound):
        sys.exit(1)


def _show(case: Case, place: Arena, repeat: int) -> bool:
    command = [*MEMSYNC, *case.arguments]
    taken: list[Taken] = [measure(command, place.folder, place.variables) for _ in range(repeat)]
    cpu, memory = median(one.cpu for one in taken), max(one.memory for one in taken)
    is_well = cpu <= case.bound and memory <= MEMORY
    wall, mark = median(one.wall for one in taken), "" if is_well else "  missed"
    print(f"{case.name:44}{cpu:7.2f}{case.bound:7.2f}{wall:8.2f}{memory:6.0f}{mark}", flush=True)
    return is_well


if __name__ == "__main__":
    main()
