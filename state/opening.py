"""Opening a store: the engine, its tables, its version. Nothing unusable is ever overwritten."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from state import files, migrations
from state.errors import StoreUnusable
from state.faults import explain
from state.tables import VERSION, meta, metadata

PATIENCE = 15.0
"""Seconds to wait for another process that is writing: loading a large export takes that long."""
READING = {"memsync_reading": True}
"""Execution options of a transaction that only reads, so that it waits for no writer and makes none wait."""
_SQLITE_SETTINGS = (
    f"busy_timeout={PATIENCE * 1000:.0f}",
    "journal_mode=WAL",
    "synchronous=FULL",
    "trusted_schema=OFF",
    "foreign_keys=ON",
    "cache_size=-6144",  # 6 MiB: enough for the inner pages of a fingerprint table of millions
    "wal_autocheckpoint=4000",  # pages that many chunks touch are copied back once instead of once a chunk
)
_POSTGRES_SETTINGS = (
    f"SET LOCAL lock_timeout = {PATIENCE * 1000:.0f}; "
    # A process that is stopped in mid-transaction would keep its row locks, and with them its lease, for ever.
    "SET LOCAL idle_in_transaction_session_timeout = 45000"
)


def open_engine(url: URL, path: Path | None, where: str) -> Engine:
    """An engine on a store that is there, of this version and usable; raises StoreUnusable."""
    if path is not None and not files.is_there(path):
        files.create(path, lambda made: _fill(made, where))
    engine = _sqlite(path) if url.get_backend_name() == "sqlite" else _postgres(url)
    _prepare_or_close(engine, where)
    return engine


def is_there(url: URL, path: Path | None, where: str) -> bool:
    """Whether a store is behind the address; nothing is made. Raises StoreUnusable on what is there and is none."""
    if url.get_backend_name() == "sqlite":
        return path is not None and path.parent.is_dir() and files.is_there(path)
    engine = _postgres(url)
    try:
        return inspect(engine).has_table(meta.name)
    except DBAPIError as error:
        raise explain(error, where) from None
    finally:
        engine.dispose()


def _fill(path: Path, where: str) -> None:
    engine = _sqlite(path)
    _prepare_or_close(engine, where)
    engine.dispose()
    # Closing copies the log into the file and says nothing when the disk is too full for it.
    if not _is_whole(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _is_whole(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as connection:
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            return not busy and bool(connection.execute("PRAGMA quick_check").fetchone()[0] == "ok")
    except sqlite3.Error:
        return False


def _prepare_or_close(engine: Engine, where: str) -> None:
    try:
        prepare(engine, where)
    except DBAPIError as error:
        engine.dispose()
        raise explain(error, where) from None
    except BaseException:
        engine.dispose()
        raise


def _sqlite(path: Path | None) -> Engine:
    engine = create_engine(
        "sqlite://",
        creator=lambda: files.connect(path, PATIENCE) if path else sqlite3.connect(":memory:", check_same_thread=False),
        hide_parameters=True,
        poolclass=StaticPool,
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None
    for setting in _SQLITE_SETTINGS:
        connection.execute(f"PRAGMA {setting}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that reads and then writes fails at once when another process wrote in between.
    reading = connection.get_execution_options().get("memsync_reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _postgres(url: URL) -> Engine:
    from state.silence import Connector  # only who keeps the state in Postgres pays for its driver

    arguments: dict[str, Any] = {"prepare_threshold": None, "application_name": "memsync"}
    # A server that is gone without a word is noticed within half a minute, one that is frozen by WatchedConnection.
    arguments |= {"connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
    arguments |= {"tcp_user_timeout": 20_000}
    given = {name: value for name, value in arguments.items() if name not in url.query}
    engine = create_engine(
        url, hide_parameters=True, connect_args=given, pool_size=1, max_overflow=0, pool_pre_ping=True
    )
    connector = Connector()
    event.listen(engine, "do_connect", lambda dialect, record, args, given: connector.connect(*args, **given))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(_POSTGRES_SETTINGS))
    return engine


def prepare(engine: Engine, where: str) -> None:
    """Create the tables, or check and migrate them; raises StoreUnusable."""
    with engine.begin() as connection:
        is_file = connection.dialect.name == "sqlite"
        names = set(inspect(connection).get_table_names())
        if meta.name not in names and not is_file:
            # Two processes may find the database empty at the same time.
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({files.APPLICATION_ID})")
            names = set(inspect(connection).get_table_names())
        if meta.name in names:
            migrations.migrate(connection, where)
            return
        if names if is_file else names & set(metadata.tables):
            raise StoreUnusable(f"{where}: belongs to another program; change MEMSYNC_STATE_URL")
        metadata.create_all(connection, checkfirst=False)
        connection.execute(insert(meta).values(id=1, version=VERSION))
        if is_file:
            connection.exec_driver_sql(f"PRAGMA application_id={files.APPLICATION_ID}")
