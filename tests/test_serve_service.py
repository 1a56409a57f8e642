"""Keeping the timetable in line with maps and history, on a real store and a real scheduler that is not started."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from fixtures_state import owner
from test_serve_catalog import Folder
from test_serve_pages import picture, view

from state import Store, open_store
from sync.serve.service import Service
from sync.serve.tally import Tally
from sync.serve.timetable import Timetable
from sync.stop import Stop

HOURLY = '\nschedule: {cron: "0 * * * *"}\n'
DAY = 86400.0


class _OneStore:
    """Shared with nothing but a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def store(self) -> AbstractContextManager[Store]:
        return nullcontext(self._store)

    def mend(self) -> None: ...


class _Told:
    def __init__(self) -> None:
        self.late_streams: list[tuple[str, str]] = []
        self.map_problems: list[tuple[str, ...]] = []

    def late(self, stream: str, complaint: str) -> None:
        self.late_streams.append((stream, complaint))

    def maps(self, problems: tuple[str, ...]) -> None:
        self.map_problems.append(problems)


class _Shown:
    def look(self) -> Any:
        return picture(view("a", late="has never succeeded"), view("b"))


class Hall:
    """A service over a folder of maps, whose clock of the store can be set."""

    def __init__(self, folder: Path) -> None:
        (folder / "maps").mkdir()
        self.maps, self.told, self.now = Folder(folder / "maps"), _Told(), time.time()
        self.store = open_store(f"sqlite:///{folder}/state.db", lambda: self.now)
        self.timetable = Timetable(lambda _: None, 1, 0, lambda _: None)
        parts: list[Any] = [self.maps.catalog, _OneStore(self.store), self.timetable, _Shown(), Tally(), self.told]
        self.service = Service(*parts, Stop())

    def ran(self, stream: str, status: str, ago: float) -> None:
        self.now = time.time() - ago
        lease = self.store.acquire(stream, owner())
        self.store.finish_run(lease, self.store.start_run(lease, "run"), status, {})
        self.store.release(lease)
        self.now = time.time()

    def begin(self) -> None:
        self.maps.catalog.load()
        self.service._tick()

    def is_due_now(self, stream: str) -> bool:
        return self.timetable.next_runs()[stream] <= time.time() + 1


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    made = Hall(tmp_path)
    yield made
    made.timetable.stop()
    made.store.close()


def test_what_was_missed_is_due_at_once_and_nothing_else_is(hall: Hall) -> None:
    for name in ("missed", "failed-lately", "cut-short", "new"):
        hall.maps.write(f"{name}.yaml", name, '\nschedule: {cron: "0 0 1 1 *"}\n')
    hall.ran("missed", "ok", 400 * DAY)
    hall.ran("failed-lately", "failed", 1)
    hall.ran("cut-short", "stopped", 1)
    hall.begin()
    due = {name for name in hall.timetable.next_runs() if hall.is_due_now(name)}
    assert due == {"missed", "cut-short"}


def test_a_stream_that_was_first_seen_before_its_time_and_never_ran_missed_it(hall: Hall) -> None:
    hall.maps.write("a.yaml", "a", '\nschedule: {cron: "0 0 1 1 *"}\n')
    hall.now = time.time() - 400 * DAY
    hall.store.watch(["a"])
    hall.begin()
    assert hall.is_due_now("a")


def test_a_changed_schedule_counts_from_now_on(hall: Hall) -> None:
    hall.maps.write("a.yaml", "a", HOURLY)
    hall.ran("a", "ok", 1)
    hall.begin()
    before = hall.timetable.next_runs()["a"]
    hall.ran("a", "ok", 400 * DAY)
    hall.maps.write("a.yaml", "a", '\nschedule: {cron: "0 0 1 1 *"}\n')
    hall.service._tick()
    hall.service._tick()
    after = hall.timetable.next_runs()["a"]
    assert after != before
    assert not hall.is_due_now("a")


def test_a_map_that_changes_otherwise_keeps_its_time(hall: Hall) -> None:
    hall.maps.write("a.yaml", "a", HOURLY)
    hall.ran("a", "ok", 2 * DAY)
    hall.begin()
    due = hall.timetable.next_runs()["a"]
    hall.maps.write("a.yaml", "a", f"{HOURLY}# changed\n")
    hall.service._tick()
    hall.service._tick()
    assert hall.timetable.next_runs()["a"] == due


def test_streams_that_lose_their_schedule_or_their_map_are_not_due_any_more(hall: Hall) -> None:
    for name in "abc":
        hall.maps.write(f"{name}.yaml", name, HOURLY)
    hall.begin()
    assert set(hall.timetable.next_runs()) == {"a", "b", "c"}
    hall.maps.write("a.yaml", "a")
    (hall.maps.path / "b.yaml").unlink()
    hall.service._tick()
    hall.service._tick()
    assert set(hall.timetable.next_runs()) == {"c"}


def test_a_scheduler_that_still_waits_for_what_is_away_counts_as_alive(hall: Hall) -> None:
    assert time.monotonic() - hall.service.ticked < 0
    hall.maps.write("a.yaml", "a", HOURLY)
    hall.begin()
    assert 0 <= time.monotonic() - hall.service.ticked < 60


def test_streams_that_are_late_are_told(hall: Hall) -> None:
    hall.maps.write("a.yaml", "a", HOURLY)
    hall.begin()
    assert hall.told.late_streams == []
    hall.service._looked_for_late = float("-inf")
    hall.service._tick()
    assert hall.told.late_streams == [("a", "has never succeeded")]


def test_maps_that_are_broken_from_the_start_are_told_and_so_is_their_end(hall: Hall) -> None:
    hall.maps.write("a.yaml", "a", HOURLY)
    (hall.maps.path / "b.yaml").write_text("stream: 3\n")
    hall.begin()
    hall.service._tick()
    assert ["b.yaml" in str(told) for told in hall.told.map_problems] == [True]
    hall.maps.write("b.yaml", "b", HOURLY)
    for _ in range(3):
        hall.service._tick()
    assert hall.told.map_problems[1:] == [()]


def test_a_store_that_is_away_for_a_round_is_tried_again(hall: Hall) -> None:
    hall.maps.write("a.yaml", "a", HOURLY)
    state = Path(str(hall.store.path))
    state.rename(state.with_name("elsewhere"))
    hall.begin()
    assert hall.timetable.next_runs() == {}
    state.with_name("elsewhere").rename(state)
    hall.service._tick()
    assert set(hall.timetable.next_runs()) == {"a"}
