"""`make crash SEEDS=200`: so many trials in one go, on both kinds of state store, and what they came to."""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psycopg
from fixtures_postgres import running_server
from fixtures_state import postgres_state_url

from crash.failpoints import FAILPOINTS
from crash.process import Forks
from crash.world import Figures, World

EVERY = 4
"""Every fourth trial keeps its state in Postgres."""


def main(seeds: int, first: int = 0) -> int:
    """Run the trials and print their figures as a table; 1 when a promise was broken."""
    figures, killed_at, broken = Figures(), Counter[str](), []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, Forks() as forks, running_server() as server:
        folder = Path(name)
        for seed in range(first, first + seeds):
            url = _schema(server.get_uri(), seed) if seed % EVERY == 0 else ""
            place = folder / f"trial-{seed}"
            place.mkdir()
            world = World(seed, place, forks, url)
            try:
                world.live()
            except AssertionError as problem:
                broken.append(f"seed {seed}: {problem}")
                print(broken[-1], file=sys.stderr, flush=True)
            figures.add(world.figures)
            killed_at += world.killed_at
    _print(figures, killed_at, time.monotonic() - began)
    return 1 if broken else 0


def _schema(uri: str, seed: int) -> str:
    with psycopg.connect(uri, autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA trial_{seed}")
    return postgres_state_url(psycopg.conninfo.make_conninfo(uri, options=f"-csearch_path=trial_{seed}"))


def _print(figures: Figures, killed_at: Counter[str], seconds: float) -> None:
    print("| figure | value |\n|---|---|")
    for name, value in vars(figures).items():
        print(f"| {_NAMES[name]} | {value:,} |")
    print(f"| places at which a run was killed | {sum(map(bool, killed_at.values()))} of {len(FAILPOINTS)} |")
    print(f"| minutes | {seconds / 60:.1f} |")


_NAMES = {
    "trials": "trials",
    "runs": "runs",
    "kills": "runs ended by SIGKILL",
    "rows": "rows at the end",
    "calls": "batch calls",
    "unclear": "calls applied without a proper answer",
    "lost": "rows lost",
    "duplicates": "rows stored twice without need",
    "bound": "of at most (calls without a proper answer + kills x calls in flight) x rows per call",
}

if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
