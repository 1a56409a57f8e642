"""What Postgres connectors read: tables, views, queries, partitions; keys, names and grants of any kind."""

from __future__ import annotations

import json

import pytest
from fixtures_postgres import keys_of, records_of

from connectors.base import SourceMisconfigured, SourceRefused
from connectors.postgres import Source


def last_cursor(connector, since=None):
    """The cursor of a complete run, as a state store would keep it."""
    return json.loads(json.dumps(list(connector.read(since))[-1].cursor))


@pytest.mark.parametrize(
    ("types", "rows"),
    [
        (["text"], [["a"], ["B"], ["ä"], ["_"], ["a b"], ["A"], [""]]),
        (["uuid"], [["00000000-0000-0000-0000-000000000002"], ["f0000000-0000-0000-0000-000000000001"]]),
        (["timestamptz"], [["2026-01-01"], ["2026-01-01 00:00:00.000001"], ["infinity"]]),
        (["char(4)"], [["a"], ["ab"], ["abcd"]]),
        (['"char"'], [["a"], ["b"]]),
        (["numeric(9,2)"], [["1.5"], ["2"], ["-3"]]),
        (['"My Mood"'], [["sad"], ["it's"]]),
        (["int", "text"], [[1, "a,b"], [1, 'c"'], [2, "a\\"], [2, "ü"]]),
        (["date", "int", "uuid"], [["2026-01-01", 1, "f0000000-0000-0000-0000-000000000001"], ["2026-01-01", 2, None]]),
    ],
)
def test_keys_of_every_type_are_paged_and_fetched(database, types, rows):
    database.do("CREATE TYPE \"My Mood\" AS ENUM ('sad', 'it''s')")
    columns = [f"k{number}" for number in range(len(types))]
    defined = ", ".join(
        f"{name} {kind} DEFAULT {'gen_random_uuid()' if kind == 'uuid' else 'NULL'}"
        for name, kind in zip(columns, types, strict=True)
    )
    database.do(f"CREATE TABLE t ({defined}, updated_at timestamptz DEFAULT now(), PRIMARY KEY ({', '.join(columns)}))")
    for row in rows:
        values = ", ".join("DEFAULT" if value is None else f"$v${value}$v$" for value in row)
        database.do(f"INSERT INTO t VALUES ({values})")
    connector = database.connector(page_rows=1)
    found = records_of(connector.read(None))
    assert len({record.key for record in found}) == len(found) == len(rows)
    assert {record.key for record in connector.fetch([record.key for record in found])} == {r.key for r in found}
    cursor = last_cursor(connector)
    database.do("UPDATE t SET updated_at = now()")
    assert sorted(keys_of(connector.read(cursor))) == sorted(record.key for record in found)


def test_a_composite_key_is_a_json_list_of_texts(database):
    database.do("CREATE TABLE t (a int, b text, PRIMARY KEY (b, a))")
    database.do("INSERT INTO t VALUES (1, 'x')")
    assert [json.loads(key) for key in keys_of(database.connector().read(None))] == [["x", "1"]]


def test_hostile_names_are_names_and_nothing_more(database):
    schema, table, key, stamp = 'S"; DROP', "Order%s {0} 'é", 'i"d%', "Upd.ated%(x)s"
    q = {name: '"' + name.replace('"', '""') + '"' for name in (schema, table, key, stamp)}
    database.do(f"CREATE SCHEMA {q[schema]}")
    database.owner.execute(
        f"CREATE TABLE {q[schema]}.{q[table]} ({q[key]} int PRIMARY KEY, {q[stamp]} timestamptz)".encode()
    )
    database.owner.execute(f"INSERT INTO {q[schema]}.{q[table]} SELECT i, now() FROM generate_series(1,3) i".encode())
    connector = database.connector(f"{q[schema]}.{q[table]}", cursorField=stamp, page_rows=1, fields=[stamp])
    pages = list(connector.read(None))
    assert [record.key for page in pages for record in page.records] == ["1", "2", "3"]
    assert set(pages[0].records[0].fields) == {stamp}
    assert [one.name for one in connector.objects()] == [f"{q[schema]}.{q[table]}"]
    assert connector.check().notes
    database.owner.execute(f"UPDATE {q[schema]}.{q[table]} SET {q[stamp]} = now()".encode())
    assert len(keys_of(connector.read(pages[-1].cursor))) == 3


@pytest.mark.parametrize("name", ["Order", "public.Order", 'public."Order"'])
def test_names_in_mixed_case_need_no_quotes(database, name):
    database.do('CREATE TABLE "Order" (id int PRIMARY KEY)')
    database.do('INSERT INTO "Order" VALUES (1)')
    assert keys_of(database.connector(name).read(None)) == ["1"]


