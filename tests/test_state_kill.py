"""kill -9 at any moment: the store opens again, and the position is never ahead of what was accepted with it."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures_state import owner

from state import open_store

_APPLY = """
import sys
from state import open_store
from state.owner import this_process
from state.values import AcceptedChunk, Entry, Position, Step
store = open_store(sys.argv[1])
lease = store.acquire("contacts", this_process())
kept = store.position("contacts", "incremental")
at = kept.cursor["at"] if kept else 0
print("ready", flush=True)
while True:
    at += 1
    entries = [Entry(f"{at}-{number}", at.to_bytes(8, "big"), "i") for number in range(20)]
    position = Position({"at": at}, False, "m", "o", "d")
    store.apply(lease, Step([AcceptedChunk(f"event-{at}", entries)], purpose="incremental", position=position))
"""
_OPEN = "import sys, state; print('ready', flush=True); state.open_store(sys.argv[1])"


def _is_whole(url: str) -> int:
    """Check what a killed process left, from the tables themselves; returns how many steps it came."""
    with open_store(url) as store:
        kept = store.position("contacts", "incremental")
        at = 0 if kept is None or kept.cursor is None else int(kept.cursor["at"])
        waiting = store.unsettled("contacts")
        assert [chunk.event_id for chunk in waiting] == [f"event-{step}" for step in range(1, at + 1)]
        assert [len(chunk.entries) for chunk in waiting] == [20] * at
        keys = [key for chunk in waiting for key, _ in chunk.entries]
        assert len(store.fingerprints("contacts", keys)) == len(keys) == store.counts("contacts")["delivered"]
        store.release(store.acquire("contacts", owner()))  # the dead holder is no hindrance
    return at


def _rounds(count: int, url: str, other_process: Callable[..., subprocess.Popen[str]]) -> None:
    seeded, before = random.Random(17), 0
    for _ in range(count):
        process = other_process(_APPLY, url)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seeded.uniform(0.0, 0.1))
        process.kill()
        process.communicate()
        at = _is_whole(url)
        assert at >= before
        before = at
    assert before >= count


def test_a_process_that_is_killed_at_any_moment_leaves_a_store_that_is_whole(
    state_url: str, other_process: Callable[..., subprocess.Popen[str]]
) -> None:
    _rounds(6, state_url, other_process)


@pytest.mark.slow
def test_a_process_that_is_killed_a_hundred_times_leaves_a_store_that_is_whole(
    state_url: str, other_process: Callable[..., subprocess.Popen[str]]
) -> None:
    _rounds(100, state_url, other_process)


def test_a_process_that_is_killed_while_it_makes_the_store_leaves_none_or_a_whole_one(
    tmp_path: Path, other_process: Callable[..., subprocess.Popen[str]]
) -> None:
    seeded = random.Random(5)
    for number in range(6):
        path = tmp_path / f"{number}.db"
        process = other_process(_OPEN, f"sqlite:///{path}")
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seeded.uniform(0.0, 0.06))
        process.kill()
        process.communicate()
        open_store(f"sqlite:///{path}").close()


def test_a_write_ahead_log_that_is_cut_anywhere_gives_an_earlier_state_and_never_a_mixed_one(tmp_path: Path) -> None:
    source = tmp_path / "source.db"
    code = _APPLY.replace("while True:", "while at < 12:") + "\nimport os; os.kill(os.getpid(), 9)\n"
    subprocess.run([sys.executable, "-c", code, f"sqlite:///{source}"], check=False, stdout=subprocess.DEVNULL)
    log = (tmp_path / "source.db-wal").read_bytes()
    frame = 24 + 4096
    reached = set()
    for end in [*range(32, len(log) + 1, frame), len(log) - 100]:
        copy = tmp_path / f"cut-{end}.db"
        copy.write_bytes(source.read_bytes())
        (tmp_path / f"{copy.name}-wal").write_bytes(log[:end])
        reached.add(_is_whole(f"sqlite:///{copy}"))
    assert reached == set(range(13))
