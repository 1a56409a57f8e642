"""memsync beside a hand-written minimal loop, over the same table and the same sink, in one go: `make bench`.

    python -m benchmarks [--rows N ...] [--repeat N]

Medians of the repeats, with their range. Ends with 1 where more or fewer rows were sent than had to be.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks import parts
from benchmarks.contest import (
    AGAIN,
    CHANGED,
    CHANGES,
    FIRST,
    MEMSYNC,
    STATE,
    TOUCHES,
    Arena,
    arena,
    memsync,
    minimal_loop,
    rounds,
)
from benchmarks.figures import HEAD, Figures
from benchmarks.machine import machine
from benchmarks.measure import measure
from benchmarks.store_file import bytes_per_row, fingerprints_per_row, opening
from benchmarks.table import fill
from sync.demo.postgres import embedded_postgres

AIMS = f"""\
aims: {FIRST} 1.30x CPU, 1.10x wall, 100 MB at any size, 99 % of 500 rows a call; {AGAIN} 0.90 s; {CHANGES} 1.00 s"""
BYTES_PER_ROW, OPENING, HELP = 60, 0.1, 0.25
PART_ROWS, MOST_BY_BULK = 100_000, 1_000_000


def main() -> None:
    """Print the figures as ratios."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("--rows", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--repeat", type=int, default=3)
    wanted = parser.parse_args()
    memory: list[str] = []
    with tempfile.TemporaryDirectory(prefix="memsync-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        _start_up(folder)
        with embedded_postgres(folder / "postgres") as database:
            print(machine(database))
            for rows in wanted.rows:
                fill(database, rows)
                with arena(folder, database) as place:
                    memory.append(f"{rows:,} rows {_compare(place, rows, wanted.repeat):.0f} MB")
            fill(database, PART_ROWS)
            with arena(folder, database) as place:
                parts.show(place)
    print(f"\nmemsync's memory, at most, in a first run: {', '.join(memory)}\n{AIMS}\n", flush=True)
    from benchmarks import hubspot, salesforce  # what they import is theirs alone

    sound = [salesforce.main(min(max(wanted.rows), MOST_BY_BULK)), hubspot.main()]
    sys.exit(0 if all(sound) else 1)


def _start_up(folder: Path) -> None:
    took = [measure([*MEMSYNC, "--help"], folder, {"PYTHONPATH": str(Path.cwd())}) for _ in range(5)]
    wall, cpu = median(one.wall for one in took), median(one.cpu for one in took)
    print(f"memsync --help (median of 5): {wall:.2f} s, {cpu:.2f} s CPU (bound {HELP} s)")


def _compare(place: Arena, rows: int, repeat: int) -> float:
    """Print a table for one size; the most megabytes that a first run took."""
    loop, ours, figures, kept = minimal_loop(), memsync(), Figures(), ""
    must = {FIRST: rows, AGAIN: 0, CHANGES: CHANGED, TOUCHES: 0}
    for _ in range(repeat):
        for round_, one, outcome in rounds(place, (loop, ours)):
            figures.note(round_, one.name, outcome)
            if one == ours and outcome.rows != must[round_]:
                sys.exit(f"{round_}: expected {must[round_]:,} rows at the sink, found {outcome.rows:,}")
            if one == ours and round_ == FIRST:
                kept = _kept(place.folder / STATE, rows)
    print(f"\n{f'{rows:,} rows':20}{HEAD}", *figures.lines(beside=loop.name), kept, sep="\n", flush=True)
    return figures.memory(FIRST, ours.name)


def _kept(file: Path, rows: int) -> str:
    size, alone, took = bytes_per_row(file, rows), fingerprints_per_row(file, rows), opening(file)
    apart = (
        f"; fingerprints alone {alone:.1f} (bound {BYTES_PER_ROW}), the rest is of events to be followed"
        if alone
        else ""
    )
    return f"state after the first run: {size:.1f} bytes a row{apart}; opened in {took:.3f} s (bound {OPENING} s)"


if __name__ == "__main__":
    main()
