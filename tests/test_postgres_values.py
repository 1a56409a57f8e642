"""Values of every type arrive as plain text, numbers, lists and objects, and none makes a page fail."""

from __future__ import annotations

import base64
import math

import orjson
import pytest
from fixtures_postgres import records_of

from sync.maps.compile import compile_map
from sync.maps.load import load_text

MAP_OF_C = """\
stream: t
source: {connector: postgres, object: t}
mapping:
  entityType: contact
  customKey: id
  customKeyName: number
  properties:
    c: {sourceField: c, collectionName: Contacts}
"""
CASES = [
    ("timestamptz", "'2026-11-22 09:57:39.852528+01'", "2026-11-22T08:57:39.852528+00:00"),
    ("timestamptz", "'infinity'", "infinity"),
    ("timestamptz", "'12026-01-01 00:00+00'", "12026-01-01 00:00:00+00"),
    ("timestamptz", "'0044-03-15 00:00+00 BC'", "0044-03-15 00:00:00+00 BC"),
    ("timestamp", "'2026-11-22 09:57:39'", "2026-11-22T09:57:39+00:00"),
    ("timestamp", "'-infinity'", "-infinity"),
    ("date", "'2026-11-22'", "2026-11-22"),
    ("date", "'infinity'", "infinity"),
    ("time", "'24:00:00'", "24:00:00"),
    ("timetz", "'10:00:00+02'", "10:00:00+02"),
    ("interval", "'1 year 2 mons 3 days 4 hours'", "P1Y2M3DT4H"),
    ("numeric(9,2)", "12.50", 12.5),
    ("numeric", "12", 12),
    ("numeric(30,0)", "123456789012345678901234567890", 123456789012345678901234567890),
    ("numeric", "0.1234567890123456789", "0.1234567890123456789"),
    ("numeric", "-100.25", -100.25),
    ("numeric", "0.00000000000000001", 1e-17),
    ("jsonb", "'0.00000000000000001'", 1e-17),
    ("numeric", "1e-20", 1e-20),
    ("numeric", f"0.{'0' * 330}1", f"0.{'0' * 330}1"),
    ("numeric", f"0.{'0' * 309}123456", f"0.{'0' * 309}123456"),
    ("json", "'[1e-400, 1E-320, 1e400, 0e-400, 1.5e-300]'", ["1e-400", "1E-320", "1e400", 0.0, 1.5e-300]),
    ("bigint", "9223372036854775807", 9223372036854775807),
    ("float8", "0.1", 0.1),
    ("boolean", "true", True),
    ("uuid", "'F0000000-0000-0000-0000-000000000001'", "f0000000-0000-0000-0000-000000000001"),
    ("char(5)", "'ab'", "ab"),
    ("text", "'üñ'", "üñ"),
    ("jsonb", """'{"a": [1, null, {"b": 0.5}]}'""", {"a": [1, None, {"b": 0.5}]}),
    ("jsonb", """'[12345678901234567890123, 1.50]'""", [12345678901234567890123, 1.5]),
    ("jsonb", """'[0.1234567890123456789, 1e-3]'""", ["0.1234567890123456789", 0.001]),
    ("jsonb", """'[1e999, 1.5]'""", [10**999, 1.5]),
    ("json", """'[1e999, -2.5E2]'""", ["1e999", -250.0]),
    ("numeric[]", "'{1.00,12345678901234567890.123}'", [1.0, "12345678901234567890.123"]),
    ("numeric(5,-2)", "12345", 12300),
    ("json", "'null'", None),
    ("text[]", "'{a,NULL,\"b c\"}'", ["a", None, "b c"]),
    ("int[][]", "'{{1,2},{3,4}}'", [[1, 2], [3, 4]]),
    ("timestamptz[]", "'{2026-01-01 00:00+00}'", ["2026-01-01T00:00:00+00:00"]),
    ("mood", "'sad'", "sad"),
    ("mood[]", "'{sad,ok}'", ["sad", "ok"]),
    ("feelings", "'{sad}'", ["sad"]),
    ("place", "ROW('Main St', 12)", {"street": "Main St", "number": 12}),
    ("place[]", "ARRAY[ROW('Main St', 12)::place]", [{"street": "Main St", "number": 12}]),
    ("int4range", "'[1,5)'", "[1,5)"),
    ("int4range[]", "'{\"[1,5)\"}'", ["[1,5)"]),
    ("int4multirange", "'{[1,5)}'", "{[1,5)}"),
    ("inet", "'192.168.0.1/24'", "192.168.0.1/24"),
    ("money", "12.5", "$12.50"),
    ("bytea", "'\\xdeadbeef'", base64.b64encode(b"\xde\xad\xbe\xef").decode()),
    ("point", "'(1,2)'", "(1,2)"),
]


