"""The state store of a run from outside: what a row costs on disk, and what opening it takes."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from statistics import median

_OPEN = """\
import sys
from time import perf_counter
from state import open_store
began = perf_counter()
with open_store(sys.argv[1]):
    print(perf_counter() - began)
"""


def bytes_per_row(file: Path, rows: int) -> float:
    """Everything on disk, journals included."""
    return sum(one.stat().st_size for one in file.parent.glob(f"{file.name}*")) / rows


def fingerprints_per_row(file: Path, rows: int) -> float | None:
    """Of these, what the table of fingerprints takes; None where this SQLite cannot tell."""
    with closing(sqlite3.connect(file)) as store, suppress(sqlite3.OperationalError):
        (size,) = store.execute("SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%fingerprints%'").fetchone()
        return float(size) / rows
    return None


def opening(file: Path) -> float:
    """Seconds to open the store and close it again, imports apart, in a process of its own: the median of five."""
    command = [sys.executable, "-c", _OPEN, f"sqlite:///{file}"]
    return median(float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(5))
