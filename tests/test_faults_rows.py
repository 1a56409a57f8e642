"""Bad rows cost themselves and nothing else; a wrong map costs nobody a row; rejects are looked after by hand."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter, defaultdict
from collections.abc import Callable

import pytest
from doubles.memory_api import Call, MemoryApi
from doubles.memory_server import Reply, failure
from fixtures_faults import FaultyPlace, fill
from fixtures_postgres import Database
from workplace import MAP

CHUNK = 50


def poison(emails: set[str], status: int = 400) -> Callable[[Call], Reply | None]:
    """Refuses every batch call that holds one of these addresses, without saying which."""

    def judge(call: Call) -> Reply | None:
        if call.name == "batch" and not emails.isdisjoint(call.emails):
            return failure(status, "validation_error", message="a row of this call is not valid")
        return None

    return judge


@pytest.mark.parametrize(
    "status", [400, pytest.param(413, marks=pytest.mark.slow), pytest.param(422, marks=pytest.mark.slow)]
)
def test_one_bad_row_at_every_place_of_a_chunk_costs_one_row_and_twelve_calls(
    faulty: FaultyPlace, database: Database, api: MemoryApi, status: int
) -> None:
    """Fifty chunks of fifty rows: the bad row stands at the first place of the first, at the last of the last."""
    fill(database, 1, CHUNK * CHUNK)
    faulty.settings("{rowsPerCall: 50}")
    bad = {f"p{1 + place * CHUNK + place}@example.com" for place in range(CHUNK)}
    api.judge = poison(bad, status)
    ended = faulty.run()
    assert (ended.code, ended.stream["rejected"], ended.stream["sent"]) == (3, CHUNK, CHUNK * CHUNK - CHUNK), ended.err
    calls: dict[int, int] = defaultdict(int)
    for call in api.calls:
        if call.name == "batch":
            calls[(int(call.emails[0][1:].partition("@")[0]) - 1) // CHUNK] += 1
    assert set(calls) == set(range(CHUNK))
    assert max(calls.values()) - 1 <= 2 * math.ceil(math.log2(CHUNK))
    assert len(api.emails) == len(set(api.emails)) == CHUNK * CHUNK - CHUNK
    listed = faulty.rejects()
    assert {f"p{one['key']}@example.com" for one in listed} == bad
    assert all(one["code"] == "validation_error" and "not valid" in one["message"] for one in listed)


@pytest.mark.parametrize(
    ("rows", "per_call", "bad"),
    [
        pytest.param(60, 10, lambda number: True, id="every row"),
        pytest.param(60, 10, lambda number: number % 3 == 0, id="every third row"),
        pytest.param(30, 10, lambda number: True, id="the first three chunks"),
        pytest.param(500, 500, lambda number: True, id="one large chunk", marks=pytest.mark.slow),
        pytest.param(3, 1, lambda number: True, id="three chunks of one row", marks=pytest.mark.slow),
        pytest.param(200, 50, lambda number: number % 4 == 0, id="a quarter", marks=pytest.mark.slow),
    ],
)
def test_a_map_that_the_server_minds_stops_the_run_and_rejects_nothing(
    faulty: FaultyPlace, database: Database, api: MemoryApi, rows: int, per_call: int, bad: Callable[[int], bool]
) -> None:
    fill(database, 1, rows)
    faulty.settings(f"{{rowsPerCall: {per_call}}}")
    api.judge = poison({f"p{number}@example.com" for number in range(1, rows + 1) if bad(number)})
    ended = faulty.memsync("run", "--wait", "0s")
    assert ended.code == 2
    said = [line for line in ended.err.splitlines() if line.startswith("memsync:")]
    assert len(said) == 1
    assert "map does not fit the destination" in said[0]
    assert faulty.rejects() == []
    assert faulty.position() is None
    api.judge = lambda _: None
    assert faulty.run().code == 0
    assert set(api.emails) == {f"p{number}@example.com" for number in range(1, rows + 1)}
    assert max(Counter(api.emails).values()) == 1


def test_rows_that_the_map_cannot_make_are_never_sent_and_say_why(
    faulty: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    fill(database, 1, 60)
    database.do("UPDATE customers SET email = NULL WHERE id = 5")
    database.do("UPDATE customers SET notes = repeat('x', 101000) WHERE id = 9")
    ended = faulty.run()
    assert (ended.code, ended.stream["sent"], ended.stream["rejected"]) == (3, 58, 2)
    assert {one["key"]: one["code"] for one in faulty.rejects()} == {
        "5": "MISSING_IDENTIFIER",
        "9": "CONTENT_TOO_LARGE",
    }
    assert len(api.taken) == 58


def test_a_call_is_never_larger_than_the_server_takes(faulty: FaultyPlace, database: Database, api: MemoryApi) -> None:
    fill(database, 1, 130)
    faulty.settings("{rowsPerCall: 500}")
    database.do("UPDATE customers SET notes = repeat('x', 90000)")
    ended = faulty.run()
    assert (ended.code, ended.stream["sent"], api.count("batch")) == (0, 130, 2)


# Rejects, as a person looks after them


@pytest.fixture
def filed(faulty: FaultyPlace, database: Database, api: MemoryApi) -> FaultyPlace:
    """Three rejects: 2 and 3 without an address, 4 refused by the server."""
    fill(database, 1, 20)
    database.do("UPDATE customers SET email = NULL WHERE id IN (2, 3)")
    database.do("UPDATE customers SET name = '=cmd()' WHERE id = 4")
    api.judge = poison({"p4@example.com"})
    assert faulty.run().code == 3
    return faulty


def test_rejects_are_listed_counted_filtered_shown_and_dropped(filed: FaultyPlace, database: Database) -> None:
    listed = filed.memsync("rejects", "list", "customers")
    assert listed.code == 0
    assert "2 MISSING_IDENTIFIER" in listed.out
    assert "1 validation_error" in listed.out
    document = filed.memsync("rejects", "list", "--json").json
    assert document["counts"] == {"MISSING_IDENTIFIER": 2, "validation_error": 1}
    assert [one["key"] for one in filed.rejects("customers", "--code", "MISSING_IDENTIFIER")] == ["2", "3"]
    assert [one["key"] for one in filed.rejects("customers", "--key", "3", "--key", "4")] == ["3", "4"]
    table = list(csv.DictReader(io.StringIO(filed.memsync("rejects", "list", "--csv").out)))
    assert [(row["stream"], row["key"], row["code"]) for row in table][2] == ("customers", "4", "validation_error")
    database.do("UPDATE customers SET name = 'Renamed' WHERE id = 4")
    shown = filed.memsync("rejects", "show", "customers", "--key", "4")
    assert '"Renamed"' in shown.out
    assert "validation_error" in shown.out
    assert "the newest 1 of 3 are shown" in filed.memsync("rejects", "show", "customers", "--limit", "1").out
    dropped = filed.memsync("rejects", "drop", "customers", "--code", "MISSING_IDENTIFIER", "--yes")
    assert (dropped.code, dropped.out) == (0, "customers: 2 rejects dropped\n")
    assert [one["key"] for one in filed.rejects()] == ["4"]


def test_a_reject_is_read_again_for_a_retry_and_leaves_the_list_once_it_is_taken(
    filed: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    database.do("UPDATE customers SET email = 'two@example.com', name = 'Two now' WHERE id = 2")
    again = filed.memsync("rejects", "retry", "customers", "--json", "--wait", "0s")
    assert (again.code, again.stream["sent"], again.stream["rejected"]) == (3, 1, 2)
    assert api.taken[-1] == {"email": "two@example.com", "name": "Two now", "plan": "team", "notes": "Note 2"}
    assert {one["key"]: one["attempts"] for one in filed.rejects()} == {"3": 2, "4": 2}
    api.judge = lambda _: None
    one = filed.memsync("rejects", "retry", "customers", "--key", "4", "--json", "--wait", "0s")
    assert (one.code, one.stream["sent"]) == (0, 1)
    assert [left["key"] for left in filed.rejects()] == ["3"]


def test_a_reject_that_an_ordinary_run_delivered_in_a_newer_version_leaves_the_list_by_itself(
    filed: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    database.do("UPDATE customers SET email = 'p3@example.com', name = 'Newer', updated_at = now() WHERE id = 3")
    assert filed.run().code in (0, 3)
    assert "3" not in [one["key"] for one in filed.rejects()]
    sent = len(api.taken)
    assert filed.memsync("rejects", "retry", "customers", "--key", "2", "--wait", "0s").code == 3
    assert len(api.taken) == sent
    assert [row["name"] for row in api.taken if row["email"] == "p3@example.com"] == ["Newer"]


def test_a_reject_whose_record_is_gone_leaves_the_list_with_a_retry(filed: FaultyPlace, database: Database) -> None:
    database.do("DELETE FROM customers WHERE id = 2")
    assert "no longer in the source" in filed.memsync("rejects", "show", "customers", "--key", "2").out
    ended = filed.memsync("rejects", "retry", "customers", "--key", "2", "--json", "--wait", "0s")
    assert (ended.code, ended.stream["gone"]) == (0, 1)
    assert [one["key"] for one in filed.rejects()] == ["3", "4"]


@pytest.mark.parametrize(
    "command", ["list", "drop", *(pytest.param(c, marks=pytest.mark.slow) for c in ("show", "retry"))]
)
def test_filters_that_match_no_reject_are_an_error_that_names_what_there_is(filed: FaultyPlace, command: str) -> None:
    for wrong in (["--code", "NO_SUCH_REASON"], ["--key", "77"]):
        ended = filed.memsync("rejects", command, "customers", *wrong)
        assert ended.code == 2
        assert "MISSING_IDENTIFIER, validation_error" in ended.err
    assert len(filed.rejects()) == 3


def test_rejects_of_another_stream_are_left_alone(filed: FaultyPlace, database: Database, api: MemoryApi) -> None:
    database.do("CREATE TABLE leads AS SELECT * FROM customers")
    database.do("ALTER TABLE leads ADD PRIMARY KEY (id)")
    filed.write_map(MAP.replace("customers", "leads"), "leads.yaml")
    assert filed.run("leads").code == 3
    assert Counter(one["stream"] for one in filed.rejects()) == {"customers": 3, "leads": 3}
    assert filed.memsync("rejects", "drop", "leads", "--yes").code == 0
    assert Counter(one["stream"] for one in filed.rejects()) == {"customers": 3}
