"""`memsync trace`: one record end to end, and nothing sent under -n."""

from __future__ import annotations

import json

import pytest
from doubles.memory_api import MemoryApi
from doubles.memory_server import failure, success
from fixtures_canary import PERSON, Cage, traces
from fixtures_faults import FaultyPlace, fill
from fixtures_postgres import Database
from fixtures_reading import ListingApi, Shop

from sync.trace import keys_meant

ORDERS = """\
stream: orders
source: {connector: postgres, object: public.orders}
mapping:
  entityType: contact
  customKeyName: orderLine
  customKey: label
  properties:
    amount: {sourceField: amount, collectionName: Contacts}
"""


def rows(shop: FaultyPlace, *arguments: str) -> tuple[int, list[dict]]:
    ended = shop.memsync("trace", *arguments, "--json")
    assert "rows" in ended.json, ended.out + ended.err
    return ended.code, ended.json["rows"]


def row(shop: FaultyPlace, *arguments: str) -> tuple[int, dict]:
    code, (only,) = rows(shop, *arguments)
    return code, only


def test_a_dry_run_shows_everything_and_sends_nothing(shop: Shop) -> None:
    shop.add(1, 3)
    code, one = row(shop, "customers", "2", "-n")
    assert (code, one["verdict"], one["delivery"], one["sent"]) == (0, "new", "never", False)
    assert one["identity"] == {"kind": "email", "name": "email", "field": "email", "value": "p2@example.com"}
    plan = next(step for step in one["properties"] if step["name"] == "plan")
    assert plan == {
        "name": "plan", "source": "plan", "read": " Team ", "value": "team", "changed_by": ["strip", "lower"],
        "problem": "", "is_text": False, "left_out": False,
    }  # fmt: skip
    assert one["row"]["keys"] == ["email", "name", "plan", "notes"]
    assert one["memory"] == {"found": False, "record_id": None, "equal": [], "wrong": [], "memories": None}
    assert shop.sandbox.seen().rows == 0
    assert not list(shop.folder.glob("memsync-state*"))


def test_a_record_is_brought_through_the_whole_path(shop: Shop) -> None:
    shop.add(1, 3)
    code, one = row(shop, "customers", "2")
    assert (code, one["verdict"], one["delivery"], one["sent"]) == (0, "new", "settled", True)
    assert one["event_id"].startswith("evt_")
    assert sorted(one["memory"]["equal"]) == ["name", "plan"]
    assert one["memory"]["memories"] == ["Note about 2."]
    assert one["fingerprint"] == one["state"]["fingerprint"]
    assert shop.sandbox.seen().rows == 1
    after = shop.run("--wait", "20s").stream
    assert (after["sent"], after["unchanged"]) == (2, 1)


def test_what_did_not_change_is_sent_only_on_demand(shop: Shop) -> None:
    shop.add(1, 3)
    shop.run("--wait", "20s")
    code, one = row(shop, "customers", "2")
    assert (code, one["verdict"], one["delivery"], one["sent"]) == (0, "unchanged", "settled", False)
    assert one["properties"][-1]["left_out"]
    assert shop.sandbox.seen().rows == 3
    assert [run["command"] for run in shop.memsync("status", "--json").json["streams"][0]["runs"]] == ["run"]
    code, one = row(shop, "customers", "2", "--resend")
    assert (code, one["sent"], one["properties"][-1]["left_out"]) == (0, True, False)
    assert shop.sandbox.seen().rows == 4


def test_a_changed_row_tells_which_texts_stay_behind(shop: Shop) -> None:
    shop.add(1, 3)
    shop.run("--wait", "20s")
    shop.database.do("UPDATE customers SET plan = 'gold', updated_at = now() WHERE id = 2")
    shown = shop.memsync("trace", "customers", "2", "-n").out
    assert "would be sent" in shown
    assert "text, left out: delivered before" in shown
    assert 'plan is different: memory has "team"' in shown
    code, one = row(shop, "customers", "2")
    assert (code, one["verdict"], one["delivery"], one["row"]["keys"]) == (
        0,
        "changed",
        "settled",
        ["email", "name", "plan"],
    )
    assert one["memory"]["wrong"] == []


def test_a_record_with_another_identity_than_before_says_so(shop: Shop) -> None:
    shop.add(1, 3)
    shop.run("--wait", "20s")
    shop.database.do("UPDATE customers SET email = 'new@example.com' WHERE id = 2")
    assert row(shop, "customers", "2", "-n")[1]["identity_changed"]
    assert "another one than when it was delivered" in shop.memsync("trace", "customers", "2", "-n").out
    assert not row(shop, "customers", "3", "-n")[1]["identity_changed"]