def test_an_unknown_table_is_named_with_similar_ones(database):
    database.do("CREATE TABLE customers (id int PRIMARY KEY)")
    with pytest.raises(SourceMisconfigured, match=r"did you mean public\.customers"):
        database.connector("public.custmers").check()


def test_an_unknown_field_is_named_with_similar_ones(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY, email text)")
    with pytest.raises(SourceMisconfigured, match="did you mean email"):
        database.connector(fields=["e_mail"]).check()


def test_an_unknown_time_zone_is_refused_with_the_map(database):
    with pytest.raises(ValueError, match="unknown time zone"):
        database.connector(timezone="Europe/Berlinn")


def test_fields_select_their_columns_and_a_name_with_a_dot_wins(database):
    database.do('CREATE TABLE t (id int PRIMARY KEY, profile jsonb, "profile.city" text, tags text[], other text)')
    database.do("""INSERT INTO t VALUES (1, '{"zip": "1"}', 'Rome', '{x}', 'o')""")
    (record,) = records_of(database.connector(fields=["profile.city", "profile.zip", "tags.0"]).read(None))
    assert record.fields == {"profile.city": "Rome", "profile": {"zip": "1"}, "tags": ["x"]}


def test_no_field_at_all_still_reads_keys(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY)")
    database.do("INSERT INTO t VALUES (7)")
    assert records_of(database.connector(fields=[]).read(None))[0][:2] == ("7", {})


def test_key_and_cursor_are_found_in_the_catalog(database):
    database.do(
        "CREATE TABLE t (id int NOT NULL, code text NOT NULL UNIQUE, created_at timestamptz, modified_at date,"
        " Updated_At timestamp, last_modified timestamptz)"
    )
    reading = database.connector().check()
    assert (reading.primary_key, reading.cursor_field, reading.cursor_indexed) == (("code",), "updated_at", False)
    assert any("CREATE INDEX CONCURRENTLY ON public.t (updated_at, code)" in note for note in reading.notes)
    database.do("CREATE INDEX ON t (updated_at)")
    assert database.connector().check().cursor_indexed


@pytest.mark.parametrize("cursor", ["updated_at", None])
def test_a_key_that_different_rows_share_is_refused_instead_of_losing_all_but_one(database, cursor):
    database.do(
        "CREATE TABLE t (id int NOT NULL, seq int, name text, tags text[], updated_at timestamptz DEFAULT now())"
    )
    database.do("INSERT INTO t SELECT 1, n, 'x', '{a}' FROM generate_series(1, 3) n")
    connector = database.connector(primaryKey="id", cursorField=cursor)
    with pytest.raises(SourceMisconfigured, match=r"primaryKey \(id\) is not unique.*tell all rows apart"):
        records_of(connector.read(None))
    database.do("UPDATE t SET seq = 1")
    assert {record[0] for record in records_of(connector.read(None))} == {"1"}  # alike: nothing is lost of them


@pytest.mark.parametrize(
    ("kind", "value"),
    [("numeric", "NaN"), ("float8[]", "{NaN,1}"), ("jsonb", '{"a": [1]}'), ("jsonb", "[" * 900 + "]" * 900)],
)
def test_rows_that_are_alike_may_share_a_key_whatever_they_hold(database, kind, value):
    database.do(f"CREATE TABLE t (id int NOT NULL, held {kind})")
    database.do(f"INSERT INTO t SELECT 1, %s::{kind} FROM generate_series(1, 2)", value)
    assert len(records_of(database.connector(primaryKey="id", cursorField=None).read(None))) == 2


@pytest.mark.parametrize(
    "where", ["id <= 1) or (id > 1", "true) or (true", "id = $1", "id = 1) AND id IN (SELECT 1", "id < 5 -- )"]
)
def test_a_condition_closes_no_brackets_of_others(database, where):
    database.do("CREATE TABLE t (id int PRIMARY KEY)")
    if "--" in where:
        assert database.connector(where=where).check().primary_key == ("id",)
        return
    with pytest.raises(SourceMisconfigured, match=r"`where`: the server says: (syntax error|there is no parameter)"):
        database.connector(where=where).check()


@pytest.mark.parametrize(
    "where",
    ["id IN (1, 2)", "id = ANY(ARRAY[1, 2])", "'true'", "id % 2 = 0", "EXISTS (SELECT 1)", "id::text ~ '^[0-9]'"],
)
def test_conditions_of_every_shape_are_taken(database, where):
    database.do("CREATE TABLE t (id int PRIMARY KEY)")
    assert database.connector(where=where).check().primary_key == ("id",)


