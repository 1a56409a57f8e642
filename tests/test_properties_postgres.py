"""Names and cursor values of any kind against a real Postgres: nothing is injected, and nothing is rounded up."""

from __future__ import annotations

import json
from itertools import count

import pytest
from fixtures_postgres import Database, keys_of, records_of
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier, Literal

from connectors.base import SourceMisconfigured
from connectors.postgres.catalog import Listed, split_name
from connectors.postgres.cursor import Position, Progress, Server, decode, encode

TRIALS = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_NUMBERS = count(1)

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
HOSTILE = st.sampled_from(
    [
        '"',
        '""',
        "'",
        "\\",
        ";--",
        "%s",
        "%(a)s",
        "%",
        "{}",
        "{0}",
        "$1",
        ":a",
        "/*",
        "*/",
        "\n",
        " ",
        ".",
        "?",
        "é😀",
        "x",
    ]
)
NAMES = (
    (st.lists(HOSTILE, min_size=1, max_size=4).map("".join) | TEXT)
    .filter(lambda name: 0 < len(name.encode()) <= 60)
    .filter(lambda name: not name.startswith("pg_"))
)


# -- the document


STAMPS = TEXT | st.sampled_from(
    ["infinity", "-infinity", "4713-01-01 00:00:00+00 BC", "294276-12-31 23:59:59.999999+00"]
)
PLACES = st.builds(Position, st.none() | STAMPS, st.none() | st.lists(TEXT, max_size=3).map(tuple))
NUMBERS = st.none() | st.integers(0, 2**62)
SERVERS = st.builds(
    Server,
    st.none() | TEXT,
    NUMBERS,
    st.integers(0, 2**62),
    st.integers(0, 2**62),
    st.booleans(),
    STAMPS,
    st.none() | STAMPS,
)
PROGRESS = st.builds(
    Progress,
    definition=TEXT,
    table=NUMBERS,
    server=SERVERS,
    phase=st.sampled_from(["full", "late", "nulls", "new", "ahead", "done"]),
    at=st.none() | PLACES,
    saved=PLACES,
    horizon=NUMBERS,
    swept=NUMBERS,
    swept_at=st.none() | STAMPS,
    sweeping=st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(PROGRESS)
def test_a_cursor_that_was_stored_as_json_is_the_same_to_the_last_character(progress):
    assert decode(json.loads(json.dumps(encode(progress)))) == progress


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
MEMBERS = [*Progress.__slots__, "odd"]
SOME = Progress("d", 1, Server(None, None, 1, 1, standby=False, started="", ceiling=None), "done")


@settings(max_examples=150, deadline=None)
@given(progress=PROGRESS, changes=st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=3), alone=st.booleans())
@example(progress=SOME, changes={"definition": "\ud800"}, alone=False)
@example(progress=SOME, changes={"table": 10**40}, alone=False)
def test_a_document_of_any_other_form_is_refused_with_the_remedy(progress, changes, alone):
    document = changes if alone else {**encode(progress), **changes}
    try:
        found = decode(document)
    except SourceMisconfigured as problem:
        found = str(problem)
    assert isinstance(found, Progress) or "--full" in found


# -- cursor values


