"""Running a program and reading off what it took, from the operating system."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# A process inherits the most memory of the one that starts it: a bare Python in between keeps that small.
_START = """\
import json, os, sys, time
began = time.perf_counter()
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(child, 0)
took = [time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss]
with open(sys.argv[1], "w") as file:
    json.dump([os.waitstatus_to_exitcode(status), *took], file)
"""
_KILOBYTE = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Taken:
    """What a program took, those that it started included; memory is that of the largest. Seconds and megabytes."""

    wall: float
    cpu: float
    memory: float
    output: str


def measure(arguments: list[str], folder: Path, variables: dict[str, str]) -> Taken:
    """Run a program to its end; one that fails ends the benchmark with its own words."""
    out, err, report = folder / "stdout", folder / "stderr", folder / "taken.json"
    command = [sys.executable, "-I", "-S", "-c", _START, str(report), *arguments]
    with out.open("wb") as output, err.open("wb") as errors:
        subprocess.run(command, cwd=folder, env=os.environ | variables, stdout=output, stderr=errors, check=True)
    code, wall, cpu, memory = json.loads(report.read_text())
    if code:
        sys.exit(f"{' '.join(arguments)} ended with {code}: {err.read_text()[-2000:]}")
    return Taken(wall, cpu, memory * _KILOBYTE / 1024**2, out.read_text())