def test_a_query_closes_no_brackets_of_others(database):
    with pytest.raises(SourceMisconfigured, match="`query`: the server says: syntax error"):
        database.connector(
            None, query="SELECT 1 AS id) a CROSS JOIN (SELECT 2 AS n", primaryKey="id", cursorField=None
        ).check()
    for query in ("WITH x AS (SELECT 1 AS id) SELECT * FROM x;", "VALUES (1)", "SELECT 5 % 3 AS id"):
        key = "column1" if query.startswith("VALUES") else "id"
        assert database.connector(None, query=query, primaryKey=key, cursorField=None).check().primary_key == (key,)


def test_advice_and_errors_are_sql_that_can_be_copied(database):
    database.do('CREATE TABLE t ("select" int PRIMARY KEY, updated_at timestamptz)')
    assert any('ON public.t (updated_at, "select")' in note for note in database.connector().check().notes)
    with pytest.raises(SourceMisconfigured) as raised:
        database.connector(where="/*").check()
    assert "LIMIT" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_only_time_brings_is_told_beforehand(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY, due date, updated_at timestamptz); CREATE INDEX ON t (updated_at)")
    notes = database.connector(where="due <= CURRENT_DATE", start="2024-01-01T00:00:00Z").check().notes
    assert any("asks what time it is" in note for note in notes)
    assert any("`start` leaves out rows whose updated_at is NULL" in note for note in notes)
    database.do("ALTER TABLE t ALTER updated_at SET NOT NULL")
    assert not database.connector(where="due <= '2024-01-01'", start="2024-01-01T00:00:00Z").check().notes


def test_a_table_without_a_key_asks_for_one(database):
    database.do("CREATE TABLE t (id int, name text)")
    with pytest.raises(SourceMisconfigured, match=r"primaryKey.*it has id, name"):
        database.connector().check()
    assert any(
        "taken to be unique and never NULL" in note for note in database.connector(primaryKey="id").check().notes
    )


@pytest.mark.parametrize("kind", ["text", "json", "boolean", "float8", "uuid"])
def test_a_cursor_column_of_an_unusable_type_is_refused_with_those_that_would_do(database, kind):
    database.do(f"CREATE TABLE t (id int PRIMARY KEY, c {kind}, changed timestamptz)")
    with pytest.raises(SourceMisconfigured, match=r"cursorField c is of type .*would do: id, changed"):
        database.connector(cursorField="c").check()


def test_a_row_without_a_key_is_refused_and_not_lost(database):
    database.do("CREATE TABLE t (id int, updated_at timestamptz)")
    database.do("INSERT INTO t VALUES (1, now()), (NULL, now())")
    with pytest.raises(SourceMisconfigured, match="where: id IS NOT NULL"):
        list(database.connector(primaryKey="id").read(None))
    assert keys_of(database.connector(primaryKey="id", where="id IS NOT NULL").read(None)) == ["1"]


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
def test_views_are_read_with_a_key_that_is_given(database, kind):
    database.do("CREATE TABLE b (id int PRIMARY KEY, updated_at timestamptz)")
    database.do("INSERT INTO b SELECT i, now() FROM generate_series(1, 3) i")
    database.do(f"CREATE {kind} v AS SELECT * FROM b")
    connector = database.connector("v", primaryKey="id", page_rows=2)
    assert keys_of(connector.read(None)) == ["1", "2", "3"]
    assert connector.check().cursor_field == "updated_at"
    cursor = last_cursor(connector)
    database.do("INSERT INTO b VALUES (4, now() - interval '5 minutes')")
    if kind != "VIEW":
        database.do("REFRESH MATERIALIZED VIEW v")
    assert "4" in keys_of(connector.read(cursor))


def test_a_query_is_read_like_a_view(database):
    database.do("CREATE TABLE b (id int PRIMARY KEY, n text, at timestamptz)")
    database.do("INSERT INTO b SELECT i, '100%', now() FROM generate_series(1, 3) i")
    text = "SELECT id, n AS name, at FROM b WHERE n LIKE '%0\\%' -- all of them;\n;"
    connector = database.connector(query=text, primaryKey="id", cursorField="at", where="id > 1 -- not the first")
    assert [(r.key, r.fields["name"]) for r in records_of(connector.read(None))] == [("2", "100%"), ("3", "100%")]
    assert any("younger than `lookback`" in note for note in connector.check().notes)
    assert [field.name for field in connector.fields("")] == ["id", "name", "at"]
    cursor = last_cursor(connector)
    database.do(
        "INSERT INTO b VALUES (4, '0%', now() - interval '9 minutes'), (5, '0%', now() - interval '11 minutes')"
    )
    assert keys_of(connector.read(cursor)) == ["4", "2", "3"]


def test_the_transactions_of_a_partitioned_table_are_seen(database):
    database.do("CREATE TABLE t (id int, updated_at timestamptz, PRIMARY KEY (id)) PARTITION BY RANGE (id)")
    database.do("CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (5)")
    database.do("CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (5) TO (10)")
    database.do("INSERT INTO t SELECT i, '2026-01-01' FROM generate_series(1, 9) i")
    connector = database.connector(page_rows=4)
    cursor = last_cursor(connector)
    database.do("UPDATE t SET updated_at = '2025-01-01' WHERE id IN (2, 7)")
    assert keys_of(connector.read(cursor)) == ["2", "7"]
    assert [one.name for one in connector.objects()] == ["public.t"]