DAYS = ["2026-03-29", "2026-10-25", "2026-11-01", "0001-01-01", "1999-12-31", "2024-02-29", "9999-12-31"]
CLOCKS = ["00:00:00", "01:30:00.000001", "02:30:00.5", "02:30:00.999999", "23:59:59.9999995", "12:00:00.123456"]
ZONES = ["+00", "-12", "+14", "+05:45", "-03:30", " America/New_York", " Australia/Lord_Howe", " Europe/Berlin"]
MOMENTS = st.builds("{} {}{}".format, st.sampled_from(DAYS), st.sampled_from(CLOCKS), st.sampled_from(ZONES))
FAR = st.sampled_from(["infinity", "-infinity", "4713-01-01 00:00:00 BC", "294276-12-31 23:59:59.999999", "epoch"])
DATES = st.sampled_from([*DAYS, "infinity", "-infinity", "4713-01-01 BC", "5874897-12-31"])
INTEGERS = st.integers(-(2**63), 2**63 - 1).map(str)
NUMERICS = st.sampled_from(["NaN", "Infinity", "-Infinity", "0.1", "1e-300", "12345678901234567890.000000001", "-7"])
KINDS = {
    "timestamptz": MOMENTS | FAR,
    "timestamptz(0)": MOMENTS,  # the server rounds the last moment of all to one that it cannot read back
    "timestamptz(3)": MOMENTS,
    "timestamp": MOMENTS | FAR,
    "timestamp(3)": MOMENTS,
    "date": DATES,
    "bigint": INTEGERS,
    "numeric": NUMERICS | INTEGERS,
    "numeric(20,5)": st.decimals(-(10**14), 10**14, places=7).map(str),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("view", [False, True], ids=["table", "view"])
def test_no_cursor_is_rounded_up_and_reading_on_from_it_misses_nothing(database: Database, kind, view):
    # Settings of a database that must not reach the texts that cursors are made of.
    for setting in ("timezone = 'America/New_York'", "datestyle = 'SQL, DMY'", "extra_float_digits = 0"):
        database.do(f"DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || $x$ SET {setting} $x$; END $$")
    database.do(f"CREATE TABLE t (id int PRIMARY KEY, v {kind}); CREATE VIEW w AS SELECT * FROM t")
    connector = database.connector("w" if view else "t", page_rows=1, cursorField="v", primaryKey="id", settle="0s")

    @settings(TRIALS, max_examples=3)
    @given(st.lists(KINDS[kind] | st.none(), min_size=2, max_size=5), st.data())
    def holds(values, data):
        database.do("DELETE FROM t")
        for number, value in enumerate(values):
            database.do(f"INSERT INTO t VALUES (%s, %s::{kind})", number, value)
        read = []
        pages = list(connector.read(None))
        for page in pages:
            read += [record.key for record in page.records]
            at = decode(json.loads(json.dumps(page.cursor))).at
            if at is not None and at.cursor is not None and page.records:
                last = page.records[-1].key
                # The very value, as the server itself compares it.
                exact = database.do(f"SELECT v = %s::{kind} FROM t WHERE id = %s", at.cursor, int(last))
                assert exact == [(True,)], at.cursor
        everything = {str(number) for number in range(len(values))}
        assert set(read) == everything
        cut = data.draw(st.integers(0, len(pages) - 1))
        before = {record.key for page in pages[: cut + 1] for record in page.records}
        assert before | set(keys_of(connector.read(json.loads(json.dumps(pages[cut].cursor))))) == everything

    holds()


# -- names


@settings(max_examples=200, deadline=None)
@given(NAMES, NAMES)
def test_a_name_that_is_listed_is_understood_when_it_is_written_into_a_map(schema, table):
    assert split_name(Listed(schema, table, "", None).text) == (schema, table)


def test_names_are_names_and_nothing_else_whatever_they_hold(database: Database) -> None:
    database.do("CREATE TABLE bystander (id int); INSERT INTO bystander VALUES (1)")

    @settings(TRIALS, max_examples=15)
    @given(
        NAMES,
        NAMES,
        st.lists(NAMES, min_size=3, max_size=4, unique=True),
        st.lists(TEXT, min_size=2, max_size=3, unique=True),
    )
    @example('a"; DROP TABLE bystander; --', "%s", ["%(x)s", "{}", '"'], ["'; DROP TABLE bystander; --", "%s"])
    def holds(schema, table, columns, keys):
        number = next(_NUMBERS)
        schema = f"{schema[:30]}{number}"
        where = Identifier(schema, table)
        key, stamp, *others = columns
        database.owner.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
        parts = [SQL("{} text PRIMARY KEY").format(Identifier(key)), SQL("{} timestamptz").format(Identifier(stamp))]
        parts += [SQL("{} text").format(Identifier(name)) for name in others]
        database.owner.execute(SQL("CREATE TABLE {} ({})").format(where, SQL(", ").join(parts)))
        for one in keys:
            values = SQL(", ").join([Literal(one), SQL("now()"), *(Literal(name) for name in others)])
            database.owner.execute(SQL("INSERT INTO {} VALUES ({})").format(where, values))
        text = Listed(schema, table, "", None).text
        connector = database.connector(text, page_rows=1, settle="0s", primaryKey=key, cursorField=stamp, fields=others)
        records = records_of(connector.read(None))
        assert sorted(record.key for record in records) == sorted(keys)
        for record in records:
            assert record.fields == {name: name for name in others}
        assert sorted(record.key for record in connector.fetch(keys)) == sorted(keys)
        assert {field.name for field in connector.fields(text)} == set(columns)
        assert connector.count(None) == len(keys)
        assert database.do("SELECT count(*) FROM bystander") == [(1,)]
        assert database.do("SELECT count(*) FROM pg_namespace WHERE nspname = %s", schema) == [(1,)]
        connector.close()
        database.owner.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))

    holds()


def test_values_of_composite_keys_are_values_and_nothing_else(database: Database) -> None:
    database.do("CREATE TABLE t (a text, b text, updated_at timestamptz DEFAULT now(), PRIMARY KEY (a, b))")
    connector = database.connector(page_rows=1, settle="0s")

    @settings(TRIALS, max_examples=20)
    @given(st.lists(st.tuples(TEXT | HOSTILE, TEXT | HOSTILE), min_size=1, max_size=4, unique=True))
    def holds(keys):
        database.do("DELETE FROM t")
        for one in keys:
            database.do("INSERT INTO t (a, b) VALUES (%s, %s)", *one)
        pages = list(connector.read(None))
        read = [record.key for page in pages for record in page.records]
        assert sorted(tuple(json.loads(key)) for key in read) == sorted(keys)
        assert sorted(record.key for record in connector.fetch(read)) == sorted(read)
        rest = keys_of(connector.read(json.loads(json.dumps(pages[0].cursor))))
        assert set(rest) | {record.key for record in pages[0].records} == set(read)

    holds()
