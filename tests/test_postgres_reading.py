"""Reading Postgres: every row once, whatever its stamp, and nothing missed between runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from fixtures_postgres import Database, keys_of, records_of

from connectors.base import SourceMisconfigured

TABLE = "CREATE TABLE t (id bigint PRIMARY KEY, v int NOT NULL DEFAULT 0, updated_at timestamptz)"


def filled(database: Database, rows: int = 10) -> None:
    """A table whose rows all carry one stamp."""
    database.do(TABLE)
    database.do("INSERT INTO t SELECT i, 0, '2026-01-01' FROM generate_series(1, %s) i", rows)


def last_cursor(connector, since=None):
    """The cursor of a complete run, as a state store would keep it."""
    return json.loads(json.dumps(list(connector.read(since))[-1].cursor))


def test_equal_stamps_over_page_borders_are_read_once_each(database):
    filled(database, 10)
    assert keys_of(database.connector(page_rows=3).read(None)) == [str(i) for i in range(1, 11)]


def test_equal_stamps_over_page_borders_are_read_once_each_in_later_runs(database):
    filled(database, 4)
    connector = database.connector(page_rows=3)
    cursor = last_cursor(connector)
    database.do("UPDATE t SET updated_at = now()")
    database.do("INSERT INTO t SELECT i, 0, (SELECT max(updated_at) FROM t) FROM generate_series(5, 10) i")
    assert sorted(keys_of(connector.read(cursor)), key=int) == [str(i) for i in range(1, 11)]


def test_a_run_with_nothing_new_yields_no_record_and_one_empty_page(database):
    filled(database)
    connector = database.connector()
    cursor = last_cursor(connector)
    (page,) = connector.read(cursor)
    assert not page.records
    (page,) = connector.read(page.cursor)
    assert not page.records


def test_rows_without_a_cursor_value_are_read_first_and_later(database):
    filled(database, 3)
    database.do("INSERT INTO t VALUES (4, 0, NULL)")
    connector = database.connector(page_rows=2)
    assert len(keys_of(connector.read(None))) == 4
    cursor = last_cursor(connector)
    database.do("UPDATE t SET v = 9 WHERE id = 4")
    assert keys_of(connector.read(cursor)) == ["4"]


@pytest.mark.parametrize("savepoint", [False, True], ids=["plain", "in a savepoint"])
def test_a_row_committed_after_the_cursor_passed_its_stamp_is_read_next_time(database, savepoint):
    filled(database, 2)
    connector = database.connector()
    cursor = last_cursor(connector)
    late = database.session()
    late.execute("BEGIN")
    if savepoint:
        late.execute("SAVEPOINT s")
    late.execute("UPDATE t SET v = 1, updated_at = now() WHERE id = 1")
    database.do("UPDATE t SET v = 2, updated_at = now() WHERE id = 2")
    pages = list(connector.read(cursor))
    assert [record.key for page in pages for record in page.records] == ["2"]
    late.execute("COMMIT")
    pages = list(connector.read(pages[-1].cursor))
    assert "1" in [record.key for page in pages for record in page.records]
    assert not keys_of(connector.read(pages[-1].cursor))


def test_a_row_committed_while_the_first_run_reads_is_read_next_time(database):
    filled(database, 6)
    late = database.session()
    late.execute("BEGIN")
    late.execute("INSERT INTO t VALUES (0, 0, '2020-01-01')")
    connector = database.connector(page_rows=2)
    pages = connector.read(None)
    next(pages)
    late.execute("COMMIT")
    *_, last = pages
    assert keys_of(connector.read(last.cursor)) == ["0"]


def test_rows_changed_while_being_read_are_seen_with_their_last_value(database):
    filled(database, 6)
    connector = database.connector(page_rows=2)
    seen, cursor = {}, None
    for page in connector.read(None):
        seen |= {record.key: record.fields["v"] for record in page.records}
        cursor = page.cursor
        database.do("UPDATE t SET v = v + 1, updated_at = now() WHERE id IN (1, 6)")
    seen |= {record.key: record.fields["v"] for record in records_of(connector.read(cursor))}
    assert seen == {str(key): value for key, value in database.do("SELECT id, v FROM t")}


def test_an_update_that_forgets_the_stamp_is_read(database):
    filled(database, 3)
    connector = database.connector()
    cursor = last_cursor(connector)
    database.do("UPDATE t SET v = 5 WHERE id = 2")
    assert keys_of(connector.read(cursor)) == ["2"]


def test_many_late_rows_come_in_pages(database):
    filled(database, 10)
    connector = database.connector(page_rows=3)
    cursor = last_cursor(connector)
    database.do("UPDATE t SET v = 5")
    pages = list(connector.read(cursor))
    assert [len(page.records) for page in pages] == [3, 3, 3, 1, 0]
    assert len({record.key for page in pages for record in page.records}) == 10


@pytest.mark.parametrize("stamp", ["2099-01-01", "infinity"])
def test_a_row_dated_in_the_future_is_read_and_hides_nothing(database, stamp):
    filled(database, 3)
    database.do("INSERT INTO t VALUES (99, 0, %s)", stamp)
    connector = database.connector()
    assert "99" in keys_of(connector.read(None))
    cursor = last_cursor(connector)
    database.do("INSERT INTO t VALUES (100, 0, %s)", stamp)
    cursor = last_cursor(connector, cursor)
    database.do("INSERT INTO t VALUES (4, 0, now())")
    assert "4" in keys_of(connector.read(cursor))
    view = database.connector("v", primaryKey="id", cursorField="updated_at")
    database.do("CREATE VIEW v AS SELECT * FROM t")
    cursor = last_cursor(view, last_cursor(view))
    database.do("INSERT INTO t VALUES (5, 0, now())")
    assert "5" in keys_of(view.read(cursor))


def test_the_oldest_stamp_there_is_gets_read(database):
    filled(database, 1)
    database.do("INSERT INTO t VALUES (2, 0, '-infinity'), (3, 0, '0044-03-15 BC')")
    assert keys_of(database.connector().read(None)) == ["1", "2", "3"]


@pytest.mark.parametrize("change", [False, True], ids=["first run", "later run"])
def test_every_page_resumes_where_it_ended(database, change):
    filled(database, 11)
    database.do("UPDATE t SET updated_at = NULL WHERE id = 7")
    connector = database.connector(page_rows=2)
    since = None
    if change:
        since = last_cursor(connector)
        database.do("UPDATE t SET v = 1 WHERE id < 4")
        database.do("UPDATE t SET v = 1, updated_at = now() WHERE id > 7")
        database.do("UPDATE t SET v = 1, updated_at = '2098-01-01' WHERE id = 11")
    pages = [(page, json.loads(json.dumps(page.cursor))) for page in connector.read(since)]
    assert len(pages) > 4
    for number, (_, cursor) in enumerate(pages[:-1]):
        rest = [record.key for page, _ in pages[number + 1 :] for record in page.records]
        assert keys_of(connector.read(cursor)) == rest


def test_every_page_of_a_view_resumes_where_it_ended(database):
    filled(database, 7)
    database.do("CREATE VIEW v AS SELECT * FROM t")
    connector = database.connector("v", primaryKey="id", cursorField="updated_at", page_rows=2)
    cursor = last_cursor(connector)
    database.do("UPDATE t SET updated_at = now() - interval '1 s' * id")
    pages = list(connector.read(cursor))
    for number, page in enumerate(pages[:-1]):
        rest = [record.key for page in pages[number + 1 :] for record in page.records]
        assert keys_of(connector.read(page.cursor)) == rest


def test_a_row_that_arrives_late_while_reading_a_view_is_interrupted_is_read_next_time(database):
    filled(database, 0)
    database.do("CREATE VIEW v AS SELECT * FROM t")
    connector = database.connector("v", primaryKey="id", cursorField="updated_at", page_rows=2)
    cursor = last_cursor(connector)
    database.do("INSERT INTO t SELECT i, 0, now() - interval '1 hour' FROM generate_series(1, 4) i")
    stopped = next(iter(connector.read(cursor)))
    database.do("INSERT INTO t VALUES (5, 0, now() - interval '65 minutes'), (6, 0, now())")
    cursor = last_cursor(connector, stopped.cursor)
    assert "5" in keys_of(connector.read(cursor))
    cursor = last_cursor(connector, cursor)
    assert keys_of(connector.read(cursor)) == ["6"]


def test_rows_on_both_sides_of_the_interruption_of_a_first_run_arrive(database):
    filled(database, 6)
    connector = database.connector(page_rows=2)
    first = next(iter(connector.read(None)))
    database.do("UPDATE t SET v = 1, updated_at = now() WHERE id = 1")
    pages = list(connector.read(first.cursor))
    assert [record.key for page in pages for record in page.records] == ["3", "4", "5", "6"]
    assert keys_of(connector.read(pages[-1].cursor)) == ["1"]


def test_start_leaves_out_what_is_older_on_the_first_run(database):
    filled(database, 2)
    database.do("INSERT INTO t VALUES (3, 0, '2025-12-31 23:59:59+00'), (4, 0, NULL)")
    connector = database.connector(start="2026-01-01T00:00:00Z")
    database.do("UPDATE t SET updated_at = '2026-01-01 00:00:00+00' WHERE id = 1")
    assert keys_of(connector.read(None)) == ["1", "2"]


def test_until_bounds_what_is_read_and_what_is_saved(database):
    filled(database, 2)
    database.do("INSERT INTO t VALUES (3, 0, '2026-02-01+00')")
    connector = database.connector()
    pages = list(connector.read(None, datetime(2026, 2, 1, tzinfo=UTC)))
    assert [record.key for page in pages for record in page.records] == ["1", "2"]
    assert keys_of(connector.read(pages[-1].cursor)) == ["3"]


def test_settle_leaves_the_newest_rows_for_later(database):
    filled(database, 2)
    connector = database.connector(settle="1h")
    database.do("INSERT INTO t VALUES (3, 0, now())")
    pages = list(connector.read(None))
    assert [record.key for page in pages for record in page.records] == ["1", "2"]
    database.do("UPDATE t SET updated_at = now() - interval '30 minutes' WHERE id = 3")
    assert not keys_of(connector.read(pages[-1].cursor))
    database.do("UPDATE t SET updated_at = now() - interval '61 minutes' WHERE id = 3")
    assert keys_of(connector.read(pages[-1].cursor)) == ["3"]


def test_lookback_bounds_late_rows_until_the_daily_sweep(database):
    filled(database, 3)
    connector = database.connector(lookback="1d")
    cursor = last_cursor(connector)
    database.do("UPDATE t SET v = 1 WHERE id = 1")
    database.do("UPDATE t SET v = 1, updated_at = NULL WHERE id = 2")
    bounded = list(connector.read(cursor))
    assert [record.key for page in bounded for record in page.records] == ["2"]
    cursor = bounded[-1].cursor
    cursor["swept_at"] = "2026-01-01 00:00:00+00"
    assert keys_of(connector.read(cursor)) == ["1", "2"]


@pytest.mark.parametrize("kind", ["integer", "numeric", "date", "timestamp"])
def test_other_cursor_types_go_on_where_they_stopped(database, kind):
    database.do(f"CREATE TABLE t (id int PRIMARY KEY, c {kind})")
    values = {"integer": [1, 2, 3], "numeric": ["1.5", "2.25", "NaN"]}.get(
        kind, ["2026-01-01", "2026-01-02", "2098-01-01"]
    )
    for number, value in enumerate(values):
        database.do("INSERT INTO t VALUES (%s, %s)", number, value)
    connector = database.connector(cursorField="c", page_rows=1)
    cursor = last_cursor(connector)
    greater = {"integer": 4, "numeric": "2.5"}.get(kind, datetime.now() - timedelta(days=1))
    database.do("INSERT INTO t VALUES (8, %s)", greater)
    assert keys_of(connector.read(cursor)) == (["8"] if kind == "integer" else ["8", "2"])


def test_without_a_cursor_column_every_run_reads_all_and_resumes_within_a_run(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY)")
    database.do("INSERT INTO t SELECT generate_series(1, 5)")
    connector = database.connector(page_rows=2)
    pages = list(connector.read(None))
    assert [record.key for page in pages for record in page.records] == ["1", "2", "3", "4", "5"]
    assert keys_of(connector.read(pages[0].cursor)) == ["3", "4", "5"]
    assert keys_of(connector.read(pages[-1].cursor)) == ["1", "2", "3", "4", "5"]


def test_a_null_cursor_field_reads_all_although_a_column_would_do(database):
    filled(database, 3)
    connector = database.connector(cursorField=None)
    assert len(keys_of(connector.read(last_cursor(connector)))) == 3


def test_a_table_made_anew_is_read_from_the_start(database):
    filled(database, 3)
    connector = database.connector()
    cursor = last_cursor(connector)
    database.do("DROP TABLE t")
    filled(database, 3)
    assert len(keys_of(database.connector().read(cursor))) == 3


def test_another_condition_reads_from_the_start(database):
    filled(database, 3)
    cursor = last_cursor(database.connector(where="id = 1"))
    assert keys_of(database.connector(where="id < 3").read(cursor)) == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "value"), [("system", "12345"), ("timeline", 77), ("horizon", -(2**31)), ("horizon", 2**40)]
)
def test_another_server_or_one_restored_from_a_backup_is_read_from_the_start(database, name, value):
    filled(database, 3)
    connector = database.connector()
    cursor = last_cursor(connector)
    cursor["server"][name] = value
    assert len(keys_of(connector.read(cursor))) == 3


@pytest.mark.parametrize(
    "spoil",
    [
        lambda cursor: {},
        lambda cursor: {"version": 1},
        lambda cursor: cursor | {"version": 2},
        lambda cursor: cursor | {"phase": "lunch"},
        lambda cursor: cursor | {"saved": {"cursor": "yesterday-ish", "key": None}},
        lambda cursor: cursor | {"saved": {"cursor": "2026-01-01", "key": ["x"]}},
        lambda cursor: cursor | {"saved": {"cursor": "2026-01-01", "key": ["1", "2"]}},
        lambda cursor: cursor | {"swept_at": "noon"},
    ],
)
def test_a_cursor_that_is_none_of_ours_is_refused_with_the_remedy(database, spoil):
    filled(database, 1)
    connector = database.connector()
    with pytest.raises(SourceMisconfigured, match="memsync run STREAM --full"):
        list(connector.read(spoil(last_cursor(connector))))