def test_memory_that_holds_something_else_is_told(shop: Shop) -> None:
    shop.add(1, 3)
    shop.run("--wait", "20s")
    shop.overwrite("p2@example.com", plan="gold", name=None)
    code, one = row(shop, "customers", "2", "-n")
    assert code == 3
    assert one["memory"]["wrong"] == [
        {"name": "name", "sent": "Name 2", "stored": None, "word": "missing"},
        {"name": "plan", "sent": "team", "stored": "gold", "word": "different"},
    ]


def test_a_reject_is_explained(shop: Shop) -> None:
    shop.add(1, 3)
    shop.database.do("UPDATE customers SET email = NULL WHERE id = 2")
    code, one = row(shop, "customers", "2", "-n")
    assert (code, one["verdict"], one["reject"]["code"]) == (3, "rejected", "MISSING_IDENTIFIER")
    assert (one["memory"], one["row"], one["state"]["reject"]) == (None, None, None)
    code, one = row(shop, "customers", "2")
    assert (code, one["delivery"], one["state"]["reject"]["code"]) == (3, "rejected", "MISSING_IDENTIFIER")
    shop.database.do("UPDATE customers SET email = 'p2@example.com' WHERE id = 2")
    code, one = row(shop, "customers", "2", "-n")
    assert (code, one["verdict"], one["delivery"]) == (3, "new", "rejected")
    code, one = row(shop, "customers", "2")
    assert (code, one["delivery"], one["state"]["reject"]) == (0, "settled", None)


@pytest.mark.parametrize("settling", [3600.0])
def test_what_does_not_settle_in_time_is_waiting_and_no_fault(shop: Shop) -> None:
    shop.add(1, 1)
    code, one = row(shop, "customers", "1", "--wait", "0s")
    assert (code, one["delivery"], len(one["state"]["waiting"])) == (0, "waiting", 1)
    assert one["event_id"] == one["state"]["waiting"][0]["event_id"]
    assert "accepted, not settled yet" in shop.memsync("trace", "customers", "1", "-n").out


def test_only_its_own_event_is_waited_for(faulty: FaultyPlace, database: Database) -> None:
    fill(database, 1, 3)
    nothing = success({"recordIds": [], "records": {}, "totalMatched": 0})
    with ListingApi(lambda _: nothing) as api:
        faulty.variables["PERSONIZE_BASE_URL"] = api.url
        faulty.clocks |= {"state.delivery.FIRST_POLL": 0.02, "sync.follow.FIRST": 0.05}
        faulty.run()
        database.do("INSERT INTO customers (id, email, name) VALUES (9, 'p9@example.com', 'Nine')")
        mine: list[str] = []

        def judge(call):
            if call.name != "event":
                return None
            mine.append(call.path)
            return success(
                {"status": "failed", "errors": [{"email": "p9@example.com", "code": "X_FAILED", "message": "no"}]}
            )

        api.judge = judge
        code, one = row(faulty, "customers", "9")
    assert (code, one["delivery"], one["state"]["due_again"]) == (3, "failed", True)
    assert len(mine) == 1
    assert faulty.memsync("status", "--json").json["streams"][0]["unsettled_rows"] == 3


def test_a_record_that_is_gone_is_told_apart_from_one_that_nobody_knows(shop: Shop) -> None:
    shop.add(1, 3)
    shop.run("--wait", "20s")
    shop.database.do("DELETE FROM customers WHERE id = 2")
    gone = shop.memsync("trace", "customers", "2", "--json")
    assert (gone.code, gone.json["rows"][0]["found"]) == (3, False)
    assert gone.json["rows"][0]["state"]["fingerprint"]
    told = shop.memsync("trace", "customers", "2").out
    assert "gone from the source" in told
    assert "delivered once" in told
    unknown = shop.memsync("trace", "customers", "77")
    assert (unknown.code, unknown.out) == (2, "")
    assert "the key '77' is not in the source" in unknown.err
    assert "a key is a value of id" in unknown.err
    assert (unknown.err.startswith("memsync: customers: "), "Usage" in unknown.err) == (True, False)
    assert shop.memsync("trace", "nobody", "1").code == 2


def test_a_key_of_another_kind_is_answered_with_the_field_that_is_the_key(shop: Shop) -> None:
    shop.add(1, 1)
    ended = shop.memsync("trace", "customers", "abc", "-n")
    assert ended.code == 2
    assert "a key is a value of id" in ended.err
    assert "JSON" not in ended.err


