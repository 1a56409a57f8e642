"""Where the time of a first run goes, part by part and function by function: `make profile`.

    python -m benchmarks.where [--rows N]

The run's threads are looked at every five milliseconds. What a thread's own CPU clock gained since the last look goes
to the function it is found in, and the rest of the time counts as waiting there. Python shows a thread only where it
lets another one in, so single functions are rough; parts are not.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.contest import arena
from benchmarks.measure import measure
from benchmarks.sampled import IMPORTING
from benchmarks.table import fill
from sync.demo.postgres import embedded_postgres

RUN = ["run", "--json", "--yes", "--wait", "0s"]
TOP = 25
PARTS = {
    "connectors/": "read",
    "sync/read_ahead": "read",
    "sync/due": "read",
    "<string>": "map and fingerprint",
    "sync/maps/": "map and fingerprint",
    "sync/intake": "encode",
    "sync/chunks": "encode",
    "sync/memory/envelope": "encode",
    "sync/memory/": "send",
    "sync/flight": "send",
    "sync/record": "record",
    "sync/watermark": "record",
    "sync/summary": "record",
    "state/": "commit",
}
"""By the beginning of the file that the innermost function of memsync stands in; whatever else is `rest`."""
START = "start-up"


def main() -> None:
    """Run once under the sampler and print two tables."""
    parser = argparse.ArgumentParser(prog="benchmarks.where")
    parser.add_argument("--rows", type=int, default=300_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="memsync-profile-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with embedded_postgres(folder / "postgres") as database:
            fill(database, rows)
            with arena(folder, database) as place:
                file = folder / "samples.json"
                took = measure([sys.executable, "-m", "benchmarks.sampled", str(file), *RUN], folder, place.variables)
        found = json.loads(file.read_text())
    print(f"first run, {rows:,} rows: {took.wall:.2f} s, {took.cpu:.2f} s CPU, sampling included")
    _show(found, rows)


def part_of(file: str) -> str:
    """The part of the work that a file of memsync stands for."""
    if file == IMPORTING:
        return START
    return next((part for start, part in PARTS.items() if file.startswith(start)), "rest")


def _show(found: dict[str, Any], rows: int) -> None:
    parts: Counter[tuple[str, str]] = Counter({(START, "MainThread"): found["before"]})
    waiting: Counter[tuple[str, str]] = Counter()
    functions: Counter[tuple[str, str, str]] = Counter()
    for name, file, function, leaf, cpu, waited in found["rows"]:
        part, thread = part_of(file), name.rstrip("0123456789-")  # `send-1` and `send-2` do the same
        parts[part, thread] += cpu
        waiting[part, thread] += waited
        functions[part, f"{file}: {function}"[:56], leaf] += cpu
    total = found["cpu"]
    parts["sampler, unseen", ""] = total - sum(parts.values())
    print(f"\n{'part':22}{'thread':14}{'CPU s':>8}{'share':>8}{'us a row':>10}{'waits s':>9}")
    for (part, thread), cpu in parts.most_common():
        line = f"{part:22}{thread:14}{cpu:8.2f}{cpu / total:8.1%}{cpu / rows * 1e6:10.2f}"
        print(f"{line}{waiting[part, thread]:9.2f}")
    print(f"\n{'CPU s':>8}{'share':>8}  {'part':22}{'function of memsync':58}found in")
    for (part, function, leaf), cpu in functions.most_common(TOP):
        print(f"{cpu:8.2f}{cpu / total:8.1%}  {part:22}{function:58}{leaf}")


if __name__ == "__main__":
    main()
