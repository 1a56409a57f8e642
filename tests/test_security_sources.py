"""Sources: databases that quote values in their errors, and names, conditions and cursors that try to be SQL."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from doubles.memory_api import MemoryApi
from fixtures_canary import PERSON, Cage
from fixtures_postgres import Database, keys_of
from psycopg.sql import SQL, Identifier
from workplace import MAP

from connectors.base import ConnectorError, SourceMisconfigured

QUOTING = {
    "cast": "plan::int > 0",
    "date": "notes::date > now()",
    "table name": "plan::regclass IS NOT NULL",
    "type name": "plan::regtype IS NOT NULL",
    "role name": "plan::regrole IS NOT NULL",
    "schema name": "plan::regnamespace IS NOT NULL",
    "function name": "plan::regproc IS NOT NULL",
    "setting": "current_setting(plan) <> ''",
    "zone": "now() AT TIME ZONE plan > now()",
    "json": "notes::jsonb IS NOT NULL",
    "pattern": "'x' ~ ('(' || plan)",
    "encoding": "convert_from(notes::bytea, plan) <> ''",
    "raised": "shout(notes)",
    "raised as another error": "shout_as(notes)",
    "format": "to_timestamp(plan, notes) IS NOT NULL",
    "privilege": "has_table_privilege(plan, 'customers', 'select')",
    "sequence": "nextval(plan) > 0",
    "xml": "xmlparse(document plan) IS NOT NULL",
}
SHOUTS = """
CREATE FUNCTION shout(t text) RETURNS boolean LANGUAGE plpgsql STABLE AS
  $$ BEGIN RAISE EXCEPTION 'value % is odd', t USING DETAIL = t, HINT = t; END $$;
CREATE FUNCTION shout_as(t text) RETURNS boolean LANGUAGE plpgsql STABLE AS
  $$ BEGIN RAISE EXCEPTION 'value % is odd', t USING ERRCODE = '42501'; END $$;
