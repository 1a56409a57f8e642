"""Microseconds per row of the state store: accepting rows in steps of 500, and looking 5,000 keys up at a time.

    python -m benchmarks.state_store [ROWS] [URL]

CPU is this process's; with Postgres the server works besides. Without a URL: SQLite in a temporary folder.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter, process_time

from state import Store, open_store
from state.owner import this_process
from state.values import AcceptedChunk, Entry, Lease, Position, Step

STEP, LOOK_UP = 500, 5_000


def key_of(number: int, *, scattered: bool) -> str:
    """Keys in the order of the index, as serial numbers are, or all over it, as the rows that changed are."""
    return f"{number * 2654435761 % 2**32 if scattered else number:010d}"


def steps(rows: int, fingerprint: bytes, *, scattered: bool) -> Iterator[Step]:
    for start in range(0, rows, STEP):
        entries = [
            Entry(key_of(number, scattered=scattered), fingerprint, f"{number:016x}")
            for number in range(start, start + STEP)
        ]
        position = Position({"v": 1, "at": start}, complete=False, map_hash="m", origin="o", destination="d")
        yield Step([AcceptedChunk(f"event-{start}", entries)], purpose="incremental", position=position)


def measured(name: str, rows: int, works: Iterator[Callable[[], object]]) -> None:
    """Time what the works do, without what it takes to make them."""
    cpu = wall = 0.0
    for work in works:
        cpu_before, wall_before = process_time(), perf_counter()
        work()
        cpu += process_time() - cpu_before
        wall += perf_counter() - wall_before
    print(f"{name:<42} {cpu / rows * 1e6:7.2f} {wall / rows * 1e6:8.2f}")


def accepting(store: Store, lease: Lease, several: Iterator[Step]) -> Iterator[Callable[[], object]]:
    for step in several:
        yield partial(store.apply, lease, step)


def looking_up(store: Store, first: int, rows: int, *, scattered: bool) -> Iterator[Callable[[], object]]:
    for start in range(first, first + rows, LOOK_UP):
        keys = [key_of(number, scattered=scattered) for number in range(start, start + LOOK_UP)]
        yield partial(store.fingerprints, "contacts", keys)


def import_time() -> float:
    """Milliseconds that a new process spends on `import state`, the best of five."""
    code = "from time import perf_counter as t; a = t(); import state; print((t() - a) * 1000)"
    command = [sys.executable, "-c", code]
    return min(float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(5))


def main(rows: int = 100_000, url: str | None = None) -> None:
    print(f"{f'{rows:,} rows, ' + ('Postgres' if url else 'SQLite'):<42}  us CPU  us in all (per row)")
    for scattered in (False, True):
        with tempfile.TemporaryDirectory() as folder, open_store(url or f"sqlite:///{folder}/state.db") as store:
            measure(store, rows, scattered=scattered)
            if store.path is not None:
                print(f"{'bytes of file per row':<42} {store.path.stat().st_size / rows:7.0f}")
    print(f"{'import state':<42} {import_time():7.0f} ms")


def measure(store: Store, rows: int, *, scattered: bool) -> None:
    lease, keys = store.acquire("contacts", this_process()), "scattered keys" if scattered else "keys in order"
    for name, fingerprint in (("new", b"a" * 24), ("changed", b"b" * 24)):
        several = steps(rows, fingerprint, scattered=scattered)
        measured(f"accept, all {name}, {keys}", rows, accepting(store, lease, several))
    measured(f"look up, all known, {keys}", rows, looking_up(store, 0, rows, scattered=scattered))
    measured(f"look up, none known, {keys}", rows, looking_up(store, rows, rows, scattered=scattered))
    store.reset(lease)
    store.release(lease)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, *sys.argv[2:3])
