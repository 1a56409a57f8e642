"""The rate limit that all processes on one store share."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import pytest
from fixtures_state import Clock

from state import Store, open_store
from state.limiter import FARTHEST


def test_calls_are_spread_at_the_even_pace(store: Store) -> None:
    assert [store.reserve("org", 2.0, 0.0) for _ in range(3)] == pytest.approx([0.0, 2.0, 4.0])


def test_calls_may_run_ahead_by_the_burst(store: Store) -> None:
    assert [store.reserve("org", 1.0, 2.0) for _ in range(5)] == pytest.approx([0.0, 0.0, 0.0, 1.0, 2.0])


def test_an_idle_limiter_saves_nothing_up_beyond_its_burst(store: Store, clock: Clock) -> None:
    store.reserve("org", 1.0, 0.0)
    clock.advance(100)
    assert [store.reserve("org", 1.0, 0.0) for _ in range(2)] == pytest.approx([0.0, 1.0])


def test_limits_of_two_organisations_are_apart(store: Store) -> None:
    store.reserve("one", 60.0, 0.0)
    assert store.reserve("two", 60.0, 0.0) == 0.0


def test_nobody_calls_while_the_server_said_to_wait(store: Store) -> None:
    store.postpone("org", 30.0)
    assert store.reserve("org", 1.0, 0.0) == pytest.approx(30.0)
    store.postpone("org", 5.0)
    assert store.reserve("org", 1.0, 0.0) == pytest.approx(31.0)


def test_a_clock_that_was_set_back_does_not_stop_calls_for_hours(store: Store, clock: Clock) -> None:
    store.reserve("org", 1.0, 0.0)
    clock.wall -= 2 * FARTHEST
    assert store.reserve("org", 1.0, 0.0) == 0.0
    assert store.reserve("org", 1.0, 0.0) == pytest.approx(1.0)


def test_without_a_clock_of_its_own_a_store_paces_by_the_real_one(state_url: str) -> None:
    with open_store(state_url) as store:
        assert store.reserve("org", 10.0, 0.0) == 0.0
        assert 9.0 < store.reserve("org", 10.0, 0.0) <= 10.0


_CALL = """
import sys, time
from state import open_store
with open_store(sys.argv[1]) as store:
    end = time.time() + 1.2
    while time.time() < end:
        time.sleep(store.reserve("org", 0.1, 0.2))
        print(time.time(), flush=True)
"""


def test_several_processes_on_one_store_never_exceed_the_limit_together(
    state_url: str, other_process: Callable[..., subprocess.Popen[str]]
) -> None:
    open_store(state_url).close()
    processes = [other_process(_CALL, state_url) for _ in range(3)]
    calls = sorted(float(line) for process in processes for line in process.communicate(timeout=30)[0].split())
    assert len(calls) >= 8
    for first in range(len(calls)):
        within = sum(1 for call in calls[first:] if call < calls[first] + 1.0)
        assert within <= 10 + 2 + 2  # the pace, the burst, and what waking up late moves from one second to the next


def test_reserving_takes_no_time_from_others_while_it_waits(store: Store) -> None:
    began = time.monotonic()
    assert store.reserve("org", 60.0, 0.0) == 0.0
    assert store.reserve("org", 60.0, 0.0) == pytest.approx(60.0)
    assert time.monotonic() - began < 5