"""


@pytest.mark.parametrize("how", list(QUOTING))
def test_an_error_of_the_database_shows_no_value(how: str, cage: Cage, database: Database, parrot: MemoryApi) -> None:
    database.do(SHOUTS)
    cage.write_map(
        MAP.replace("  object: public.customers", f"  object: public.customers\n  where: {json.dumps(QUOTING[how])}")
    )
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    ended = [*cage.in_every_mode("run", "--wait", "0s"), cage.memsync("validate", "--debug")]
    assert {one.code for one in ended} <= {2, 4}
    cage.look_everywhere()


@pytest.mark.parametrize(
    "transform", ["[number]", "[integer]", "[boolean]", "[date]", "[datetime]", "[phone]", "[email]", "[country]"]
)
def test_a_transform_that_fails_shows_no_value(transform: str, cage: Cage, parrot: MemoryApi) -> None:
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    cage.write_map(MAP.replace("[strip, lower]", transform))
    assert {one.code for one in cage.in_every_mode("run", "--wait", "0s")} <= {0, 2, 3}
    cage.look_everywhere()


@pytest.mark.parametrize("column", ["email", "name", "plan", "notes"])
def test_a_row_that_cannot_be_made_shows_no_value(
    column: str, cage: Cage, database: Database, parrot: MemoryApi
) -> None:
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    for value in (f"{PERSON['name']} " * 6_000, " ", f"{PERSON['name']}\x01"):
        database.do(f"UPDATE customers SET {column} = %s, updated_at = now() WHERE id = 7", value)
        assert {one.code for one in cage.in_every_mode("run", "--wait", "0s")} <= {0, 3}
    cage.look_everywhere()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tier: pro", "teir: pro"),
        ("rowsPerCall: 10", 'rowsPerCall: "quokka@bilby.example sk_live_quokka wombat, zanzibar"'),
        ("stream: customers", 'stream: "sk_live_quokka+"'),
        ("email: email", 'email: "{quokka@bilby.example"'),
        ("transform: [strip, lower]", "transform: ['sk_live_quokka']"),
        ("connector: postgres", "connector: 'postgresql://u:quokka@h/x'"),
        ("  object: public.customers", "  object: public.customers\n  connection: 'sk_live_quokka'"),
    ],
)
def test_a_malformed_map_shows_no_secret_that_was_put_into_it(old: str, new: str, cage: Cage) -> None:
    cage.write_map(MAP.replace(old, new))
    cage.in_every_mode("validate", "--offline")
    cage.look_everywhere()


# Injection

HOSTILE = (
    'customers"; DROP TABLE victims; --',
    'a"b',
    "a'b",
    "a; DELETE FROM victims",
    "a%sb",
    "a%(x)sb",
    "a{b}",
    "a\\b",
    "a--b",
    "a/*b*/",
    "a$$b",
    "a.b",
    "é\u202eb",
    " a ",
    "select",
    "a\nb",
)
VICTIMS = "CREATE TABLE victims (id int PRIMARY KEY, secret text); INSERT INTO victims VALUES (1, 'untouched')"


def untouched(database: Database) -> bool:
    return database.do("SELECT id, secret FROM victims") == [(1, "untouched")]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_a_name_and_nothing_else(name: str, database: Database) -> None:
    database.do(VICTIMS)
    quoted = Identifier(name)
    database.owner.execute(
        SQL("CREATE SCHEMA {0}; CREATE TABLE {0}.{0} ({0} text PRIMARY KEY, updated_at timestamptz, v int)").format(
            quoted
        )
    )
    database.owner.execute(SQL("INSERT INTO {0}.{0} VALUES ('1', now() - interval '1 h', 7)").format(quoted))
    object_name = f"{_written(name)}.{_written(name)}"
    connector = database.connector(object_name, primaryKey=name, cursorField="updated_at", fields=(name, "v"))
    pages = list(connector.read(None))
    (record,) = [one for page in pages for one in page.records]
    assert record.fields[name] == "1"
    assert [one.key for one in connector.fetch(["1", "' OR true --"])] == ["1"]
    assert keys_of(connector.read(pages[-1].cursor)) in ([], ["1"])
    assert untouched(database)


def _written(name: str) -> str:
    """A name as an object in a map is written."""
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.parametrize("name", [*HOSTILE, "victims", 'x" UNION SELECT secret FROM victims --'])
@pytest.mark.parametrize("place", ["object", "primaryKey", "cursorField", "fields"])
def test_a_hostile_name_that_is_not_there_is_refused(name: str, place: str, database: Database) -> None:
    database.do(VICTIMS)
    database.do("CREATE TABLE t (id int PRIMARY KEY, updated_at timestamptz)")
    options: dict[str, Any] = {"fields": (name,)} if place == "fields" else {place: name} if place != "object" else {}
    expected = ["1"] if (place, name) == ("object", "victims") else []
    try:
        found = keys_of(database.connector(name if place == "object" else "t", **options).read(None))
    except ConnectorError:
        found = []
    assert found == expected
    assert untouched(database)


def test_a_hostile_type_name_is_quoted(database: Database) -> None:
    database.do(VICTIMS)
    kind = Identifier("x); DROP TABLE victims; --%s")
    database.owner.execute(SQL("CREATE TYPE {} AS ENUM ('a', 'b')").format(kind))
    database.owner.execute(SQL("CREATE TABLE t (id {} PRIMARY KEY, v int)").format(kind))
    database.do("INSERT INTO t VALUES ('a', 1), ('b', 2)")
    connector = database.connector(cursorField=None, page_rows=1)
    assert sorted(keys_of(connector.read(None))) == ["a", "b"]
    assert [one.key for one in connector.fetch(["b"])] == ["b"]
    assert untouched(database)


INJECTIONS = (
    "'; DROP TABLE victims; --",
    "1) OR (1=1",
    "2999-01-01'; DELETE FROM victims; --",
    "(SELECT secret FROM victims)",
    "%s",
    "infinity",
    "\\'; --",
    "x" * 100_000,
    "NaN",
    "\u0000",
    "",
)


def places_of(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of every value that is no container."""
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    below = [place for name, value in items for place in places_of(value, (*path, name))]
    return below if isinstance(document, dict | list) else [path]


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    made = copy.deepcopy(document)
    holder = made
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return made


