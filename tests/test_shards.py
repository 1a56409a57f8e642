"""A large backfill in parts that run side by side, on one machine or several."""

import json
import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from fixtures_state import chunk, failure, owner
from sandbox_calls import client
from workplace import MAP, TABLE, Workplace

from connectors.base import Page, Record
from state import LeaseHeld
from state.values import Step
from sync.sandbox import Sandbox, SandboxOptions
from sync.shards import Shard, only, parse_shard

KEYS = [str(number) for number in range(1000)]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_parts_are_disjoint_and_complete_and_about_equal(count):
    parts = [{key for key in KEYS if Shard(index, count).holds(key)} for index in range(count)]
    assert Counter(key for part in parts for key in part) == Counter(KEYS)
    assert min(map(len, parts)) > 0.8 * len(KEYS) / count


@pytest.mark.parametrize("text", ["", "4", "4/4", "-1/4", "1/0", "a/b", "1/4/2", "0.5/2", "1/99999"])
def test_what_is_no_part_is_refused_with_what_is_expected(text):
    with pytest.raises(ValueError, match="expected I/N with I from 0 to N-1"):
        parse_shard(text)


def test_what_has_no_key_is_told_by_the_first_part_alone():
    page = Page([Record(key, {}) for key in KEYS], {"at": 1}, {"too old": 3}, {"5": "archived"}, notes=["withheld"])
    shown = [next(only([page], Shard(index, 3))) for index in range(3)]
    assert [len(one.filtered) for one in shown] == [1, 0, 0]
    assert [len(one.notes) for one in shown] == [1, 0, 0]
    assert sum(len(one.gone) for one in shown) == 1
    assert [one.cursor for one in shown] == [{"at": 1}] * 3


def test_parts_of_one_division_are_held_side_by_side_and_the_whole_by_one_alone(store):
    first, second = store.acquire("s", owner("a"), "#0/2"), store.acquire("s", owner("b"), "#1/2")
    for part in ("", "#0/2", "#0/3"):
        with pytest.raises(LeaseHeld):
            store.acquire("s", owner("c"), part)
    store.acquire("s-2", owner("c"))
    store.release(first)
    store.release(second)
    whole = store.acquire("s", owner("c"))
    with pytest.raises(LeaseHeld):
        store.acquire("s", owner("d"), "#0/2")
    store.release(whole)


def test_a_part_follows_the_calls_that_it_sent_and_a_whole_run_all(store):
    first, second = store.acquire("s", owner("a"), "#0/2"), store.acquire("s", owner("b"), "#1/2")
    store.apply(first, Step([chunk("a", event="event-1")]))
    store.apply(second, Step([chunk("b", event="event-2")]))
    assert [one.event_id for one in store.unsettled("s", "#1/2")] == ["event-2"]
    assert [one.event_id for one in store.unsettled("s")] == ["event-1", "event-2"]


def test_a_call_that_was_settled_is_not_settled_again(store):
    lease = store.acquire("s", owner("a"))
    store.apply(lease, Step([chunk("a", event="event-1")]))
    (sent,) = store.unsettled("s")
    for _ in range(2):
        store.settle(lease, sent, [failure("a")])
    assert [one.attempts for one in store.due_redeliveries("s")] == [1]


def test_four_processes_share_a_backfill_and_one_is_killed_and_started_again(tmp_path, database, schema_url):
    database.do(TABLE)
    database.do(
        "INSERT INTO customers (id, email, name, plan, updated_at) SELECT n, 'p' || n || '@x.example', 'N' || n, 'a', "
        "'2024-01-01'::timestamptz + n * interval '1 minute' FROM generate_series(1, 1200) n"
    )
    with Sandbox(SandboxOptions(per_minute=6000, latency=0.02)) as sandbox:
        variables = {
            "DATABASE_URL": database.url,
            "PERSONIZE_SECRET_KEY": "sk_test_shards",
            "PERSONIZE_BASE_URL": sandbox.url,
            "MEMSYNC_STATE_URL": schema_url,
            "MEMSYNC_IN_FLIGHT": "1",
        }
        place = Workplace(tmp_path, variables)
        place.write_map(MAP)

        def part(index, kill=False):
            process = place.start("backfill", "customers", "--shard", f"{index}/4", "--json", "--wait", "5s")
            if kill:
                while sandbox.seen().rows < 100:
                    time.sleep(0.05)
                os.kill(process.pid, signal.SIGKILL)
            out, err = process.communicate(timeout=100)
            return process.returncode, out, err

        with ThreadPoolExecutor(4) as pool:
            ended = list(pool.map(part, range(4), [False, True, False, False]))
        assert [code for code, _, _ in ended] == [0, -signal.SIGKILL, 0, 0], ended
        code, out, _ = part(1)
        assert code == 0, out
        again = json.loads(place.memsync("backfill", "customers", "--shard", "1/4", "--json").out)["streams"][0]
        assert again["sent"] == 0
        rows = sandbox.seen().rows
        assert 429 not in sandbox.seen().statuses  # all parts keep to the one limit together
        with client(sandbox.url) as http:
            stored = http.post("/api/v1/search", json={"returnRecords": False, "type": "contact"}).json()["data"]
    assert stored["totalMatched"] == 1200
    assert 1200 <= rows <= 1200 + 10  # one call of the killed part may have been sent twice
