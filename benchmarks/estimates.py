"""What a dry run foretells beside what the real run takes, under several plans and servers.

    python -m benchmarks.estimates

Calls within 5 % and time within 15 %; ends with 1 where one is further off.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.contest import MAP, MEMSYNC
from benchmarks.measure import measure
from benchmarks.table import fill
from sync.demo.postgres import embedded_postgres
from sync.sandbox import SandboxOptions
from sync.sandbox.process import sandbox_process

CALLS, TIME = 0.05, 0.15
"""How far an estimate may be off."""
EXPECTED = ("calls", "calls_to_follow")


class Case(NamedTuple):
    """One run: so many rows, so many in a call, under a plan, against a server that takes its time."""

    rows: int
    rows_per_call: int
    per_minute: int
    latency: float = 0.0


CASES = (
    Case(1_000, 10, 1_500),
    Case(20_000, 100, 1_200),
    Case(20_000, 100, 600),
    Case(20_000, 500, 300),
    Case(40_000, 100, 100_000, latency=0.1),
)


def main() -> None:
    """Print the cases side by side."""
    print(f"{'rows':>7}{'a call':>8}{'a minute':>10}{'latency':>9}{'calls':>15}{'':9}{'seconds':>15}")
    with tempfile.TemporaryDirectory(prefix="memsync-estimates-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with embedded_postgres(folder / "postgres") as database:
            sound = [_compare(folder, database, case) for case in CASES]
    if not all(sound):
        sys.exit(1)


def _compare(folder: Path, database: str, case: Case) -> bool:
    fill(database, case.rows)
    (folder / "mappings").mkdir(exist_ok=True)
    text = MAP.replace("rowsPerCall: 500", f"rowsPerCall: {case.rows_per_call}")
    (folder / "mappings" / "bench.yaml").write_text(text)
    for file in folder.glob("memsync-state.db*"):
        file.unlink()
    with sandbox_process(SandboxOptions(per_minute=case.per_minute, latency=case.latency)) as sandbox:
        variables = {"DATABASE_URL": database, "PERSONIZE_BASE_URL": sandbox, "PERSONIZE_SECRET_KEY": "sk_test_bench"}
        told = _summary(folder, variables, "--dry-run")["estimate"]
        took = _summary(folder, variables, "--yes", "--wait", "10m")
    expected = sum(told[name] for name in EXPECTED)
    off_calls, off_time = took["calls"] / expected - 1, took["seconds"] / told["seconds"] - 1
    print(
        f"{case.rows:7,}{case.rows_per_call:8,}{case.per_minute:10,}{case.latency:8.1f}s"
        f"{expected:7,} /{took['calls']:6,}{off_calls:+9.1%}"
        f"{told['seconds']:8.1f} /{took['seconds']:6.1f}{off_time:+9.1%}"
    )
    return bool(abs(off_calls) <= CALLS and abs(off_time) <= TIME)


def _summary(folder: Path, variables: dict[str, str], *arguments: str) -> dict[str, Any]:
    taken = measure([*MEMSYNC, "run", "--json", *arguments], folder, variables)
    found: dict[str, Any] = json.loads(taken.output)["streams"][0]
    return found


if __name__ == "__main__":
    main()