@pytest.mark.parametrize("kind", ["timestamptz", "numeric", "bigint"])
def test_a_hostile_cursor_changes_nothing_and_reads_nothing_else(kind: str, database: Database) -> None:
    database.do(VICTIMS)
    database.do(f"CREATE TABLE t (id text PRIMARY KEY, at {kind})")
    value = {"timestamptz": "now() - interval '1 h'", "numeric": "n / 2.0", "bigint": "n"}[kind]
    database.do(f"INSERT INTO t SELECT 'k' || n, {value} FROM generate_series(1, 6) n")
    connector = database.connector(cursorField="at", primaryKey="id", page_rows=2, settle="0s")
    cursors = [page.cursor for page in connector.read(None)]
    tried = 0
    for cursor in (json.loads(json.dumps(cursors[1])), json.loads(json.dumps(cursors[-1]))):
        for path in places_of(cursor):
            for injection in INJECTIONS:
                tried += 1
                try:
                    found = keys_of(connector.read(changed(cursor, path, injection)))
                except SourceMisconfigured:
                    continue
                assert set(found) <= {f"k{n}" for n in range(1, 7)}
    assert tried > 100
    assert untouched(database)


@pytest.mark.parametrize(
    "document",
    [{}, {"v": 1}, {"shown": "x"}, [], {"definition": {"$ne": 1}}, {"version": "1; DROP TABLE victims"}, {"at": [[]]}],
)
def test_a_document_that_is_no_cursor_is_refused(document: Any, database: Database) -> None:
    database.do("CREATE TABLE t (id int PRIMARY KEY)")
    with pytest.raises(SourceMisconfigured, match="the saved cursor cannot be used"):
        list(database.connector(cursorField=None).read(document))


@pytest.mark.parametrize("cursor", ["[" * 100_000, '{"a":' * 100_000, "{", "null", "1e999", '{"cursor": NaN', "\x00"])
def test_a_cursor_that_is_no_document_is_refused_at_the_command(cursor: str, cage: Cage, parrot: MemoryApi) -> None:
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    cage.memsync("run", "--wait", "0s")
    before = cage.memsync("state", "export", "customers").out
    ended = cage.memsync("state", "set", "customers", cursor, "--yes")
    assert ended.code == 2
    assert len(ended.err) < 1_000
    (cage.folder / "import.json").write_text(cursor)
    assert cage.memsync("state", "import", "customers", "import.json", "--yes").code == 2
    assert cage.memsync("state", "export", "customers").out == before


@pytest.mark.parametrize(
    "where",
    [
        "true) UNION SELECT 1, secret, NULL, NULL, NULL, NULL FROM victims --",
        "true); DROP TABLE victims; --",
        "true; DROP TABLE victims",
        "pg_read_file('/etc/passwd') IS NOT NULL; SELECT 1",
        "lo_from_bytea(0, 'x') > 0",
        "set_config('transaction_read_only', 'off', false) = 'off' AND dropped()",
    ],
)
def test_a_condition_changes_nothing_and_reads_no_other_table(where: str, database: Database) -> None:
    database.do(VICTIMS)
    database.do("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (5, 'x')")
    database.do(
        "CREATE FUNCTION dropped() RETURNS boolean LANGUAGE plpgsql AS "
        "$$ BEGIN DELETE FROM victims; RETURN true; END $$"
    )
    try:
        found = keys_of(database.connector(where=where, cursorField=None).read(None))
    except ConnectorError:
        found = []
    assert found in ([], ["5"])
    assert untouched(database)
