"""State stores for the tests, on SQLite and on Postgres, and the values that are put into them."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo
from sqlalchemy.engine import URL

from state import Store, open_store
from state.values import AcceptedChunk, Entry, Failure, Position, Step

_NUMBERS = itertools.count(1)


class Clock:
    """Wall clock and uptime of a machine, to be moved together or apart."""

    def __init__(self) -> None:
        self.wall, self.up = 1_700_000_000.0, 5_000.0

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.up += seconds

    def open(self, url: str) -> Store:
        return open_store(url, lambda: self.wall, lambda: self.up)


def postgres_state_url(keywords: str) -> str:
    """The URL of a libpq connection string."""
    facts: dict[str, Any] = conninfo.conninfo_to_dict(keywords)
    query = {name: str(facts[name]) for name in ("host", "port", "options") if facts.get(name)}
    url = URL.create("postgresql", facts.get("user"), facts.get("password") or None, database=facts["dbname"])
    return url.update_query_dict(query).render_as_string(hide_password=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def _state_database(postgres_server: Any) -> Iterator[psycopg.Connection[Any]]:
    """One database for all: making one for each test takes longer than the tests."""
    with psycopg.connect(postgres_server.get_uri(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE state_tests")
    with psycopg.connect(
        conninfo.make_conninfo(postgres_server.get_uri(), dbname="state_tests"), autocommit=True
    ) as it:
        yield it


@pytest.fixture
def schema_url(_state_database: psycopg.Connection[Any]) -> Iterator[str]:
    schema = f"test_{next(_NUMBERS)}"
    _state_database.execute(f"CREATE SCHEMA {schema}")
    facts = {"options": f"-csearch_path={schema}", "dbname": "state_tests"}
    yield postgres_state_url(conninfo.make_conninfo(_state_database.info.dsn, **facts))
    _state_database.execute("SET client_min_messages = warning")
    _state_database.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture(params=["sqlite", "postgres"])
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store of each kind, that does not exist yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state.db"
    return str(request.getfixturevalue("schema_url"))


@pytest.fixture
def store(state_url: str, clock: Clock) -> Iterator[Store]:
    with clock.open(state_url) as made:
        yield made


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def other_process() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start Python code in another process; its lines can be read, and it does not outlive the test."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def owner(name: str = "elsewhere") -> str:
    """A process on another machine, of which nothing can be known from here."""
    return json.dumps({"host": name, "pid": 1, "started": "1"})


def chunk(*keys: str, event: str = "event-1", fingerprint: bytes = b"\x00\xff old") -> AcceptedChunk:
    return AcceptedChunk(event, [Entry(key, fingerprint, f"id-{key}") for key in keys])


def position(at: Any, *, complete: bool = False) -> Position:
    return Position({"v": 1, "at": at}, complete, "map-1", "origin-1", "org-1 at host")


def accepted(*keys: str, at: Any = 1, **options: Any) -> Step:
    return Step([chunk(*keys, **options)], purpose="incremental", position=position(at))


def failure(key: str, code: str = "BAD", *, final: bool = False) -> Failure:
    return Failure(key, code, f"{code} happened", final)


def keys_of(things: Sequence[Any]) -> list[str]:
    return sorted(thing.key for thing in things)
