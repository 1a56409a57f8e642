"""`memsync verify`: what memory holds is compared with what was delivered, after it had the time to settle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from doubles.memory_server import MemoryServer, failure, success
from fixtures_faults import FaultyPlace, fill
from fixtures_postgres import Database
from fixtures_reading import ListingApi, Shop

from sync.destination import Destination
from sync.lookup import by_digest
from sync.maps.compile import compile_map
from sync.maps.load import load_maps
from sync.memory.client import MemoryClient
from sync.memory.http import Http
from sync.memory.pace import OwnAllowance, Pacer
from sync.memory.plan import Plan
from sync.sandbox import Sandbox, SandboxOptions
from sync.verify import Verification


def test_it_tells_equal_different_and_missing_by_property_and_the_share(shop: Shop) -> None:
    shop.add(1, 10)
    shop.run("--wait", "20s")
    well = shop.memsync("verify", "customers", "--json")
    assert (well.code, well.json["equal"], well.json["share"]) == (0, 10, 100.0)
    shop.overwrite("p3@example.com", plan="gold", name=None)
    found = shop.memsync("verify", "customers", "--json")
    assert (found.code, found.json["equal"], found.json["different"], found.json["share"]) == (3, 9, 1, 90.0)
    assert found.json["examples"] == ["3: missing name; different in plan"]
    assert "differences" not in found.json
    shown = shop.memsync("verify", "customers")
    assert "90 %" in shown.out
    assert "gold" not in shown.out + shown.err


def test_values_are_shown_only_where_they_were_asked_for(shop: Shop) -> None:
    shop.add(1, 2)
    shop.run("--wait", "20s")
    shop.overwrite("p1@example.com", plan="gold")
    shown = shop.memsync("verify", "customers", "--show-values")
    assert 'plan: sent "team", memory has "gold"' in shown.out
    found = shop.memsync("verify", "customers", "--show-values", "--json").json
    assert found["differences"] == {"1": [{"name": "plan", "sent": "team", "stored": "gold"}]}


def test_where_no_value_can_be_compared_no_share_is_claimed(shop: Shop) -> None:
    shop.add(1, 3)
    text = "    notes: {sourceField: notes, collectionName: Contacts, extractMemories: true}\n"
    head = "stream: texts\nsource: {connector: postgres, object: public.customers}\n"
    shop.write_map(f"{head}mapping:\n  entityType: contact\n  email: email\n  properties:\n{text}", "texts.yaml")
    assert shop.memsync("run", "texts", "--wait", "20s").code == 0
    found = shop.memsync("verify", "texts", "--json")
    assert (found.code, found.json["present"], found.json["share"]) == (0, 3, None)
    assert any("nothing to compare by value: 3 are present" in note for note in found.json["notes"])
    assert "100 %" not in shop.memsync("verify", "texts").out


def test_a_share_is_of_rows_whose_values_can_be_compared() -> None:
    assert Verification("s", sampled=6, present=5, missing=1).share is None
    assert Verification("s", sampled=4, equal=2, overwritten=1, missing=1).share == 75.0


def test_a_digest_finds_the_same(shop: Shop) -> None:
    shop.add(1, 6)
    shop.run("--wait", "20s")
    shop.overwrite("p1@example.com", plan="gold")
    shop.database.do("INSERT INTO customers (id, email, name) VALUES (7, 'p7@example.com', 'Name 7')")
    asked = ("verify", "customers", "--by", "digest", "--token-budget", "50", "--json")
    found = shop.memsync(*asked)
    assert (found.code, found.json["equal"], found.json["different"]) == (3, 5, 1)
    assert shop.sandbox.calls()["POST /api/v1.1/memory/digest"] == 6


def test_a_record_that_a_digest_does_not_find_is_missing(shop: Shop, tmp_path: Path) -> None:
    shop.add(1, 3)
    shop.run("--wait", "20s")
    with Sandbox(SandboxOptions(database=tmp_path / "empty.db")) as empty:
        shop.variables["PERSONIZE_BASE_URL"] = empty.url
        found = shop.memsync("verify", "customers", "--by", "digest", "--json")
    assert (found.code, found.json["missing"], found.json["share"]) == (3, 3, 0.0)
    assert sorted(found.json["examples"]) == [f"{n}: not in memory" for n in (1, 2, 3)]


def test_texts_count_by_whether_their_records_have_memories(shop: Shop) -> None:
    shop.add(1, 4)
    shop.database.do("UPDATE customers SET notes = NULL WHERE id = 4")
    shop.run("--wait", "20s")
    found = shop.memsync("verify", "customers", "--json").json
    assert (found["with_texts"], found["with_memories"]) == (3, 3)
    assert any("3 of 3 rows with texts have memories" in note for note in found["notes"])


def test_records_changed_in_the_source_are_not_compared(shop: Shop) -> None:
    shop.add(1, 4)
    shop.run("--wait", "20s")
    shop.database.do("UPDATE customers SET plan = 'other' WHERE id = 1")
    shop.database.do("DELETE FROM customers WHERE id = 2")
    found = shop.memsync("verify", "customers", "--json")
    assert (found.code, found.json["changed"], found.json["gone"], found.json["equal"]) == (0, 1, 1, 2)


@pytest.mark.parametrize("settling", [3600.0])
def test_what_has_not_settled_is_not_called_missing(shop: Shop) -> None:
    shop.add(1, 4)
    shop.run()
    found = shop.memsync("verify", "customers", "--wait", "0s", "--json")
    numbers = {name: found.json[name] for name in ("sampled", "waiting", "missing", "equal")}
    assert (found.code, numbers) == (0, {"sampled": 4, "waiting": 4, "missing": 0, "equal": 0})
    assert found.json["share"] is None


@pytest.mark.parametrize("settling", [0.3])
def test_it_waits_until_what_was_accepted_is_stored(shop: Shop) -> None:
    shop.add(1, 4)
    shop.run()
    found = shop.memsync("verify", "customers", "--json")
    assert (found.code, found.json["equal"]) == (0, 4), found.out + found.err
    assert shop.memsync("status", "--json").json["streams"][0]["unsettled_rows"] == 0


def test_while_another_run_holds_the_stream_its_events_are_left_to_it(shop: Shop) -> None:
    from state import open_store

    shop.add(1, 4)
    shop.run()
    with open_store(f"sqlite:///{shop.folder}/memsync-state.db") as store:
        lease = store.acquire("customers", json.dumps({"host": "elsewhere", "pid": 1, "started": "1"}))
        found = shop.memsync("verify", "customers", "--json")
        store.release(lease)
    assert found.code == 0
    assert any("another run holds the stream" in note for note in found.json["notes"])


def test_rows_that_turn_out_to_have_failed_are_told(faulty: FaultyPlace, database: Database) -> None:
    fill(database, 1, 3)
    nothing = success({"recordIds": [], "records": {}, "totalMatched": 0})
    with ListingApi(lambda _: nothing) as api:
        faulty.variables["PERSONIZE_BASE_URL"] = api.url
        faulty.clocks |= {"state.delivery.FIRST_POLL": 0.02, "sync.follow.FIRST": 0.05}
        faulty.run()
        api.judge = lambda call: success({"status": "failed"}) if call.name == "event" else None
        found = faulty.memsync("verify", "customers", "--json")
    assert (found.code, found.json["failed"], found.json["sampled"]) == (3, 3, 0)
    assert any("the next run sends them again" in note for note in found.json["notes"])


def test_another_seed_compares_other_records(shop: Shop) -> None:
    shop.add(1, 200)
    shop.run("--wait", "20s")
    for number in range(1, 201):
        shop.database.do("UPDATE customers SET plan = 'x' WHERE id = %s", number) if number % 2 else None
    counts = {
        shop.memsync("verify", "customers", "--sample", "20", "--seed", str(seed), "--json").json["changed"]
        for seed in range(8)
    }
    same = [shop.memsync("verify", "customers", "--sample", "20", "--json").json["changed"] for _ in range(2)]
    assert len(counts) > 1
    assert same[0] == same[1]


def test_nothing_delivered_is_a_clear_error(shop: Shop) -> None:
    ended = shop.memsync("verify", "customers")
    assert ended.code == 2
    assert "nothing of 'customers' was delivered yet; run it first: memsync run customers" in ended.err
    assert "Usage" not in ended.err


def test_a_429_is_waited_out_and_a_lost_answer_asked_for_again(faulty: FaultyPlace, database: Database) -> None:
    fill(database, 1, 2)
    told: list[str] = []

    def answer(body: dict[str, Any]) -> Any:
        told.append(body["email"])
        if len(told) == 1:
            return failure(429, "rate_limit_exceeded", window="per_minute", retryAfterSeconds=1)
        if len(told) == 2:
            return failure(503, "server_error")
        number = body["email"].partition("@")[0].removeprefix("p")
        return success(
            {"recordIds": ["r"], "totalMatched": 1, "records": {"r": {"name": f"Name {number}", "plan": "team"}}}
        )

    with ListingApi(answer) as api:
        faulty.variables["PERSONIZE_BASE_URL"] = api.url
        faulty.run("--wait", "5s")
        found = faulty.memsync("verify", "customers", "--json")
    assert (found.code, found.json["equal"]) == (0, 2), found.err
    assert len(told) == 4
    assert found.json["with_memories"] is None
    assert any("do not speak of memories" in note for note in found.json["notes"])


def test_a_digest_that_was_cut_is_asked_for_again_with_a_larger_budget(shop: Shop) -> None:
    compiled = compile_map(load_maps(shop.folder / "mappings")[0], b"salt")
    whole = {"recordId": "r", "properties": {"name": "Ann", "plan": "team"}, "tokenEstimate": 700}
    cut = success({"recordId": "r", "properties": {"name": "Ann"}, "tokenEstimate": 100})
    with MemoryServer(cut, success(whole)) as server:
        http = Http(server.url, "sk_test_1")
        own = OwnAllowance()
        destination = Destination(
            http, MemoryClient(http, "v1"), Plan("o", "pro", 600, None, assumed=False), "o", lambda _: None
        )
        pacer = Pacer(6000, 0.9, "call", own.reserve, own.postpone, lambda _: None)
        (found,) = by_digest(destination, pacer, compiled, 100)("ann@x.co")
        http.close()
        budgets = [json.loads(one.body)["token_budget"] for one in server.ledger]
    assert found.properties == {"name": "Ann", "plan": "team"}
    assert budgets == [100, 800]
