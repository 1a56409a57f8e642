"""Microseconds of CPU per row of each part of a first run, every part driven alone on the benchmark's own table.

    python -m benchmarks.parts [--rows N]

CPU is this process's, the best of three rounds; the database and the sink work besides. What a run adds (its start,
looking for known keys, the passing of rows between threads, cores that share their caches with other processes) is in
no part: the sum is what a run could come down to.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from hashlib import blake2b
from pathlib import Path
from time import process_time, sleep
from typing import Any
from zlib import crc32

from pydantic import SecretStr

from benchmarks.contest import MAP, Arena, arena
from benchmarks.sink import KEY
from benchmarks.table import fill
from connectors.base import Streaming, Values
from state import open_store
from state.owner import this_process
from state.values import AcceptedChunk, Entry, Position, Step
from sync.assemble import identity_hasher
from sync.demo.postgres import embedded_postgres
from sync.destination import envelope_for, open_destination
from sync.maps.compile import CompiledMap, compile_map
from sync.maps.load import load_text
from sync.maps.model import PropertyMap
from sync.maps.row import HASH_SIZE, TEXT_SIZE, Row
from sync.request import open_source
from sync.settings import Settings

A_CALL, ROUNDS = 500, 3
SALT = b"salt"
_Work = Callable[[], object]
_TRIM_THRESHOLD = -1


def main() -> None:
    """Print the table for so many rows."""
    parser = argparse.ArgumentParser(prog="benchmarks.parts")
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="memsync-parts-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with embedded_postgres(folder / "postgres") as database:
            fill(database, rows)
            with arena(folder, database) as place:
                show(place)


def show(place: Arena) -> None:
    """Print the parts, over the whole table of an arena."""
    found = measured(place)
    print("\nmicroseconds of CPU a row, each part alone")
    for name, microseconds in found.items():
        print(f"  {name:58}{microseconds:7.2f}")
    print(f"  {'all but the indented':58}{sum(value for name, value in found.items() if name[0] != ' '):7.2f}")


def measured(place: Arena) -> dict[str, float]:
    """Microseconds of CPU per row by part, in the order of the work; a part of a part has an indented name."""
    _keep_memory()
    property_map = load_text(MAP)
    compiled = compile_map(property_map, SALT)
    found, names, read = _reading(place, property_map, compiled)
    make = compiled.row_of(names)
    rows = [row for values in read if isinstance(row := make(values), Row)]
    gc.freeze()  # in a run, no more than some pages are there to be looked through

    def best(work: _Work) -> float:
        return min(_cpu(work) for _ in range(ROUNDS)) / len(rows) * 1e6

    found["map with fingerprint: CompiledMap.row_of"] = best(lambda: _each(make, read))
    found["  the hash functions of it, over the same bytes"] = best(lambda: _hash(rows))
    with _neighbour():
        found["  the same map while another process works beside it"] = best(lambda: _each(make, read))
    found |= _sending(place, property_map, compiled, rows, best)
    found |= _keeping(rows, place.folder, best)
    return found


def _each(work: Callable[[Any], object], several: Iterable[Any]) -> None:
    """Do the work on each and keep nothing: what was kept would have to be looked through by the garbage collector."""
    for one in several:
        work(one)


def _keep_memory() -> None:
    """Have the C library keep what is freed: it would hand it back and ask for it again from row to row."""
    with suppress(OSError, AttributeError):  # other systems have another one
        ctypes.CDLL(None).mallopt(_TRIM_THRESHOLD, 256 * 1024 * 1024)


@contextmanager
def _neighbour() -> Iterator[None]:
    """A process that keeps one core busy, as the database and the sink do in a run."""
    with subprocess.Popen([sys.executable, "-c", "while True: [(n, str(n)) for n in range(100_000)]"]) as process:
        sleep(0.5)
        try:
            yield
        finally:
            process.kill()


def _cpu(work: _Work) -> float:
    began = process_time()
    work()
    return process_time() - began


def _reading(
    place: Arena, property_map: PropertyMap, compiled: CompiledMap
) -> tuple[dict[str, float], Sequence[str], Sequence[Values]]:
    os.environ["DATABASE_URL"] = place.database
    best, names, read = float("inf"), list[str](), list[Values]()

    def pages(make: Callable[[Values], object]) -> None:
        def maker(found: Sequence[str]) -> Callable[[Values], object]:
            names[:] = found
            return make

        with closing(open_source(property_map, None, compiled.source_fields)) as connector:
            assert isinstance(connector, Streaming)
            _each(len, connector.stream(None, None, maker))

    for _ in range(ROUNDS):
        best = min(best, _cpu(lambda: pages(len)))
    pages(read.append)
    return {"read: Streaming.stream, row by row": best / len(read) * 1e6}, names, read


def _hash(rows: Sequence[Row]) -> None:
    plain, text = blake2b(digest_size=HASH_SIZE), blake2b(digest_size=TEXT_SIZE)
    for row, values in [(row, row.plain) for row in rows]:
        keyed = plain.copy()
        keyed.update(values)
        keyed.digest()
        crc32(row.identity.encode())
        for member in row.texts:
            keyed = text.copy()
            keyed.update(member)
            keyed.digest()


def _sending(
    place: Arena, property_map: PropertyMap, compiled: CompiledMap, rows: Sequence[Row], best: Callable[[_Work], float]
) -> dict[str, float]:
    settings = Settings(personize_secret_key=SecretStr(KEY), personize_base_url=place.sink)
    with closing(open_destination(settings, lambda _: None, lambda _: None)) as destination:
        known = destination.collections()
        envelope = envelope_for(property_map, compiled, destination, known, dry_run=False)
        chunks = [rows[start : start + A_CALL] for start in range(0, len(rows), A_CALL)]

        def body(chunk: Sequence[Row]) -> bytes:
            return envelope.body([row.body for row in chunk])

        made = [body(chunk) for chunk in chunks]
        return {
            "encode: Envelope.body": best(lambda: _each(body, chunks)),
            "send: MemoryClient.batch": best(lambda: _each(destination.client.batch, made)),
        }


def _keeping(rows: Sequence[Row], folder: Path, best: Callable[[_Work], float]) -> dict[str, float]:
    hashed = identity_hasher(SALT)

    def entry(row: Row) -> Entry:
        return Entry(row.key, row.fingerprint, hashed(row.identity))

    made = [entry(row) for row in rows]
    steps = [_step(made[start : start + A_CALL], start) for start in range(0, len(made), A_CALL)]

    def kept() -> float:
        file = folder / "parts.db"
        with open_store(f"sqlite:///{file}") as store:
            lease = store.acquire("bench", this_process())
            took = _cpu(lambda: _each(partial(store.apply, lease), steps))
            store.release(lease)
        for one in folder.glob(f"{file.name}*"):
            one.unlink()
        return took / len(rows) * 1e6

    return {
        "record: Entry and the mark of the identity": best(lambda: _each(entry, rows)),
        "commit: Store.apply, 500 rows at a time": min(kept() for _ in range(ROUNDS)),
    }


def _step(entries: Sequence[Entry], start: int) -> Step:
    position = Position({"v": 1, "at": start}, complete=False, map_hash="m", origin="o", destination="d")
    chunk = AcceptedChunk(f"event-{start}", entries)
    return Step([chunk], purpose="incremental", position=position, destination="d")


if __name__ == "__main__":
    main()
