"""Holding a stream while it runs: the heartbeat, and what ends the run when the lease cannot be kept."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fixtures_state import Clock, accepted, owner, position

from state import LeaseHeld, LeaseLost, Store, StoreUnusable, open_store
from state.leases import TTL
from sync.exits import HELD, STORE, exit_of
from sync.hold import HeldState, hold
from sync.stop import Stop, Stopped

BEAT = 0.05


def test_a_stream_is_held_while_the_block_runs_and_free_behind_it(store: Store) -> None:
    with hold(store, "contacts", Stop()), pytest.raises(LeaseHeld) as refused, hold(store, "contacts", Stop()):
        pass
    assert exit_of(refused.value) == HELD
    with hold(store, "contacts", Stop()):
        pass


def test_a_stream_is_free_again_after_an_error(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), hold(store, "contacts", Stop()):
        _ = 1 / 0
    with hold(store, "contacts", Stop()):
        pass


def test_the_heartbeat_keeps_the_lease_alive_while_the_main_thread_writes(store: Store, clock: Clock) -> None:
    with hold(store, "contacts", Stop(), BEAT) as lease:
        for step in range(20):
            clock.advance(TTL / 4)
            store.apply(lease, accepted(str(step)))
            time.sleep(BEAT / 2)
        time.sleep(2 * BEAT)
        clock.advance(TTL - 1)
        with pytest.raises(LeaseHeld):
            store.acquire("contacts", owner())


def test_a_run_whose_lease_was_taken_over_is_stopped_and_ends_with_that_reason(store: Store, clock: Clock) -> None:
    stop = Stop()
    with pytest.raises(LeaseLost) as lost, hold(store, "contacts", stop, BEAT):  # noqa: PT012
        store.acquire("companies", owner())
        with store._transaction() as connection:
            connection.exec_driver_sql("UPDATE memsync_leases SET fence = fence + 1")
        stop.pause(5)
    assert exit_of(lost.value) == HELD


def test_a_run_whose_store_was_deleted_is_stopped_by_the_heartbeat(sqlite_path: Path) -> None:
    stop = Stop()
    with open_store(f"sqlite:///{sqlite_path}") as store:  # noqa: SIM117
        with pytest.raises(StoreUnusable, match="was moved or replaced") as gone, hold(store, "contacts", stop, BEAT):  # noqa: PT012
            sqlite_path.unlink()
            stop.pause(5)
    assert exit_of(gone.value) == STORE


def test_a_store_that_is_away_for_a_moment_does_not_end_the_run(sqlite_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("state.opening._SQLITE_SETTINGS", ("busy_timeout=10",))
    stop = Stop()
    with open_store(f"sqlite:///{sqlite_path}") as store, closing(sqlite3.connect(sqlite_path)) as other:  # noqa: SIM117
        with hold(store, "contacts", stop, 0.2) as lease:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(0.4)
            other.rollback()
            time.sleep(0.3)
            assert not stop.is_set
            store.apply(lease, accepted("a"))


def test_a_store_that_stays_away_stops_the_run_before_the_lease_ends(sqlite_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("state.opening._SQLITE_SETTINGS", ("busy_timeout=10",))
    stop = Stop()
    with open_store(f"sqlite:///{sqlite_path}") as store, closing(sqlite3.connect(sqlite_path)) as other:
        with pytest.raises(StoreUnusable, match="locked"), hold(store, "contacts", stop, BEAT):  # noqa: PT012
            other.execute("BEGIN IMMEDIATE")
            stop.pause(5)
        other.rollback()


def test_a_signal_stays_a_signal(store: Store) -> None:
    stop = Stop()
    with pytest.raises(Stopped), hold(store, "contacts", stop, BEAT):  # noqa: PT012
        stop.set(15)
        stop.pause(1)


def test_a_finished_full_reading_becomes_the_ordinary_one(store: Store) -> None:
    with hold(store, "contacts", Stop()) as lease:
        state = HeldState(store, lease)
        state.apply(accepted("a", at=1))
        store.set_position(lease, "full", position(5))
        state.conclude("full", position(9, complete=True))
        assert {name: kept for name, (kept, _) in store.positions("contacts").items()} == {
            "incremental": position(9, complete=True)
        }


def test_threads_that_share_a_store_do_not_get_in_each_others_way(store: Store) -> None:
    problems: list[Exception] = []
    lease = store.acquire("contacts", owner())

    def work(number: int) -> None:
        try:
            for step in range(15):
                store.apply(lease, accepted(f"{number}-{step}"))
                store.reserve("org", 0.001, 1.0)
                store.renew(lease)
                store.fingerprints("contacts", [f"{number}-{step}"])
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert store.counts("contacts")["delivered"] == 60
