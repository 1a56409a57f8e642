"""Looking at a store that does not answer: whoever asks is told so at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from state import Store, open_store
from state.errors import StoreUnreachable
from sync.serve import glance
from sync.serve.glance import Glance


class Door:
    """The way to a store, which can be blocked."""

    def __init__(self, store: Store) -> None:
        self.store, self.open, self.visits = store, threading.Event(), 0
        self.open.set()
        self.problem: StoreUnreachable | None = None
        self.doubts: list[str] = []

    @contextmanager
    def use(self) -> Iterator[Store]:
        self.visits += 1
        self.open.wait(20)
        if self.problem:
            raise self.problem
        yield self.store


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(glance, "KEPT", -1.0)
    with open_store(f"sqlite:///{tmp_path}/state.db") as store:
        store.watch(["a"])
        yield Door(store)


def test_a_silent_store_is_said_and_what_was_seen_last_is_shown(door: Door) -> None:
    looks = Glance(door.use, door.doubts.append, patience=1.0)
    end = time.monotonic() + 20
    while set(looks.look().states) != {"a"} and time.monotonic() < end:
        time.sleep(0.01)
    door.open.clear()
    visits = door.visits
    began = time.monotonic()
    seen = [looks.look() for _ in range(10)]
    assert time.monotonic() - began < 10
    assert door.visits == visits + 1
    assert all(set(one.states) == {"a"} and "has not answered" in str(one.away) for one in seen)
    door.open.set()
    end = time.monotonic() + 20
    while looks.look().away and time.monotonic() < end:
        time.sleep(0.01)
    assert looks.look().away is None


def test_a_store_that_is_away_is_doubted_and_shown_as_last_seen(door: Door) -> None:
    looks = Glance(door.use, door.doubts.append)
    looks.look()
    door.problem = StoreUnreachable("away")
    seen = looks.look()
    assert (set(seen.states), seen.away, door.doubts) == ({"a"}, "away", ["away"])
    door.problem = None
    assert looks.look().away is None


def test_a_look_is_good_for_a_while(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glance, "KEPT", 60.0)
    looks = Glance(door.use, door.doubts.append)
    for _ in range(5):
        looks.look()
    assert door.visits == 1
