"""What goes wrong with a Postgres source is named, survived where it can be, and shows no secret."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import psycopg
import pytest
from fixtures_postgres import keys_of, running_server
from pydantic import SecretStr

from connectors.base import SourceMisconfigured, SourceRefused, SourceUnreachable
from connectors.postgres import Source, Variables, connect
from connectors.postgres.connector import PostgresConnector
from connectors.postgres.faults import meaning_of
from connectors.postgres.target import target_of

TABLE = "CREATE TABLE t (id bigint PRIMARY KEY, v int, updated_at timestamptz)"


def filled(database, rows=10):
    database.do(TABLE)
    database.do("INSERT INTO t SELECT i, 0, now() FROM generate_series(1, %s) i", rows)


# The address


def test_importing_the_package_does_not_import_the_driver():
    code = "import sys, connectors.postgres; sys.exit('psycopg' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_variable_is_named_with_its_prefix():
    source = Source.model_validate({"connector": "postgres", "object": "t", "connection": "EU"})
    with pytest.raises(SourceMisconfigured, match=r"^EU_DATABASE_URL is not set"):
        connect(source, Variables.model_construct(database_url=None))


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u:sesame@h:port/db",
        "postgres://u:sesa/me@h/db",
        "postgres://u:sesame@sesame@h/db",
        "mysql://u:sesame@h/db",
        "sesame",
        "postgres://u:sesame@h/db?sslmod=x",
        "host=h password='sesame",
        "postgres://u:12/sesame@h",
    ],
)
def test_an_address_that_cannot_be_understood_is_never_shown(url):
    with pytest.raises(SourceMisconfigured) as caught:
        target_of(SecretStr(url), "DATABASE_URL")
    assert "sesa" not in str(caught.value)
    assert "expected postgresql://" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgres://u@db.example.com/x", "verify-full"),
        ("postgresql://u@10.0.0.1,localhost/x", "verify-full"),
        ("host=db.example.com dbname=x", "verify-full"),
        ("postgres://u@db.example.com/x?sslmode=require", "require"),
        ("postgres://u@localhost/x", None),
        ("postgres://u@127.0.0.1/x", None),
        ("postgres://u@/x?host=/var/run/postgresql", None),
        ("dbname=x", None),
    ],
)
def test_a_server_elsewhere_must_prove_who_it_is(url, mode, monkeypatch):
    monkeypatch.delenv("PGSSLMODE", raising=False)
    monkeypatch.delenv("PGHOST", raising=False)
    assert target_of(SecretStr(url), "DATABASE_URL").options.get("sslmode") == mode


def test_the_password_is_not_in_the_repr():
    assert "sesame" not in repr(target_of(SecretStr("postgres://u:sesame@h/db"), "DATABASE_URL"))


def connector_of(url):
    source = Source.model_validate({"connector": "postgres", "object": "t"})
    return PostgresConnector(source, target_of(SecretStr(url), "DATABASE_URL"), sleep=lambda _: None)


def test_a_host_that_does_not_answer_is_named():
    with pytest.raises(
        SourceUnreachable, match=r"DATABASE_URL: cannot reach 127\.0\.0\.1:1, database x: Connection refused"
    ):
        connector_of("postgres://u:sesame@127.0.0.1:1/x").check()
    with pytest.raises(SourceUnreachable, match=r"cannot reach nowhere\.invalid"):
        connector_of("postgres://u:sesame@nowhere.invalid/x").check()


def test_a_wrong_database_and_a_wrong_role_are_told_apart(database):
    with pytest.raises(SourceMisconfigured, match='database "nope" does not exist'):
        database.connector(_url=psycopg.conninfo.make_conninfo(database.url, dbname="nope")).check()
    with pytest.raises(SourceRefused, match="refuses the login"):
        database.connector(_url=database.as_role("nobody_here")).check()


def test_a_server_without_tls_gets_advice_about_sslmode():
    with socket.create_server(("127.0.0.1", 0)) as server:
        import threading

        def refuse_tls():
            connection, _ = server.accept()
            with connection:
                connection.recv(64)
                connection.sendall(b"N")

        thread = threading.Thread(target=refuse_tls)
        thread.start()
        url = f"postgres://u:sesame@127.0.0.1:{server.getsockname()[1]}/x?sslmode=verify-full&sslrootcert=system"
        with pytest.raises(SourceRefused, match="sslmode=disable") as caught:
            connector_of(url).check()
        thread.join()
    assert "sesame" not in str(caught.value)


# What a map may do


@pytest.mark.parametrize(
    "where",
    [
        "id = 1; DELETE FROM t",
        "true); DELETE FROM t WHERE (true",
        "id IN (SELECT nextval('s'))",
        "set_config('transaction_read_only', 'off', false) = 'off' AND id IN (SELECT nextval('s'))",
        "false); COMMIT; DELETE FROM t; --",
    ],
)
def test_a_condition_cannot_write(database, where):
    filled(database, 3)
    database.do("CREATE SEQUENCE s")
    with pytest.raises(SourceMisconfigured):
        list(database.connector(where=where).read(None))
    assert database.do("SELECT count(*) FROM t")[0][0] == 3
    assert database.do("SELECT is_called FROM s")[0][0] is False


@pytest.mark.parametrize(
    "query",
    [
        "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
        "SELECT 1 AS id) AS x; DELETE FROM t; --",
        "DELETE FROM t",
    ],
)
def test_a_query_cannot_write(database, query):
    filled(database, 3)
    with pytest.raises(SourceMisconfigured):
        list(database.connector(query=query, primaryKey="id", cursorField=None).read(None))
    assert database.do("SELECT count(*) FROM t")[0][0] == 3


def test_a_mistake_in_a_condition_is_placed(database):
    filled(database, 1)
    with pytest.raises(SourceMisconfigured, match=r'`where`.*column "stat" does not exist \(line 2, column 5 of it\)'):
        database.connector(where="id > 1\nAND stat = 'x'").check()
    with pytest.raises(SourceMisconfigured, match=r"`query`.*syntax error.*line 1, column 15"):
        database.connector(query="SELECT 1 FROM FROM t", primaryKey="id", cursorField=None).check()


def test_an_error_while_computing_shows_no_value(database):
    database.do("CREATE TABLE t (id int PRIMARY KEY, secret text)")
    database.do("INSERT INTO t VALUES (1, 'hidden')")
    with pytest.raises(SourceMisconfigured) as caught:
        list(database.connector(where="secret::int > 0").read(None))
    assert "hidden" not in str(caught.value)
    assert "22P02" in str(caught.value)


# What servers do


def test_a_statement_that_takes_too_long_is_tried_with_fewer_rows(database):
    filled(database, 12)
    connector = database.connector(where="pg_sleep(0.02) IS NOT NULL", statement_timeout="100ms", page_rows=12)
    assert keys_of(connector.read(None)) == [str(number) for number in range(1, 13)]


def test_a_single_row_that_takes_too_long_ends_with_advice(database):
    filled(database, 2)
    with pytest.raises(SourceUnreachable, match=r"an index on \(updated_at, id\)"):
        list(database.connector(where="pg_sleep(0.2) IS NOT NULL", statement_timeout="50ms").read(None))


def test_a_connection_that_is_ended_is_renewed_and_nothing_is_missed(database):
    filled(database, 6)
    connector = database.connector(page_rows=2)
    keys = []
    for page in connector.read(None):
        keys += [record.key for record in page.records]
        database.do(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'memsync'"
            " AND datname = current_database()"
        )
    assert keys == ["1", "2", "3", "4", "5", "6"]
    assert database.sleeps


def test_the_horizon_of_a_run_survives_a_new_connection(database):
    filled(database, 4)
    late = database.session()
    late.execute("BEGIN")
    late.execute("UPDATE t SET v = 1, updated_at = now() WHERE id = 1")
    connector = database.connector(page_rows=2)
    pages = connector.read(None)
    next(pages)
    late.execute("COMMIT")
    database.do(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'memsync'"
        " AND datname = current_database()"
    )
    *_, last = pages
    assert "1" in keys_of(connector.read(last.cursor))


@pytest.mark.slow
def test_a_locked_table_is_waited_for(database):
    filled(database, 1)
    connector = database.connector()
    list(connector.read(None))
    locker = database.session()
    locker.execute("BEGIN")
    locker.execute("LOCK TABLE t")
    connector._session._sleep = lambda _: locker.execute("COMMIT")
    assert keys_of(connector.read(None)) == ["1"]


@pytest.mark.parametrize(
    "state", ["08006", "57P01", "57P03", "57P05", "25P03", "25P04", "40001", "40P01", "55P03", "53300"]
)
def test_passing_troubles_are_tried_again(state):
    error = psycopg.errors.lookup(state)() if state != "08006" else psycopg.errors.ConnectionFailure()
    assert meaning_of(error) == "again"


@pytest.mark.slow
def test_a_server_that_restarts_while_it_is_read_is_awaited(monkeypatch):
    with running_server() as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as owner:
            owner.execute(TABLE)
            owner.execute("INSERT INTO t SELECT i, 0, now() FROM generate_series(1, 6) i")
        source = Source.model_validate({"connector": "postgres", "object": "t"})
        connector = PostgresConnector(source, target_of(SecretStr(server.get_uri()), "U"), page_rows=2)
        pages = connector.read(None)
        keys = [record.key for record in next(pages).records]
        subprocess.run(
            [str(server.bin_path / "pg_ctl") if hasattr(server, "bin_path") else "pg_ctl",
             "-D", str(server.pgdata), "-m", "fast", "-w", "restart", "-l", os.devnull],
            check=True, user=server.system_user, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        keys += keys_of(pages)
        connector.close()
    assert keys == ["1", "2", "3", "4", "5", "6"]
