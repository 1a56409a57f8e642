"""All streams at a glance, on both kinds of store; and what notifications said of them."""

from __future__ import annotations

from dataclasses import replace

from fixtures_state import Clock, accepted, failure, owner, position

from state import Store
from state.leases import TTL
from state.values import Step

READINGS = ("incremental", "full")


def ran(store: Store, clock: Clock, stream: str, status: str, command: str = "run", **summary: int) -> None:
    """A run of ten seconds."""
    lease = store.acquire(stream, owner())
    number = store.start_run(lease, command)
    clock.advance(10)
    store.finish_run(lease, number, status, summary)
    store.release(lease)


def test_an_empty_store_has_no_streams(store: Store) -> None:
    assert store.overview(READINGS, 30) == {}


def test_every_stream_is_seen_with_its_newest_runs(store: Store, clock: Clock) -> None:
    for number in range(5):
        ran(store, clock, "a", "ok", sent=number)
    ran(store, clock, "b", "failed")
    found = store.overview(READINGS, 3)
    assert list(found) == ["a", "b"]
    assert [run.summary["sent"] for run in found["a"].runs] == [4, 3, 2]
    assert (found["b"].runs[0].status, found["b"].success_ended) == ("failed", None)


def test_the_last_success_is_the_last_ordinary_run_that_read_everything(store: Store, clock: Clock) -> None:
    ran(store, clock, "a", "rejects")
    success = clock.wall
    ran(store, clock, "a", "failed")
    ran(store, clock, "a", "ok", command="backfill")
    state = store.overview(READINGS, 30)["a"]
    assert (state.success_started, state.success_ended) == (success - 10, success)
    assert [run.status for run in state.runs] == ["failed", "rejects"]


def test_what_waits_and_what_was_rejected_is_counted_without_keys(store: Store, clock: Clock) -> None:
    lease = store.acquire("a", owner())
    store.apply(lease, accepted("1", "2", event="one"))
    clock.advance(5)
    store.apply(lease, accepted("3", event="two"))
    rejects = [failure("k4", "BAD", final=True), failure("k5", "BAD", final=True), failure("k6", "WORSE", final=True)]
    store.apply(lease, Step(rejects=rejects, failed=[failure("k7", "LATER")]))
    state = store.overview(READINGS, 30)["a"]
    assert (state.unsettled_events, state.unsettled_rows, state.oldest_unsettled) == (2, 3, clock.wall - 5)
    assert state.rejects == {"BAD": 2, "WORSE": 1} == store.reject_reasons("a")
    assert state.due_again == 1
    assert state.moved == clock.wall
    assert "k4" not in repr(replace(state, runs=()))


def test_a_run_under_way_is_told_from_one_that_was_killed(store: Store, clock: Clock) -> None:
    lease = store.acquire("a", owner())
    store.start_run(lease, "run")
    state = store.overview(READINGS, 30)["a"]
    assert state.running is not None
    clock.advance(TTL + 1)
    state = store.overview(READINGS, 30)["a"]
    assert (state.running, state.runs[0].status) == (None, "killed")


def test_a_full_reading_that_gets_on_moves_and_so_does_what_is_accepted(store: Store, clock: Clock) -> None:
    lease = store.acquire("a", owner())
    store.set_position(lease, "incremental", position(1))
    clock.advance(100)
    store.set_position(lease, "full", position(1))
    assert store.overview(READINGS, 30)["a"].moved == clock.wall
    clock.advance(10)
    store.apply(lease, accepted("1"))
    assert store.overview(READINGS, 30)["a"].accepted == clock.wall


def test_what_was_told_of_all_maps_is_no_stream(store: Store) -> None:
    store.note_told("property maps", ["webhook:failed"])
    assert store.overview(READINGS, 30) == {}
    assert store.told("property maps") == {"webhook:failed"}


def test_a_position_of_another_purpose_is_no_move(store: Store) -> None:
    lease = store.acquire("a", owner())
    store.set_position(lease, "backfill", position(1))
    assert store.overview(READINGS, 30)["a"].moved is None


def test_a_stream_is_on_a_schedule_since_it_first_was(store: Store, clock: Clock) -> None:
    store.watch(["a"])
    since = clock.wall
    clock.advance(100)
    store.watch(["a", "b"])
    found = store.overview(READINGS, 30)
    assert (found["a"].since, found["b"].since) == (since, since + 100)


def test_what_was_told_is_kept_until_it_is_replaced(store: Store) -> None:
    assert store.told("a") == frozenset()
    store.note_told("a", ["late", "failed"])
    store.watch(["a"])
    assert store.told("a") == {"failed", "late"}
    store.note_told("a", [])
    assert store.told("a") == frozenset()
