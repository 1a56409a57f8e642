"""What sources do to a run: ties, late commits, odd dates, tables that change, servers that die in the middle."""

from __future__ import annotations

import threading

import pytest
from doubles.memory_api import Call, MemoryApi
from fixtures_faults import FaultyPlace, fill
from fixtures_postgres import Database
from psycopg import conninfo
from workplace import MAP, TABLE


def numbers(api: MemoryApi) -> list[int]:
    """The numbers of the rows that were applied, sorted."""
    return sorted(int(email[1:].partition("@")[0]) for email in api.emails)


def test_a_thousand_rows_of_one_moment_arrive_once_each(
    faulty: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    fill(database, 1, 1000)
    assert database.do("SELECT count(DISTINCT updated_at) FROM customers") == [(1,)]
    faulty.settings("{rowsPerCall: 30}")
    sent = 0
    for _ in range(3):
        ended = faulty.run("--limit", "400")
        assert ended.code == 0
        sent += ended.stream["sent"]
    assert (sent, numbers(api)) == (1000, list(range(1, 1001)))
    assert faulty.run().stream["sent"] == 0


def test_a_row_that_is_committed_late_is_found_by_the_next_run(
    faulty: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    late = database.session()
    late.execute("BEGIN")
    late.execute("INSERT INTO customers (id, email) VALUES (1, 'p1@example.com')")
    fill(database, 2, 20)
    assert faulty.run().stream["sent"] == 19
    late.execute("COMMIT")
    assert database.do(
        "SELECT updated_at < (SELECT min(updated_at) FROM customers WHERE id > 1) FROM customers WHERE id = 1"
    ) == [(True,)]
    again = faulty.run()
    assert (again.code, again.stream["sent"]) == (0, 1)
    assert numbers(api) == list(range(1, 21))


@pytest.mark.parametrize("stamp", ["9999-12-31 23:59:59+00", "infinity", "-infinity", "0044-03-15 00:00:00+00 BC"])
def test_a_row_with_an_impossible_date_is_sent_once_and_hides_nothing(
    faulty: FaultyPlace, database: Database, api: MemoryApi, stamp: str
) -> None:
    fill(database, 1, 20)
    database.do("UPDATE customers SET updated_at = %s::timestamptz WHERE id = 7", stamp)
    assert faulty.run().stream["sent"] == 20
    fill(database, 21, 30)
    assert faulty.run().stream["sent"] == 10
    database.do("UPDATE customers SET name = 'changed', updated_at = now() WHERE id = 3")
    assert faulty.run().stream["sent"] == 1
    assert faulty.run().stream["sent"] == 0
    assert set(numbers(api)) == set(range(1, 31))


@pytest.mark.parametrize("file", ["a-leads.yaml", "z-leads.yaml"], ids=["before it", "behind it"])
def test_one_stream_that_fails_keeps_no_other_from_its_end(
    faulty: FaultyPlace, database: Database, api: MemoryApi, file: str
) -> None:
    fill(database, 1, 20)
    faulty.write_map(MAP.replace("customers", "leads"), file)
    ended = faulty.run()
    assert ended.code == 2
    exits = {one["stream"]: (one["exit"], one["sent"]) for one in ended.json["streams"]}
    assert exits == {"customers": (0, 20), "leads": (2, 0)}
    position = faulty.position()
    database.do(TABLE.replace("customers", "leads"))
    fill(database, 21, 40, "leads")
    assert faulty.run("leads", "--full").code == 0
    assert faulty.position() == position
    assert faulty.run("customers").stream["sent"] == 0
    assert numbers(api) == list(range(1, 41))


def test_a_source_that_dies_in_the_middle_is_no_end_and_the_next_run_goes_on(
    faulty: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    """Six pages; the server shuts its door when the first batch arrives, while the second page or third is read."""
    fill(database, 1, 15_000)
    faulty.settings("{rowsPerCall: 500}")
    faulty.clocks["connectors.postgres.session.PAUSES"] = (0.05, 0.05)
    name = database.owner.info.dbname
    elsewhere = database.session(conninfo.make_conninfo(database.url, dbname="postgres"))
    door = f"ALTER DATABASE {name} ALLOW_CONNECTIONS "
    sessions = f"FROM pg_stat_activity WHERE application_name = 'memsync' AND datname = '{name}'"
    shut = threading.Event()

    def judge(call: Call) -> None:
        if call.name == "batch" and not shut.is_set():
            shut.set()
            elsewhere.execute(f"{door} false")
            elsewhere.execute(f"SELECT pg_terminate_backend(pid) {sessions}")

    api.judge = judge
    ended = faulty.run()
    assert (ended.code, ended.stream["status"], ended.stream["rejected"]) == (4, "failed", 0)
    sent = ended.stream["sent"]
    assert 0 < sent < 15_000
    assert ended.stream["sent"] == len(api.taken)
    assert ended.stream["cursor_to"] == faulty.position()
    assert "postgres" not in ended.stream["message"].replace("Postgres", "")
    elsewhere.execute(f"{door} true")
    again = faulty.run()
    assert (again.code, again.stream["sent"], again.stream["unchanged"]) == (0, 15_000 - sent, 0)
    assert numbers(api) == list(range(1, 15_001))


def test_a_source_that_is_away_at_the_start_costs_no_batch_and_no_cursor(
    faulty: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    faulty.variables["DATABASE_URL"] = "postgresql://reader:sesame@127.0.0.1:1/crm"
    ended = faulty.memsync("run", "--wait", "0s")
    assert (ended.code, api.count("batch")) == (4, 0)
    assert "sesame" not in ended.out + ended.err
    assert faulty.position() is None


CHANGES = {
    "a mapped column is gone": "ALTER TABLE customers DROP COLUMN plan",
    "a mapped column has another name": "ALTER TABLE customers RENAME COLUMN plan TO tariff",
    "the identity is gone": "ALTER TABLE customers DROP COLUMN email",
    "the table is gone": "ALTER TABLE customers RENAME TO clients",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_source_that_no_longer_fits_the_map_is_told_before_anything_is_sent(
    faulty: FaultyPlace, database: Database, api: MemoryApi, change: str
) -> None:
    fill(database, 1, 10)
    assert faulty.run().code == 0
    before, position = api.count("batch"), faulty.position()
    fill(database, 11, 20)
    database.do(CHANGES[change])
    ended = faulty.memsync("run", "--wait", "0s")
    assert (ended.code, api.count("batch")) == (2, before)
    said = [line for line in ended.err.splitlines() if line.startswith("memsync:")]
    assert len(said) == 1
    assert faulty.position() == position
    assert faulty.rejects() == []


def test_a_column_of_another_type_that_the_map_cannot_use_stops_before_anything_is_sent(
    faulty: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    database.do("ALTER TABLE customers ALTER plan TYPE int USING 1")
    database.do("INSERT INTO customers SELECT n, 'p' || n || '@example.com', 'x', n, '' FROM generate_series(1, 10) n")
    faulty.write_map(MAP.replace("[strip, lower]", "[number]"))
    assert faulty.run().code == 0
    position, before = faulty.position(), api.count("batch")
    database.do("ALTER TABLE customers ALTER plan TYPE text")
    database.do("UPDATE customers SET plan = 'gold', updated_at = now()")
    database.do(
        "INSERT INTO customers SELECT n, 'p' || n || '@example.com', 'x', 'gold', '' FROM generate_series(11, 80) n"
    )
    ended = faulty.run()
    assert (ended.code, ended.stream["rejected"], api.count("batch")) == (2, 0, before)
    assert "80 of 80 records cannot be mapped" in ended.stream["message"]
    assert (faulty.position(), faulty.rejects()) == (position, [])


def test_a_cursor_column_that_becomes_another_type_loses_no_row(
    faulty: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    fill(database, 1, 10)
    assert faulty.run().code == 0
    database.do("ALTER TABLE customers ALTER updated_at TYPE timestamp USING updated_at AT TIME ZONE 'UTC'")
    fill(database, 11, 20)
    ended = faulty.run()
    assert (ended.code, ended.stream["sent"]) == (0, 10)
    assert numbers(api) == list(range(1, 21))


def test_a_new_column_changes_nothing(faulty: FaultyPlace, database: Database, api: MemoryApi) -> None:
    fill(database, 1, 10)
    assert faulty.run().code == 0
    database.do("ALTER TABLE customers ADD COLUMN more text DEFAULT 'x'")
    fill(database, 11, 12)
    assert faulty.run().stream["sent"] == 2
