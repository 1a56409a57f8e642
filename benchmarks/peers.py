"""memsync, a hand-written minimal loop and dlt over the same table and the same sink, in one go: `make bench-peers`.

    python -m benchmarks.peers [--rows N ...] [--repeat N] [--python FILE]

How dlt is set up, and in whose favour: `with_dlt.py`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.contest import arena, dlt, memsync, minimal_loop, rounds
from benchmarks.figures import HEAD, Figures
from benchmarks.machine import machine, versions
from benchmarks.table import fill
from benchmarks.with_dlt import BACKENDS
from sync.demo.postgres import embedded_postgres

PYTHON = Path(".venv-peers/bin/python")


def main() -> None:
    """Print medians and ratios to the minimal loop."""
    parser = argparse.ArgumentParser(prog="benchmarks.peers")
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000_000])
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--python", type=Path, default=PYTHON, help="of the environment that dlt is installed in")
    wanted = parser.parse_args()
    loop = minimal_loop()
    contestants = [loop, memsync(), *(dlt(backend, wanted.python.absolute()) for backend in BACKENDS)]
    with tempfile.TemporaryDirectory(prefix="memsync-peers-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with embedded_postgres(folder / "postgres") as database:
            print(machine(database), versions(wanted.python, "dlt", "connectorx", "pyarrow", "SQLAlchemy"), sep="; ")
            for rows in wanted.rows:
                fill(database, rows)
                with arena(folder, database) as place:
                    figures = Figures()
                    for _ in range(wanted.repeat):
                        for round_, one, outcome in rounds(place, contestants):
                            figures.note(round_, one.name, outcome)
                print(f"\n{f'{rows:,} rows':20}{HEAD}", *figures.lines(beside=loop.name), sep="\n", flush=True)


if __name__ == "__main__":
    main()
