"""Who may write: one holder at a time, on one machine and on several, whatever clocks and signals do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from fixtures_state import Clock, accepted, failure, owner, position

from state import LeaseHeld, LeaseLost, Store, open_store
from state.leases import TTL
from state.owner import is_dead, this_process
from state.values import Lease, Step

_HOLD = """
import sys, time
from state import open_store
from state.owner import this_process
store = open_store(sys.argv[1])
lease = store.acquire("contacts", this_process())
print("holding", flush=True)
time.sleep(60)
"""


def _with(text: str, **changes: Any) -> str:
    return json.dumps(json.loads(text) | changes)


def test_a_second_holder_is_refused_and_told_who_the_first_is(store: Store) -> None:
    store.acquire("contacts", owner("worker-7"))
    with pytest.raises(LeaseHeld, match=r"stream contacts: .*host worker-7, process 1, since 2023-11-14T22:13:20"):
        store.acquire("contacts", owner("worker-8"))
    store.acquire("companies", owner("worker-8"))


def test_a_lease_that_was_given_back_can_be_taken_with_a_higher_number(store: Store) -> None:
    first = store.acquire("contacts", owner())
    store.release(first)
    assert store.acquire("contacts", owner()).fence == first.fence + 1


def test_a_reset_does_not_start_the_numbers_again(store: Store) -> None:
    first = store.acquire("contacts", owner())
    store.reset(first)
    store.release(first)
    assert store.acquire("contacts", owner()).fence > first.fence


def test_a_holder_elsewhere_that_is_silent_for_the_whole_term_is_taken_over(store: Store, clock: Clock) -> None:
    store.acquire("contacts", owner("one"))
    clock.advance(TTL - 1)
    with pytest.raises(LeaseHeld):
        store.acquire("contacts", owner("two"))
    clock.advance(2)
    store.acquire("contacts", owner("two"))


def test_a_renewed_lease_lives_on(store: Store, clock: Clock) -> None:
    lease = store.acquire("contacts", owner("one"))
    clock.advance(TTL - 1)
    store.renew(lease)
    clock.advance(TTL - 1)
    with pytest.raises(LeaseHeld):
        store.acquire("contacts", owner("two"))


_WRITES: dict[str, Callable[[Store, Lease], object]] = {
    "apply": lambda s, held: s.apply(held, accepted("late")),
    "settle": lambda s, held: s.settle(held, s.unsettled("contacts")[0], [failure("a")]),
    "poll again": lambda s, held: s.poll_again(held, s.unsettled("contacts")[0], "x", 1.0),
    "set position": lambda s, held: s.set_position(held, "incremental", position(99)),
    "drop rejects": lambda s, held: s.drop_rejects(held, ["r"]),
    "reset": lambda s, held: s.reset(held),
    "restore": lambda s, held: s.restore(held, s.export("contacts")),
    "start run": lambda s, held: s.start_run(held, "run"),
    "finish run": lambda s, held: s.finish_run(held, 1, "ok", {}),
    "renew": lambda s, held: s.renew(held),
}


def test_who_lost_the_lease_can_write_nothing(store: Store, clock: Clock) -> None:
    lost = store.acquire("contacts", owner("one"))
    store.apply(lost, accepted("a"))
    store.apply(lost, Step(rejects=[failure("r")]))
    clock.advance(TTL + 1)
    mine = store.acquire("contacts", owner("two"))
    before = (store.export("contacts"), store.last_runs("contacts"))
    for write in _WRITES.values():
        with pytest.raises(LeaseLost, match="another run took over"):
            write(store, lost)
    store.release(lost)  # says nothing and changes nothing
    assert (store.export("contacts"), store.last_runs("contacts")) == before
    store.renew(mine)


def test_a_wall_clock_that_jumps_forward_steals_no_live_lease_on_the_same_machine(store: Store, clock: Clock) -> None:
    lease = store.acquire("contacts", this_process())
    clock.wall += 7200
    with pytest.raises(LeaseHeld):
        store.acquire("contacts", this_process())
    store.renew(lease)
    clock.wall -= 14400
    with pytest.raises(LeaseHeld):
        store.acquire("contacts", this_process())


def test_a_wall_clock_that_jumps_back_keeps_no_silent_lease_alive(store: Store, clock: Clock) -> None:
    store.acquire("contacts", this_process())
    clock.wall -= 7200
    clock.up += TTL + 1
    store.acquire("contacts", this_process())


def test_a_holder_that_was_killed_on_this_machine_is_taken_over_at_once(
    state_url: str, other_process: Callable[..., subprocess.Popen[str]]
) -> None:
    holder = other_process(_HOLD, state_url)
    assert holder.stdout is not None
    holder.stdout.readline()
    with open_store(state_url) as store:
        with pytest.raises(LeaseHeld, match=f"process {holder.pid}"):
            store.acquire("contacts", this_process())
        holder.kill()
        deadline = time.monotonic() + 5
        while not is_dead(_owner_of(store)) and time.monotonic() < deadline:
            time.sleep(0.01)
        store.acquire("contacts", this_process())  # it was not waited for, so a zombie is left: dead all the same


def _owner_of(store: Store) -> str:
    with store._reading() as connection:
        return str(connection.exec_driver_sql("SELECT owner FROM memsync_leases").scalar_one())


_WRITE_WHEN_TOLD = """
import os, signal, sys
from state import LeaseLost, open_store
from state.owner import this_process
from state.values import Step, Failure
store = open_store(sys.argv[1])
lease = store.acquire("contacts", this_process())
print("holding", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
try:
    store.apply(lease, Step(rejects=[Failure("late", "X", "x")]))
    print("wrote", flush=True)
except LeaseLost:
    print("lost", flush=True)
store.release(lease)
store.close()
"""


def test_a_holder_that_stood_still_past_its_term_wakes_up_and_can_write_nothing(
    store: Store, state_url: str, other_process: Callable[..., subprocess.Popen[str]]
) -> None:
    holder = other_process(_WRITE_WHEN_TOLD, state_url)
    assert holder.stdout is not None
    holder.stdout.readline()
    os.waitid(os.P_PID, holder.pid, os.WSTOPPED | os.WEXITED)
    later = Clock()
    later.wall, later.up = time.time() + TTL + 5, time.clock_gettime(time.CLOCK_BOOTTIME) + TTL + 5
    with later.open(state_url) as mine:
        mine.acquire("contacts", this_process())
        holder.send_signal(signal.SIGCONT)
        assert holder.stdout.readline() == "lost\n"
        assert mine.rejects() == []


def test_a_process_number_that_was_given_to_another_process_counts_as_dead() -> None:
    assert not is_dead(this_process())
    assert is_dead(_with(this_process(), started="1"))
    assert is_dead(_with(this_process(), pid=2**22 + 1))


@pytest.mark.parametrize("change", [{"space": "1"}, {"boot": "another"}, {"host": "another"}])
def test_process_numbers_mean_nothing_in_another_container_boot_or_machine(change: dict[str, str]) -> None:
    assert not is_dead(_with(this_process(), pid=1, started="1", **change))


def test_two_containers_with_one_host_name_and_process_number_are_not_each_other(store: Store, clock: Clock) -> None:
    mine = _with(this_process(), pid=1, started="17")
    store.acquire("contacts", _with(mine, space="4026532001"))
    with pytest.raises(LeaseHeld):
        store.acquire("contacts", _with(mine, space="4026532002"))
    clock.advance(TTL + 1)
    store.acquire("contacts", _with(mine, space="4026532002"))


def test_of_many_that_come_at_once_to_an_empty_store_one_gets_the_lease(state_url: str) -> None:
    gate, found = threading.Barrier(6), []

    def come(number: int) -> None:
        gate.wait()
        with open_store(state_url) as mine:
            try:
                mine.acquire("contacts", owner(f"host-{number}"))
                found.append("held")
            except LeaseHeld:
                found.append("refused")

    threads = [threading.Thread(target=come, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["held"] + ["refused"] * 5
