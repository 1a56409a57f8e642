"""memsync beside a hand-written minimal loop, over the same table and the same sink, in one go."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks import hubspot, salesforce
from benchmarks.measure import Taken, measure
from benchmarks.table import fill, touch
from sync.demo.postgres import embedded_postgres
from sync.sandbox import SandboxOptions
from sync.sandbox.process import sandbox_process

MAP = """\
stream: bench
source: {connector: postgres, object: public.customers}
destination: {rowsPerCall: 500}
mapping:
  entityType: contact
  email: email
  properties:
    first_name: {sourceField: first_name, collectionName: Contacts, transform: [strip]}
    last_name: {sourceField: last_name, collectionName: Contacts}
    company: {sourceField: company, collectionName: Contacts}
    plan: {sourceField: plan, collectionName: Contacts}
    score: {sourceField: score, collectionName: Contacts}
    notes: {sourceField: notes, collectionName: Notes, extractMemories: true}
"""
MEMSYNC = [str(Path(sys.executable).with_name("memsync"))]
RUN = [*MEMSYNC, "run", "--json", "--yes", "--wait", "0s"]


def main() -> None:
    """Print the figures as ratios."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("--rows", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--repeat", type=int, default=1)
    wanted = parser.parse_args()
    print(f"{'':34}{'wall s':>9}{'CPU s':>9}{'MB':>7}{'rows/s':>10}{'CPU ratio':>11}{'wall ratio':>12}")
    with tempfile.TemporaryDirectory(prefix="memsync-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with embedded_postgres(folder / "postgres") as database:
            _start_up(folder)
            for rows in wanted.rows:
                fill(database, rows)
                for _ in range(wanted.repeat):
                    _compare(folder, database, rows)
    salesforce.main(max(wanted.rows))
    hubspot.main()


def _start_up(folder: Path) -> None:
    took = [measure([*MEMSYNC, "--help"], folder, {}) for _ in range(5)]
    print(f"{'memsync --help (median of 5)':34}{median(t.wall for t in took):9.2f}{median(t.cpu for t in took):9.2f}")


def _compare(folder: Path, database: str, rows: int) -> None:
    with sandbox_process(SandboxOptions(sink=True)) as sandbox:
        variables = {"DATABASE_URL": database, "PERSONIZE_BASE_URL": sandbox, "PERSONIZE_SECRET_KEY": "sk_test_bench"}
        loop = [sys.executable, "-m", "benchmarks.minimal"]
        here = {**variables, "PYTHONPATH": str(Path.cwd())}
        _clean(folder)
        minimal = measure(loop, folder, here)
        _show(f"minimal loop, {rows:,} rows", minimal, rows)
        first = measure(RUN, folder, variables)
        _expect(first, sent=rows)
        _show(f"memsync run, {rows:,} rows", first, rows, minimal)
        again = measure([*loop, minimal.output.strip()], folder, here)
        _show("minimal loop, nothing new", again)
        nothing = measure(RUN, folder, variables)
        _expect(nothing, sent=0)
        _show("memsync run, nothing new", nothing, beside=again)
        touch(database, 10)
        few = measure(RUN, folder, variables)
        _expect(few, sent=10)
        _show("memsync run, 10 changed", few)


def _clean(folder: Path) -> None:
    (folder / "mappings").mkdir(exist_ok=True)
    (folder / "mappings" / "bench.yaml").write_text(MAP)
    for file in folder.glob("memsync-state.db*"):
        file.unlink()


def _expect(took: Taken, *, sent: int) -> None:
    summary = json.loads(took.output)["streams"][0]
    if summary["sent"] != sent:
        sys.exit(f"expected {sent} rows sent, found {summary}")


def _show(name: str, took: Taken, rows: int | None = None, beside: Taken | None = None) -> None:
    rate = f"{rows / took.wall:10,.0f}" if rows else f"{'':10}"
    ratios = f"{took.cpu / beside.cpu:10.2f}x{took.wall / beside.wall:11.2f}x" if beside else ""
    print(f"{name:34}{took.wall:9.2f}{took.cpu:9.2f}{took.memory:7.0f}{rate}{ratios}", flush=True)


if __name__ == "__main__":
    main()
