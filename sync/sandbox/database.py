"""The sandbox's one SQLite file: opened, checked, and used by one call at a time."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

APPLICATION = 0x6D736278
VERSION = 2

_SCHEMA = """
CREATE TABLE records (
    id INTEGER PRIMARY KEY, record_id TEXT NOT NULL UNIQUE, type TEXT NOT NULL COLLATE NOCASE,
    kind TEXT NOT NULL, identity TEXT NOT NULL, label TEXT NOT NULL DEFAULT '',
    memories INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL, updated REAL NOT NULL
);
CREATE INDEX records_by_change ON records (updated);
CREATE INDEX records_by_type ON records (type, updated);
CREATE TABLE identities (
    name TEXT NOT NULL, value TEXT NOT NULL, record INTEGER NOT NULL, PRIMARY KEY (name, value, record)
) WITHOUT ROWID;
CREATE TABLE aliases (
    type TEXT NOT NULL COLLATE NOCASE, name TEXT NOT NULL, value TEXT NOT NULL, record INTEGER NOT NULL,
    PRIMARY KEY (type, name, value)
) WITHOUT ROWID;
CREATE TABLE properties (
    record INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, text TEXT NOT NULL, number REAL,
    collection TEXT NOT NULL, source TEXT NOT NULL, changed REAL NOT NULL, PRIMARY KEY (record, name)
) WITHOUT ROWID;
CREATE INDEX properties_by_value ON properties (name, substr(text, 1, 64));
CREATE VIEW searchable AS
    SELECT record, name, text, number FROM properties
    UNION ALL SELECT record, name, value, NULL FROM identities;
CREATE TABLE memories (
    id INTEGER PRIMARY KEY, record INTEGER NOT NULL, digest BLOB NOT NULL, text TEXT NOT NULL,
    property TEXT NOT NULL, collection TEXT NOT NULL, source TEXT NOT NULL, created REAL NOT NULL,
    UNIQUE (record, digest)
);
CREATE VIRTUAL TABLE memory_index USING fts5(
    text, content='memories', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
);
CREATE TABLE batches (
    seq INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, accepted REAL NOT NULL, due REAL NOT NULL,
    applied INTEGER NOT NULL, rows INTEGER NOT NULL, errors TEXT NOT NULL, failed INTEGER NOT NULL,
    type TEXT NOT NULL, source TEXT NOT NULL, run_name TEXT NOT NULL, tier TEXT NOT NULL,
    digest BLOB NOT NULL, duplicate_of TEXT, work BLOB
);
CREATE INDEX batches_by_digest ON batches (digest);
CREATE INDEX batches_to_apply ON batches (due) WHERE applied = 0;
CREATE TABLE organization (id TEXT NOT NULL);
CREATE TABLE usage (month TEXT PRIMARY KEY, calls INTEGER NOT NULL);
"""


class DatabaseUnusable(Exception):
    """The sandbox's file cannot be used; the message says why and what to do."""


class Database:
    """One connection, handed to one caller at a time; the in-memory kind needs it, and SQLite has one writer anyway."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.RLock()
        self._connection = _open(path)

    def organization(self) -> str:
        """The id of the organisation that this database plays."""
        with self.read() as connection:
            return str(connection.execute("SELECT id FROM organization").fetchone()[0])

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection for reads."""
        with self._lock:
            yield self._connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection for one transaction: all of it is kept, or nothing."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()


def _open(path: Path | None) -> sqlite3.Connection:
    remedy = "choose another file with --database"
    try:
        if path is not None:
            # Customers' data: the file is its owner's alone, from its first byte on.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DatabaseUnusable(f"cannot open the sandbox's database {path}: {reason}; {remedy}") from None
    try:
        _prepare(connection)
    except (sqlite3.Error, DatabaseUnusable) as error:
        connection.close()
        raise DatabaseUnusable(f"cannot use {path} as the sandbox's database: {error}; {remedy}") from None
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA busy_timeout=3000")
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        for statement in _SCHEMA.split(";\n"):
            connection.execute(statement)
        # Each database is an organisation of its own: what was sent to one has not been sent to another.
        connection.execute("INSERT INTO organization VALUES (?)", (f"org_sandbox_{secrets.token_hex(4)}",))
        connection.execute(f"PRAGMA application_id={APPLICATION}")
        connection.execute(f"PRAGMA user_version={VERSION}")
    _check_owner(connection)
    connection.execute("COMMIT")
    # Only now, because the journal's mode is written into the file: another program's file stays as it is.
    for setting in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-65536"):
        connection.execute(f"PRAGMA {setting}")


def _check_owner(connection: sqlite3.Connection) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION:
        raise DatabaseUnusable("it belongs to another program")
    if version != VERSION:
        raise DatabaseUnusable(f"it has version {version}, this memsync reads version {VERSION}")