@pytest.mark.parametrize(("kind", "given", "expected"), CASES, ids=[f"{kind} {given}" for kind, given, _ in CASES])
def test_a_value_arrives(database, kind, given, expected):
    database.do("CREATE TYPE mood AS ENUM ('ok', 'sad')")
    database.do("CREATE DOMAIN feelings AS mood[]")
    database.do("CREATE TYPE place AS (street text, number int)")
    database.do("ALTER ROLE postgres SET datestyle = 'SQL, DMY'")
    try:
        database.do(f"CREATE TABLE t (id int PRIMARY KEY, c {kind})")
        database.owner.execute(f"INSERT INTO t VALUES (1, {given}), (2, NULL)".encode())
        first, second = records_of(database.connector(fields=["c"]).read(None))
    finally:
        database.do("ALTER ROLE postgres RESET datestyle")
    assert first.fields["c"] == expected
    assert type(first.fields["c"]) is type(expected)
    assert second.fields["c"] is None
    row = compile_map(load_text(MAP_OF_C), b"salt").row(first._replace(fields=first.fields | {"id": "1"}))
    assert (orjson.loads(row.body)["c"] is None) == (expected is None)


def test_numbers_that_are_none_stay_recognizable(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY, c numeric, d float8)")
    database.do("INSERT INTO t VALUES (1, 'NaN', 'NaN')")
    (record,) = records_of(database.connector().read(None))
    assert math.isnan(record.fields["c"])
    assert math.isnan(record.fields["d"])


def test_times_without_zone_are_read_in_the_zone_of_the_map(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY, updated_at timestamp)")
    database.do("INSERT INTO t VALUES (1, '2026-07-01 12:00:00'), (2, '2026-01-01 12:00:00')")
    connector = database.connector(timezone="Europe/Berlin", start="2026-07-01T10:00:00Z")
    (record,) = records_of(connector.read(None))
    assert record.fields["updated_at"] == "2026-07-01T10:00:00+00:00"
    assert not records_of(database.connector(timezone="Europe/Berlin", start="2026-07-01T10:00:01Z").read(None))


def test_all_columns_leave_out_bytes_unless_they_are_named(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY, c bytea)")
    database.do("INSERT INTO t VALUES (1, '\\x00')")
    assert set(records_of(database.connector().read(None))[0].fields) == {"id"}


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("text", "repeat('x', 1000000)"),
        ("jsonb", "jsonb_build_object('a', repeat('x', 1000000))"),
        ("text[]", "array[repeat('x', 500000), repeat('y', 500000)]"),
    ],
)
def test_wide_rows_come_in_smaller_pages(database, type, value):
    database.do(f"CREATE TABLE t (id int PRIMARY KEY, c {type})")
    database.do(f"INSERT INTO t SELECT i, {value} FROM generate_series(1, 60) i")
    sizes = [len(page.records) for page in database.connector().read(None)]
    assert sum(sizes) == 60
    assert max(sizes) <= 25
    assert len(list(database.connector().fetch([str(number) for number in range(1, 61)]))) == 60


def test_wide_rows_between_narrow_ones_are_noticed(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY, c text)")
    width = "CASE i % 10 WHEN 1 THEN 1 ELSE 1000000 END"
    database.do(f"INSERT INTO t SELECT i, repeat('x', {width}) FROM generate_series(1, 60) i")
    sizes = [len(page.records) for page in database.connector().read(None)]
    assert (sum(sizes), max(sizes) <= 25) == (60, True)


def test_a_value_of_any_depth_costs_no_other_row(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY, c jsonb)")
    for depth in (1, 345, 500, 940, 985, 1000, 1023, 3000):
        database.do(f"INSERT INTO t SELECT {depth}, (repeat('[', {depth}) || repeat(']', {depth}))::jsonb")
    records = records_of(database.connector().read(None))
    assert [record.key for record in records] == ["1", "345", "500", "940", "985", "1000", "1023", "3000"]
    row = compile_map(load_text(MAP_OF_C), b"salt").row
    assert {row(record).key for record in records} == {record.key for record in records}


def test_a_column_whose_type_is_altered_while_it_is_read_goes_on_arriving(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY, c text)")
    database.do("INSERT INTO t SELECT i, i::text FROM generate_series(1, 4) i")
    found = []
    for page in database.connector(page_rows=2).read(None):
        found += [record.fields["c"] for record in page.records]
        if found == ["1", "2"]:
            database.do("ALTER TABLE t ALTER c TYPE int USING c::int")
    assert found == ["1", "2", 3, 4]