@pytest.fixture
def reader_role(database):
    """A role without rights, and its URL."""
    name = f"reader_{database.do('SELECT current_database()')[0][0]}"
    database.do(f"CREATE ROLE {name} LOGIN")
    yield name
    database.do(f"DROP OWNED BY {name}")
    database.do(f"DROP ROLE {name}")


def test_column_grants_are_enough_and_the_grant_for_late_rows_is_named(database, reader_role):
    database.do("CREATE TABLE t (id int PRIMARY KEY, secret text, updated_at timestamptz)")
    database.do("INSERT INTO t VALUES (1, 's', now())")
    url = database.as_role(reader_role)
    with pytest.raises(SourceRefused, match=r"GRANT SELECT ON public\.t TO"):
        database.connector(_url=url).check()
    database.do(f"GRANT SELECT (id, updated_at) ON t TO {reader_role}")
    connector = database.connector(_url=url)
    assert [r.fields.keys() for r in records_of(connector.read(None))] == [{"id": 1, "updated_at": 2}.keys()]
    assert any("GRANT SELECT (xmin) ON public.t" in note for note in connector.check().notes)
    with pytest.raises(SourceRefused, match=r"GRANT SELECT \(secret\) ON public\.t"):
        database.connector(_url=url, fields=["secret"]).check()
    database.do(f"GRANT SELECT (xmin) ON t TO {reader_role}")
    connector = database.connector(_url=url)
    assert not any("xmin" in note for note in connector.check().notes)
    assert len(keys_of(connector.read(None))) == 1


def test_row_level_security_is_mentioned(database, reader_role):
    database.do("CREATE TABLE t (id int PRIMARY KEY)")
    database.do("ALTER TABLE t ENABLE ROW LEVEL SECURITY")
    database.do(f"GRANT SELECT ON t TO {reader_role}")
    assert any(
        "row level security" in note for note in database.connector(_url=database.as_role(reader_role)).check().notes
    )


def test_fields_tell_types_comments_labels_and_indexes(database):
    database.do("CREATE TYPE mood AS ENUM ('ok', 'sad')")
    database.do("CREATE DOMAIN feeling AS mood")
    database.do("CREATE TABLE t (id int PRIMARY KEY, m feeling, name varchar(20))")
    database.do("COMMENT ON COLUMN t.name IS 'as on the passport'")
    key, mood, name = database.connector().fields("public.t")
    assert (key.is_key, key.nullable, key.indexed, mood.values, mood.indexed) == (
        True,
        False,
        True,
        ("ok", "sad"),
        False,
    )
    assert (name.type, name.comment) == ("character varying(20)", "as on the passport")


def test_fetch_leaves_out_what_is_gone_or_no_longer_meant(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY, live boolean DEFAULT true)")
    database.do("INSERT INTO t SELECT generate_series(1, 2500)")
    connector = database.connector(where="live")
    database.do("DELETE FROM t WHERE id = 7")
    database.do("UPDATE t SET live = false WHERE id = 8")
    found = {record.key for record in connector.fetch([str(number) for number in range(1, 2501)])}
    assert found == {str(number) for number in range(1, 2501)} - {"7", "8"}


def test_count_is_exact_for_few_rows_and_estimated_for_many(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY, updated_at timestamptz)")
    database.do("INSERT INTO t SELECT i, now() FROM generate_series(1, 300) i")
    connector = database.connector(where="id % 2 = 0")
    assert connector.count(None) == 150
    cursor = last_cursor(connector)
    database.do("INSERT INTO t SELECT i, now() FROM generate_series(301, 310) i")
    assert connector.count(cursor) == 5
    database.do("INSERT INTO t SELECT i, now() FROM generate_series(311, 250000) i")
    database.do("ANALYZE t")
    assert 200_000 < database.connector().count(None) < 300_000


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "exactly one"),
        ({"object": "t", "query": "SELECT 1"}, "exactly one"),
        ({"query": "SELECT 1", "cursorField": None}, "needs `primaryKey`"),
        ({"query": "SELECT 1", "primaryKey": "id"}, "needs `cursorField`"),
        ({"object": "t\0"}, "NUL"),
        ({"object": "t", "timezone": "Europe/Berlin'"}, "timezone"),
        ({"object": "t", "nonsense": 1}, "nonsense"),
    ],
)
def test_a_source_that_contradicts_itself_is_refused(keys, message):
    with pytest.raises(ValueError, match=message):
        Source.model_validate({"connector": "postgres", **keys})
