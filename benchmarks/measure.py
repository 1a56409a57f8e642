"""Running a program and reading off what it took, from the operating system."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Taken:
    """What a program took. Seconds and megabytes."""

    wall: float
    cpu: float
    memory: float
    output: str


def measure(arguments: list[str], folder: Path, variables: dict[str, str]) -> Taken:
    """Run a program to its end; one that fails ends the benchmark with its own words."""
    out, err = folder / "stdout", folder / "stderr"
    began = time.perf_counter()
    with out.open("wb") as output, err.open("wb") as errors:
        process = subprocess.Popen(arguments, cwd=folder, env=os.environ | variables, stdout=output, stderr=errors)
        _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(arguments)} ended with {process.returncode}: {err.read_text()[-2000:]}")
    return Taken(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, out.read_text())
