"""Two runs of one stream: the second leaves at once, and one that slept past its lease does no harm when it wakes."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from doubles.memory_api import Call, MemoryApi, held
from doubles.memory_server import Reply
from fixtures_faults import FaultyPlace, end_of, fill
from fixtures_postgres import Database
from workplace import MAP

TTL = 1.5


class Door:
    """Holds every batch from the given one on back until it is opened."""

    def __init__(self, api: MemoryApi, number: int = 1) -> None:
        self.api, self.number, self.opened = api, number, threading.Event()

    def __call__(self, call: Call) -> Reply | None:
        if call.name != "batch" or self.opened.is_set() or self.api.count("batch") < self.number:
            return None
        return held(self.opened, self.api.take(call))


@pytest.fixture
def place(faulty: FaultyPlace, database: Database, state_url: str) -> FaultyPlace:
    """Forty rows, one call at a time, and a store of each kind."""
    fill(database, 1, 40)
    faulty.variables |= {"MEMSYNC_STATE_URL": state_url, "MEMSYNC_IN_FLIGHT": "1"}
    return faulty


@pytest.fixture
def door(api: MemoryApi) -> Iterator[Door]:
    one = api.judge = Door(api, number=2)
    yield one
    one.opened.set()


def test_the_second_runner_leaves_within_two_seconds_names_the_first_and_sends_nothing(
    place: FaultyPlace, api: MemoryApi, door: Door
) -> None:
    first = place.started_run()
    api.wait_for("batch", 2)
    commands = [
        ["run", "--json"],
        ["run", "--full", "--json"],
        ["backfill", "customers", "--json"],
        ["state", "reset", "customers", "--yes", "--json"],
    ]
    for command in commands:
        began = time.monotonic()
        second = place.memsync(*command)
        assert time.monotonic() - began < 2
        assert second.code == 7
        told = second.json["streams"][0]["message"] if "streams" in second.json else second.json["error"]
        assert f"process {first.pid}" in told
        assert "another run holds it" in told
    assert place.memsync("status", "--json").code == 0  # who only looks is let in
    assert api.count("batch") == 2
    door.opened.set()
    assert end_of(first).code == 0
    assert Counter(api.emails) == {f"p{number}@example.com": 1 for number in range(1, 41)}


@pytest.mark.slow
def test_another_stream_is_not_held(place: FaultyPlace, database: Database, api: MemoryApi, door: Door) -> None:
    database.do(
        "CREATE TABLE leads AS SELECT id, 'lead-' || email AS email, name, plan, notes, updated_at FROM customers"
    )
    database.do("ALTER TABLE leads ADD PRIMARY KEY (id)")
    first = place.started_run("customers")
    api.wait_for("batch", 2)
    place.write_map(MAP.replace("customers", "leads"), "leads.yaml")
    door.number = 10**6
    assert place.run("leads").stream["sent"] == 40
    door.opened.set()
    assert end_of(first).code == 0


def stop_and_wait(process: subprocess.Popen[str], seconds: float) -> None:
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    time.sleep(seconds)


@pytest.mark.parametrize("state_url", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True)
def test_a_runner_that_stood_still_past_its_lease_writes_nothing_when_it_wakes(
    place: FaultyPlace, database: Database, api: MemoryApi, door: Door
) -> None:
    place.clocks = {"state.leases.TTL": TTL, **place.clocks}
    sleeper = place.started_run()
    api.wait_for("batch", 2)
    stop_and_wait(sleeper, TTL + 0.2)
    door.number = 10**6
    other = end_of(place.started_run())
    assert (other.code, other.stream["sent"], other.stream["unchanged"]) == (0, 30, 10)
    database.do("UPDATE customers SET name = 'newer', updated_at = now() WHERE id = 11")
    assert end_of(place.started_run()).code == 0
    calls = api.count("batch")
    kept = place.memsync("state", "export", "customers").out
    sleeper.send_signal(signal.SIGCONT)
    door.opened.set()
    woken = end_of(sleeper)
    assert (woken.code, woken.stream["status"]) == (7, "held")
    assert "another run took over" in woken.stream["message"]
    assert api.count("batch") == calls  # nothing older arrives behind what is newer
    assert place.memsync("state", "export", "customers").out == kept
    again = end_of(place.started_run())
    assert (again.code, again.stream["sent"]) == (0, 0)
    assert set(api.emails) == {f"p{number}@example.com" for number in range(1, 41)}
    assert sum(Counter(api.emails).values()) <= 40 + 10 + 1


@pytest.mark.slow
def test_a_runner_that_wakes_before_it_sends_does_not_send(
    place: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    """It stood still between two calls, so that nothing but its own care keeps old rows from arriving late."""
    place.clocks = {"state.leases.TTL": TTL, **place.clocks}
    api.per_minute = 60  # the sleeper waits for its turn when it is stopped
    place.settings("{rowsPerCall: 1}")
    sleeper = place.started_run()
    api.wait_for("batch", 4)
    time.sleep(0.5)  # what that call brought is recorded by now
    stop_and_wait(sleeper, TTL + 0.2)
    api.per_minute = 100_000
    assert end_of(place.started_run()).code == 0
    sent = len(api.taken)
    sleeper.send_signal(signal.SIGCONT)
    assert end_of(sleeper).code == 7
    assert len(api.taken) == sent


@pytest.mark.slow
def test_a_runner_that_stood_still_while_nobody_else_came_goes_on(
    place: FaultyPlace, api: MemoryApi, door: Door
) -> None:
    place.clocks = {"state.leases.TTL": TTL, **place.clocks}
    sleeper = place.started_run()
    api.wait_for("batch", 2)
    stop_and_wait(sleeper, TTL + 0.2)
    sleeper.send_signal(signal.SIGCONT)
    door.opened.set()
    woken = end_of(sleeper)
    assert (woken.code, woken.stream["sent"]) == (0, 40)
    assert set(Counter(api.emails).values()) == {1}
