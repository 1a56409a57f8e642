"""SIGTERM and SIGINT in every phase: an end within 8 s, everything accepted recorded, the rest left to the next run."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from typing import NamedTuple

import pytest
from doubles.memory_api import Call, MemoryApi, held
from doubles.memory_server import Reply, failure, silence, success
from fixtures_faults import FaultyPlace, fill, seconds_to_end
from fixtures_postgres import Database
from workplace import MAP, TABLE

ROWS = 60
BOTH = [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]


class Stage(NamedTuple):
    """What a phase works on."""

    place: FaultyPlace
    database: Database
    api: MemoryApi


@pytest.fixture
def stage(faulty: FaultyPlace, database: Database, api: MemoryApi) -> Stage:
    """Sixty rows, ten a call, one call at a time."""
    fill(database, 1, ROWS)
    faulty.variables["MEMSYNC_IN_FLIGHT"] = "1"
    return Stage(faulty, database, api)


def started_reading(stage: Stage) -> subprocess.Popen[str]:
    """Every row takes the source a second."""
    condition = "object: public.customers\n  where: pg_sleep(1) IS NOT NULL"
    stage.place.write_map(MAP.replace("object: public.customers", condition))
    process = stage.place.started_run()
    at_work = (
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE %s AND state = 'active' AND pid <> pg_backend_pid()"
    )
    wait_until(lambda: stage.database.do(at_work, "%SELECT%pg_sleep%")[0][0] > 0)
    return process


def started_sending(stage: Stage) -> subprocess.Popen[str]:
    """The third call is answered a second later: soon enough to be recorded."""
    answered = threading.Event()

    def judge(call: Call) -> Reply | None:
        if call.name != "batch" or stage.api.count("batch") < 3 or answered.is_set():
            return None
        threading.Timer(1.0, answered.set).start()
        return held(answered, stage.api.take(call))

    stage.api.judge = judge
    process = stage.place.started_run()
    stage.api.wait_for("batch", 3)
    return process


def started_waiting_out_a_429(stage: Stage) -> subprocess.Popen[str]:
    full = failure(429, "rate_limit_exceeded", window="per_minute", retryAfterSeconds=300)
    stage.api.judge = lambda call: full if call.name == "batch" and stage.api.count("batch") == 3 else None
    process = stage.place.started_run()
    stage.api.wait_for("batch", 3)
    time.sleep(0.3)
    return process


def started_pacing(stage: Stage) -> subprocess.Popen[str]:
    stage.api.per_minute = 30
    process = stage.place.started_run()
    stage.api.wait_for("batch", 1)
    time.sleep(0.3)
    return process


def started_following(stage: Stage) -> subprocess.Popen[str]:
    stage.api.judge = lambda call: success({"status": "processing"}) if call.name == "event" else None
    process = stage.place.start("run", "--json", "--wait", "10m")
    stage.api.wait_for("event")
    return process


def started_asking_who_it_is(stage: Stage) -> subprocess.Popen[str]:
    stage.api.judge = lambda call: silence() if call.name == "me" else None
    process = stage.place.started_run()
    stage.api.wait_for("me")
    return process


def started_asking_for_collections(stage: Stage) -> subprocess.Popen[str]:
    stage.api.judge = lambda call: silence() if call.name == "collections" else None
    process = stage.place.started_run()
    stage.api.wait_for("collections")
    return process


def wait_until(done: Callable[[], bool], patience: float = 20.0) -> None:
    end = time.monotonic() + patience
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


PHASES = {
    "reading": started_reading,
    "sending": started_sending,
    "waiting out a 429": started_waiting_out_a_429,
    "pacing": started_pacing,
    "following events": started_following,
    "asking who it is": started_asking_who_it_is,
    "asking for collections": started_asking_for_collections,
}


QUICK = ("reading", "sending", "waiting out a 429", "following events", "asking who it is")


@pytest.mark.parametrize("number", BOTH)
@pytest.mark.parametrize(
    "phase", [*QUICK, *(pytest.param(p, marks=pytest.mark.slow) for p in PHASES if p not in QUICK)]
)
def test_a_signal_in_any_phase_ends_the_run_in_time_and_loses_nothing(stage: Stage, phase: str, number: int) -> None:
    process = PHASES[phase](stage)
    ended, seconds = seconds_to_end(process, number)
    assert (ended.code, seconds < 8) == (128 + number, True), (ended, seconds)
    assert "Traceback" not in ended.err
    taken = len(stage.api.taken)
    assert ended.json["exit"] == 128 + number
    if "streams" in ended.json:
        summary = ended.stream
        assert (summary["status"], summary["exit"]) == ("stopped", 128 + number)
        assert summary["accepted"] == taken
        assert summary["read"] == sum(summary[name] for name in ("filtered", "unchanged", "sent", "rejected"))
    stage.api.judge = lambda _: None
    stage.api.per_minute = 100_000
    stage.place.write_map(MAP)
    forget_the_wait(stage)
    again = stage.place.run()
    assert (again.code, again.stream["sent"]) == (0, ROWS - taken), again.err
    assert Counter(stage.api.emails) == {f"p{number}@example.com": 1 for number in range(1, ROWS + 1)}


def forget_the_wait(stage: Stage) -> None:
    """The limiter remembers across runs how long the server said to wait: not what is tested here."""
    path = stage.place.folder / "memsync-state.db"
    if path.exists():
        with closing(sqlite3.connect(path)) as state, state:
            state.execute("DELETE FROM memsync_limiter")


@pytest.mark.parametrize("number", BOTH)
def test_the_second_signal_ends_the_run_at_once_and_loses_nothing(stage: Stage, number: int) -> None:
    stage.api.judge = lambda call: silence() if call.name == "batch" and stage.api.count("batch") == 3 else None
    process = stage.place.started_run()
    stage.api.wait_for("batch", 3)
    process.send_signal(number)
    time.sleep(0.5)
    assert process.poll() is None  # the call in flight gets its time
    ended, seconds = seconds_to_end(process, number)
    assert (ended.code, seconds < 2) == (128 + number, True)
    again = stage.place.run()
    assert (again.code, again.stream["sent"]) == (0, ROWS - 20)
    assert set(Counter(stage.api.emails).values()) == {1}


@pytest.mark.slow
def test_a_call_that_hangs_does_not_keep_a_stopped_run_from_ending(stage: Stage) -> None:
    stage.api.judge = lambda call: silence() if call.name == "batch" and stage.api.count("batch") == 3 else None
    process = stage.place.started_run()
    stage.api.wait_for("batch", 3)
    ended, seconds = seconds_to_end(process)
    assert (ended.code, seconds < 8) == (143, True)
    assert ended.stream["accepted"] == len(stage.api.taken) == 20
    assert stage.place.run().stream["sent"] == ROWS - 20


def test_of_several_streams_the_one_at_work_is_stopped_and_the_others_are_left_to_the_next_run(stage: Stage) -> None:
    stage.database.do(TABLE.replace("customers", "leads"))
    fill(stage.database, 101, 120, "leads")
    stage.place.write_map(MAP.replace("customers", "leads"), "leads.yaml")
    ended, seconds = seconds_to_end(started_sending(stage))
    assert (ended.code, seconds < 8) == (143, True)
    assert [one["stream"] for one in ended.json["streams"]] == ["customers"]
    assert stage.place.run().code == 0
    assert Counter(Counter(stage.api.emails).values()) == {1: ROWS + 20}


@pytest.mark.parametrize("number", BOTH)
def test_a_backfill_that_is_stopped_goes_on_where_it_was(stage: Stage, number: int) -> None:
    full = failure(429, "rate_limit_exceeded", window="per_minute", retryAfterSeconds=300)
    stage.api.judge = lambda call: full if call.name == "batch" and stage.api.count("batch") == 3 else None
    command = ["backfill", "customers", "--since", "2020-01-01", "--wait", "0s", "--json"]
    process = stage.place.start(*command)
    stage.api.wait_for("batch", 3)
    ended, seconds = seconds_to_end(process, number)
    assert (ended.code, seconds < 8) == (128 + number, True)
    assert any("the same command reads them again" in note for note in ended.stream["notes"])
    forget_the_wait(stage)
    again = stage.place.memsync(*command)
    assert (again.code, again.stream["sent"]) == (0, ROWS - 20)
    assert set(Counter(stage.api.emails).values()) == {1}


@pytest.mark.parametrize("number", BOTH)
def test_a_retry_of_rejects_that_is_stopped_keeps_those_that_were_not_sent(stage: Stage, number: int) -> None:
    bad = {f"p{row}@example.com" for row in range(1, ROWS + 1, 8)}
    refusal = failure(400, "validation_error", message="bad")
    stage.api.judge = lambda call: refusal if call.name == "batch" and bad & set(call.emails) else None
    assert stage.place.run().code == 3
    stage.place.settings("{rowsPerCall: 2}")
    before = stage.api.count("batch")
    full = failure(429, "rate_limit_exceeded", window="per_minute", retryAfterSeconds=300)
    stage.api.judge = lambda call: full if call.name == "batch" and stage.api.count("batch") == before + 3 else None
    process = stage.place.start("rejects", "retry", "customers", "--json", "--wait", "0s")
    stage.api.wait_for("batch", before + 3)
    ended, seconds = seconds_to_end(process, number)
    assert (ended.code, seconds < 8) == (128 + number, True)
    assert len(stage.place.rejects()) == len(bad) - 4
    forget_the_wait(stage)
    again = stage.place.memsync("rejects", "retry", "customers", "--json", "--wait", "0s")
    assert (again.code, again.stream["sent"]) == (0, len(bad) - 4)
    assert stage.place.rejects() == []
    assert Counter(stage.api.emails) == {f"p{row}@example.com": 1 for row in range(1, ROWS + 1)}


@pytest.mark.slow
def test_a_stopped_dry_run_leaves_nothing_behind(stage: Stage) -> None:
    stage.api.judge = lambda call: silence() if call.name == "batch" else None
    process = stage.place.start("run", "--dry-run", "--json")
    stage.api.wait_for("batch")
    ended, seconds = seconds_to_end(process)
    assert (ended.code, seconds < 8) == (143, True)
    assert not (stage.place.folder / "memsync-state.db").exists()
    assert ended.json["exit"] == 143
