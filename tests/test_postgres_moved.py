"""Rows that come along with something else: a partition, a copied database, keys of an earlier definition."""

from __future__ import annotations

import psycopg
import pytest
from fixtures_postgres import keys_of, records_of
from psycopg import conninfo

from connectors.base import SourceMisconfigured


def test_a_partition_that_was_filled_elsewhere_brings_its_rows_along(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY, updated_at timestamptz NOT NULL) PARTITION BY RANGE (id)")
    database.do("CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (1) TO (10)")
    database.do("CREATE TABLE t2 (id int PRIMARY KEY, updated_at timestamptz NOT NULL)")
    database.do("INSERT INTO t VALUES (1, '2024-01-01')")
    database.do("INSERT INTO t2 VALUES (11, '2024-01-01')")
    *_, last = database.connector().read(None)
    database.do("ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (10) TO (20)")
    assert "11" in keys_of(database.connector().read(last.cursor))


def test_a_table_that_comes_to_inherit_brings_its_rows_along(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY, updated_at timestamptz NOT NULL)")
    database.do("CREATE TABLE t2 (id int PRIMARY KEY, updated_at timestamptz NOT NULL)")
    database.do("INSERT INTO t2 VALUES (11, '2024-01-01')")
    *_, last = database.connector().read(None)
    database.do("ALTER TABLE t2 INHERIT t")
    assert keys_of(database.connector().read(last.cursor)) == ["11"]


def test_a_copy_of_the_database_is_another_source(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY, updated_at timestamptz NOT NULL)")
    database.do("INSERT INTO t VALUES (1, '2024-01-01')")
    copy = conninfo.make_conninfo(database.url, dbname="a_copy")
    *_, last = database.connector().read(None)
    database.owner.close()
    with psycopg.connect(conninfo.make_conninfo(database.url, dbname="template1"), autocommit=True) as admin:
        source = conninfo.conninfo_to_dict(database.url)["dbname"]
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (source,))
        admin.execute(f"CREATE DATABASE a_copy TEMPLATE {source}")
    try:
        assert keys_of(database.connector(_url=copy).read(last.cursor)) == ["1"]
    finally:
        database.close()
        with psycopg.connect(conninfo.make_conninfo(database.url, dbname="template1"), autocommit=True) as admin:
            admin.execute("DROP DATABASE a_copy WITH (FORCE)")


def test_keys_of_an_earlier_definition_are_left_out(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY, tenant int, updated_at timestamptz)")
    database.do("INSERT INTO t VALUES (1, 2, now())")
    assert [one.key for one in database.connector().fetch(["abc", '["1","2"]', "1"])] == ["1"]
    assert list(database.connector(primaryKey=["tenant", "id"]).fetch(["1", "[]"])) == []


def test_a_number_of_five_thousand_digits_arrives_as_text(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY, n numeric)")
    database.do("INSERT INTO t VALUES (1, ('1' || repeat('0', 5000))::numeric)")
    (record,) = records_of(database.connector().read(None))
    assert record.fields["n"] == "1" + "0" * 5000


def test_what_a_function_says_of_a_row_is_not_repeated(database):
    database.do("CREATE TABLE base (id int PRIMARY KEY, name text)")
    database.do("INSERT INTO base VALUES (1, 'Canary')")
    database.do(
        "CREATE FUNCTION f(x text) RETURNS text LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'value % is bad', x USING errcode = '42P01'; END $$"
    )
    database.do("CREATE VIEW v AS SELECT id, f(name) AS name FROM base")
    with pytest.raises(SourceMisconfigured) as raised:
        list(database.connector("v", primaryKey="id", cursorField=None).read(None))
    assert "Canary" not in str(raised.value)
