"""A quota that is used up: a clean stop that says what is left, and next runs that cost next to nothing."""

from __future__ import annotations

import json
import time
from itertools import pairwise

import pytest
from doubles.memory_api import Call, MemoryApi
from doubles.memory_server import Reply, failure
from fixtures_faults import FaultyPlace, end_of, fill
from fixtures_postgres import Database
from workplace import MAP, TABLE

NO_CREDITS = failure(402, "INSUFFICIENT_CREDITS", message="no credits")
MONTH = failure(429, "rate_limit_exceeded", limit=1000, current=1001, window="per_month", retryAfterSeconds=30)
USED_UP = {"credits": NO_CREDITS, "month": MONTH}


class Allowance:
    """Answers with `reply` instead of taking more than so many batches; None: as many as come."""

    def __init__(self, reply: Reply, batches: int | None) -> None:
        self.reply, self.left = reply, batches

    def __call__(self, call: Call) -> Reply | None:
        if call.name != "batch" or self.left is None:
            return None
        self.left -= 1
        return self.reply if self.left < 0 else None


def second_stream(faulty: FaultyPlace, database: Database, rows: int) -> None:
    """A table `leads` with as many rows, and its map."""
    database.do(TABLE.replace("customers", "leads"))
    fill(database, 1, rows, "leads")
    database.do("UPDATE leads SET email = 'lead-' || email")
    faulty.write_map(MAP.replace("customers", "leads"), "leads.yaml")


@pytest.mark.parametrize("kind", USED_UP)
def test_a_used_up_quota_stops_the_run_cleanly_and_the_next_ones_cost_two_calls(
    faulty: FaultyPlace, database: Database, api: MemoryApi, kind: str
) -> None:
    fill(database, 1, 200)
    second_stream(faulty, database, 200)
    allowance = api.judge = Allowance(USED_UP[kind], 7)
    began = time.monotonic()
    first = faulty.memsync("run", "customers", "--wait", "0s")
    assert first.code == 6
    assert time.monotonic() - began < 20  # nothing is slept through
    assert "used up" in first.err
    assert "130 rows were read but not sent; the next run reads them again" in first.out
    for streams in (["customers"], [], ["customers"], ["leads"]):
        before = len(api.calls)
        again = faulty.run(*streams)
        assert again.code == 6
        assert {one["exit"] for one in again.json["streams"]} == {6}
        assert [call.name for call in api.calls[before:]] == ["me", "batch"]
    allowance.left = None
    before = len(api.calls)
    assert faulty.run("customers").code == 0
    assert "collections" not in [call.name for call in api.calls[before:]]
    assert faulty.run().code == 0
    assert api.calls[-1].name == "batch"
    assert len(api.emails) == len(set(api.emails)) == 400
    assert [call.name for call in api.calls if call.name == "collections"] == ["collections"] * 2


def test_a_month_that_refuses_every_call_costs_one(faulty: FaultyPlace, database: Database, api: MemoryApi) -> None:
    fill(database, 1, 20)
    api.judge = lambda _: MONTH
    for arguments in (["run", "--json"], ["backfill", "customers", "--json"]):
        before = len(api.calls)
        ended = faulty.memsync(*arguments)
        assert (ended.code, json.loads(ended.out)["exit"]) == (6, 6)
        assert len(ended.err.splitlines()) == 1
        assert len(api.calls) - before == 1


def test_a_used_up_quota_with_events_to_follow_costs_no_more(
    faulty: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    fill(database, 1, 20)
    assert faulty.run().stream["accepted"] == 20
    fill(database, 21, 60)
    api.judge = Allowance(NO_CREDITS, 0)
    assert faulty.memsync("run", "--wait", "1m").code == 6
    before = len(api.calls)
    assert faulty.memsync("run", "--wait", "1m").code == 6
    assert len(api.calls) - before == 2


def test_a_collection_that_came_after_the_quota_was_used_up_is_found(
    faulty: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    fill(database, 1, 20)
    api.judge = Allowance(NO_CREDITS, 0)
    assert faulty.run().code == 6
    faulty.write_map(MAP.replace("collectionName: Notes", "collectionName: News"))
    assert "the organisation has none" in faulty.run().stream["message"]
    assert api.calls[-1].name == "collections"


@pytest.mark.parametrize("status", [400, pytest.param(403, marks=pytest.mark.slow), 429])
@pytest.mark.parametrize("code", ["RECORD_CAP_EXCEEDED", "SCHEDULE_CAP_EXCEEDED"])
def test_a_cap_of_the_plan_is_something_to_correct_and_rejects_no_row(
    faulty: FaultyPlace, database: Database, api: MemoryApi, status: int, code: str
) -> None:
    fill(database, 1, 30)
    faulty.variables["MEMSYNC_IN_FLIGHT"] = "1"
    api.judge = Allowance(failure(status, code, message="cap of 10 reached"), 1)
    ended = faulty.run()
    assert (ended.code, ended.stream["sent"], api.count("batch")) == (2, 10, 2)
    assert code in ended.stream["message"]
    assert "raise it or tidy up" in ended.stream["message"]
    assert faulty.rejects() == []


def test_a_minute_that_is_full_is_waited_out_and_nothing_is_lost(
    faulty: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    fill(database, 1, 40)
    full = failure(429, "rate_limit_error", window="per_minute", retryAfterSeconds=1)
    api.judge = lambda call: full if call.name == "batch" and api.count("batch") == 2 else None
    ended = faulty.run()
    assert (ended.code, ended.stream["sent"], ended.stream["duplicates_possible"]) == (0, 40, 0)
    batches = [call.at for call in api.calls if call.name == "batch"]
    assert batches[4] - batches[1] >= 1.0


@pytest.mark.slow
def test_a_429_for_ever_ends_the_run_without_a_hot_loop(
    faulty: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    fill(database, 1, 10)
    full = failure(429, "rate_limit_exceeded", window="per_minute", retryAfterSeconds=0.001)
    api.judge = lambda call: full if call.name == "batch" else None
    ended = faulty.run()
    assert (ended.code, ended.stream["sent"], api.count("batch")) == (6, 0, 10)
    batches = [call.at for call in api.calls if call.name == "batch"]
    assert min(later - earlier for earlier, later in pairwise(batches)) >= 1.0


# The minute, shared

SHORT_MINUTE = 3.0
LIMIT = 30


@pytest.mark.parametrize("state_url", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True)
def test_two_processes_on_one_store_keep_the_limit_of_a_minute_together(
    faulty: FaultyPlace, database: Database, api: MemoryApi, state_url: str
) -> None:
    """A minute is three seconds here; what counts is what the server saw."""
    fill(database, 1, 20)
    second_stream(faulty, database, 20)
    for name in ("customers", "leads"):
        text = MAP.replace("customers", name).replace("rowsPerCall: 10", "rowsPerCall: 1")
        faulty.write_map(text, f"{name}.yaml")
    faulty.clocks["sync.memory.pace.WINDOW"] = SHORT_MINUTE
    faulty.variables["MEMSYNC_STATE_URL"] = state_url
    api.per_minute = LIMIT
    both = [faulty.started_run(name) for name in ("customers", "leads")]
    assert [end_of(one).code for one in both] == [0, 0]
    assert len(api.taken) == 40
    moments = [call.at for call in api.calls]
    most = max(sum(start <= at < start + SHORT_MINUTE for at in moments) for start in moments)
    assert most <= LIMIT + 3  # the pace leaves a tenth free; the rest is for a machine that is slow for a moment
