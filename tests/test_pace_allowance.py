"""Five minutes of calls under a plan of 60 a minute, in simulated time: the allowance is used, and kept to."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.simulated import BEGIN, Case, Server, Time, simulate
from sync.memory.pace import Pacer

USED = 0.97


@pytest.mark.parametrize("window", ["sliding", "first", "minute"])
@pytest.mark.parametrize("processes", [1, 2])
def test_the_allowance_is_used_and_no_call_is_refused(tmp_path: Path, window: str, processes: int) -> None:
    found = simulate(Case(window=window, processes=processes), tmp_path)
    assert found.refused == 0
    assert USED <= found.used <= 1.02


def test_calls_that_travel_at_different_speeds_keep_the_limit_too(tmp_path: Path) -> None:
    found = simulate(Case(processes=2, unsteady=1.0), tmp_path, seed=2)
    assert found.refused == 0
    assert found.used >= USED


def test_slow_answers_do_not_slow_the_pace_while_enough_calls_are_in_flight(tmp_path: Path) -> None:
    found = simulate(Case(latency=3.0, seconds=180), tmp_path)
    assert found.refused == 0
    assert found.used >= USED


def test_a_share_of_one_leaves_no_room_for_calls_that_are_late(tmp_path: Path) -> None:
    assert simulate(Case(share=1.0), tmp_path).refused > 0


def test_the_simulation_tells_a_pace_that_is_too_quick_and_one_that_is_too_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Pacer._set_limit
    monkeypatch.setattr(Pacer, "_set_limit", lambda self, limit: real(self, int(limit * 1.2)))
    assert simulate(replace(Case(), seconds=120), tmp_path / "quick").refused > 0
    monkeypatch.setattr(Pacer, "_set_limit", lambda self, limit: real(self, int(limit * 0.9)))
    assert simulate(replace(Case(), seconds=300), tmp_path / "slow").used < USED


def test_simulated_time_moves_only_while_all_wait_and_calls_come_in_its_order() -> None:
    clock, seen = Time(), []

    def work(name: str, pause: float) -> None:
        for _ in range(3):
            clock.sleep(pause)
            seen.append((clock.now - BEGIN, name))

    began = time.monotonic()
    clock.run([lambda: work("a", 100.0), lambda: work("b", 149.0)])
    assert seen == [(100.0, "a"), (149.0, "b"), (200.0, "a"), (298.0, "b"), (300.0, "a"), (447.0, "b")]
    assert time.monotonic() - began < 60


def test_what_a_simulated_thread_raises_ends_the_simulation() -> None:
    clock = Time()
    with pytest.raises(ZeroDivisionError):
        clock.run([lambda: clock.sleep(1.0), lambda: [].append(1 / 0)])


@pytest.mark.parametrize(
    ("window", "moments", "refused"),
    [
        ("sliding", [30.0, 31.0, 89.0, 90.1], [89.0]),
        ("first", [30.0, 31.0, 89.0, 90.1], [89.0]),
        ("minute", [30.0, 31.0, 59.0, 60.1], [59.0]),
        ("sliding", [59.0, 59.5, 60.1], [60.1]),
        ("first", [59.0, 59.5, 60.1], [60.1]),
        ("minute", [59.0, 59.5, 60.1], []),
    ],
)
def test_the_three_windows_let_through_what_they_say(window: str, moments: list[float], refused: list[float]) -> None:
    server = Server(2, window)
    assert [at for at in moments if server.take(6000 + at) is not None] == refused