def test_composite_keys_are_found_however_they_are_typed(shop: Shop) -> None:
    shop.database.do("CREATE TABLE orders (id int, line int, label text, amount int, PRIMARY KEY (id, line))")
    shop.database.do("INSERT INTO orders SELECT n / 2, n % 2, 'order' || n, n FROM generate_series(2, 9) n")
    shop.write_map(ORDERS, "orders.yaml")
    for text in ('["1","1"]', '["1", "1"]', "[1,1]", "1,1", "1, 1"):
        code, one = row(shop, "orders", text, "-n")
        assert (code, one["key"], one["properties"][0]["value"]) == (0, '["1", "1"]', 3)
    beginning = shop.memsync("trace", "orders", "1", "-n")
    assert (beginning.code, "a JSON list of the values of id, line" in beginning.err) == (2, True)
    assert shop.run("orders").code == 0
    for text in ("1", '["1"]'):
        code, found = rows(shop, "orders", text, "-n")
        assert (code, [one["key"] for one in found]) == (0, ['["1", "0"]', '["1", "1"]'])


def test_a_guess_that_the_source_minds_does_not_hide_the_record(shop: Shop) -> None:
    one = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    shop.database.do("CREATE TABLE orders (id uuid PRIMARY KEY, label text, amount int)")
    shop.database.do("INSERT INTO orders VALUES (%s, 'order1', 1)", one)
    shop.write_map(ORDERS, "orders.yaml")
    assert row(shop, "orders", one, "-n")[1]["key"] == one
    unknown = shop.memsync("trace", "orders", "6ba7b810-9dad-11d1-80b4-000000000000")
    assert (unknown.code, "is not in the source" in unknown.err) == (2, True)
    assert shop.memsync("trace", "orders", "42", "-n").code == 2


@pytest.mark.parametrize(
    ("text", "keys", "starts"),
    [
        ("42", ["42", '["42"]'], ['["42",']),
        ('["a","b"]', ['["a","b"]', '["a", "b"]', '["[\\"a\\",\\"b\\"]"]'], ['["a", "b",', '["a","b",']),
        ("a,b", ["a,b", '["a", "b"]', '["a","b"]', '["a,b"]'], ['["a", "b",', '["a","b",']),
    ],
)
def test_what_a_person_may_mean_by_a_key(text: str, keys: list[str], starts: list[str]) -> None:
    assert keys_meant(text) == (keys, starts)


def test_values_are_on_standard_output_only(shop: Shop) -> None:
    shop.add(1, 1)
    shop.database.do("UPDATE customers SET name = 'CANARYNAME', notes = 'CANARYNOTE' WHERE id = 1")
    shop.variables |= {"MEMSYNC_LOG_LEVEL": "debug", "MEMSYNC_LOG_FORMAT": "json"}
    ended = shop.memsync("trace", "customers", "1", "--debug")
    assert "CANARYNAME" in ended.out
    assert "CANARY" not in ended.err
    kept = b"".join(path.read_bytes() for path in shop.folder.glob("memsync-state.db*"))
    assert b"CANARY" not in kept


def test_what_stops_the_sending_is_told_and_memory_is_left_alone(faulty: FaultyPlace, database: Database) -> None:
    fill(database, 1, 1)
    with ListingApi(lambda _: None) as api:
        faulty.variables["PERSONIZE_BASE_URL"] = api.url
        api.judge = lambda call: failure(402, "INSUFFICIENT_CREDITS") if call.name == "batch" else None
        ended = faulty.memsync("trace", "customers", "1", "--json")
    assert (ended.code, ended.json["rows"][0]["delivery"], ended.json["rows"][0]["memory"]) == (6, "never", None)
    assert "credits are used up" in ended.json["message"]


def test_nothing_on_the_screen_steers_a_terminal(shop: Shop) -> None:
    shop.add(1, 1)
    shop.database.do("UPDATE customers SET name = %s WHERE id = 1", "\x1b[2Ja\nmemsync: all is well\u202e")
    for arguments in ((), ("--json",)):
        shown = shop.memsync("trace", "customers", "1", *arguments).out
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "\nmemsync: all is well" not in shown
    assert json.loads(shop.memsync("trace", "customers", "1", "--json").out)


@pytest.mark.parametrize("status", [400, 500])
def test_a_search_that_the_server_refuses_shows_nothing_of_whom_it_was_for(
    status: int, cage: Cage, parrot: MemoryApi
) -> None:
    cage.monkeypatch.setattr("sync.reads.ATTEMPTS", 1)
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    refusal = failure(status, "validation_error", message=f"bad: {PERSON['email']} {PERSON['plan']}")
    parrot.judge = lambda call: refusal if call.name == "other" else None
    for command in (("trace", "customers", "7", "-n"), ("export", "--key", f"email={PERSON['email']}")):
        assert {one.code for one in cage.in_every_mode(*command) if "--json needs" not in one.err} == {5}
        assert not [line for text in cage.said for line in text.splitlines() if traces(line)]
