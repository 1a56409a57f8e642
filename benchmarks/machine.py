"""What a figure was taken on, in one line."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import psycopg

_VERSIONS = """\
import sys
from importlib.metadata import version
print(", ".join(f"{name} {version(name)}" for name in sys.argv[1:]))
"""


def machine(database: str) -> str:
    """Cores and processor, and the versions of what is on the way of every row."""
    with psycopg.connect(database) as connection:
        server = connection.info.parameter_status("server_version")
    parts = f"psycopg {version('psycopg')}, orjson {version('orjson')}, SQLAlchemy {version('SQLAlchemy')}"
    return (
        f"{os.cpu_count()} cores, {_processor()}; {platform.system()}; Python {platform.python_version()}, "
        f"PostgreSQL {server}, {parts}"
    )


def versions(python: Path, *names: str) -> str:
    """The versions of packages in the environment of another Python."""
    found = subprocess.run([str(python), "-c", _VERSIONS, *names], check=True, capture_output=True, text=True)
    return found.stdout.strip()


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
