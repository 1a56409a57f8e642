"""Opening a store: the engine, the file's state, its version. Nothing unusable is ever overwritten."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import StaticPool

from state.errors import StoreUnusable
from state.tables import VERSION, meta, metadata

APPLICATION_ID = 0x6D656D73  # "mems", in the header of every SQLite file that is a memsync store
_REMEDY = "restore a copy, or move the file away to start over (everything is then read again)"


def state_url(text: str) -> URL:
    """Turn MEMSYNC_STATE_URL into an engine URL; raises StoreUnusable on anything but SQLite or Postgres."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise StoreUnusable(
            "MEMSYNC_STATE_URL: not a database URL; expected sqlite:///FILE or postgresql://..."
        ) from None
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" or url.drivername.startswith("postgresql+psycopg"):
        return url
    raise StoreUnusable(f"MEMSYNC_STATE_URL: {url.drivername}:// is not supported; use sqlite:///FILE or postgresql://")


def sqlite_file(url: URL) -> Path | None:
    """The file of a SQLite URL; None when the store is in memory or in Postgres."""
    in_memory = not url.database or url.database == ":memory:"
    return None if url.get_backend_name() != "sqlite" or in_memory else Path(str(url.database))


def make_engine(url: URL) -> Engine:
    """An engine of one connection that answers within 5 s and shows no parameter in its errors."""
    if url.get_backend_name() != "sqlite":
        arguments = {"connect_timeout": 10, "prepare_threshold": None, "application_name": "memsync"}
        return create_engine(url, hide_parameters=True, connect_args=arguments, pool_size=1, pool_pre_ping=True)
    engine = create_engine(
        url, hide_parameters=True, poolclass=StaticPool, connect_args={"check_same_thread": False, "timeout": 5}
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_immediate(connection: Connection) -> None:
    # A deferred transaction that reads and then writes fails at once when another process wrote in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def check_file(path: Path) -> None:
    """Refuse a file that is there but is not a usable memsync store; create none."""
    if not path.parent.is_dir():
        raise StoreUnusable(f"{path}: the folder {path.parent} does not exist; create it or change MEMSYNC_STATE_URL")
    if not path.exists():
        if not os.access(path.parent, os.W_OK):
            raise StoreUnusable(f"{path}: the folder is not writable; make it so or change MEMSYNC_STATE_URL")
        return
    if path.is_dir():
        raise StoreUnusable(f"{path}: is a folder, expected a file; change MEMSYNC_STATE_URL")
    if path.stat().st_size == 0:
        raise StoreUnusable(f"{path}: is empty, so it is not the store that was here; {_REMEDY}")
    if not os.access(path, os.W_OK):
        raise StoreUnusable(f"{path}: is read-only; make it writable or change MEMSYNC_STATE_URL")
    _check_header(path)


def _check_header(path: Path) -> None:
    with path.open("rb") as file:
        header = file.read(100)
    if not header.startswith(b"SQLite format 3\x00"):
        raise StoreUnusable(f"{path}: is not a SQLite database; {_REMEDY}")
    # The header's copy may lag behind the write-ahead log of a store that was killed while being created.
    if int.from_bytes(header[68:72], "big") not in (APPLICATION_ID, 0):
        raise StoreUnusable(f"{path}: belongs to another program; change MEMSYNC_STATE_URL")


def prepare(engine: Engine, path: Path | None) -> None:
    """Create or check the tables; raises StoreUnusable."""
    with engine.begin() as connection:
        names = inspect(connection).get_table_names()
        if meta.name in names:
            _check_version(connection, path)
            return
        if path is not None and names:
            raise StoreUnusable(f"{path}: belongs to another program; change MEMSYNC_STATE_URL")
        metadata.create_all(connection)
        connection.execute(insert(meta).values(id=1, version=VERSION))
        if path is not None:
            connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")


def _check_version(connection: Connection, path: Path | None) -> None:
    version = connection.scalar(select(meta.c.version))
    where = path or "the state database"
    if version is None:
        raise StoreUnusable(f"{where}: does not say its version, so it is damaged; {_REMEDY}")
    if version > VERSION:
        raise StoreUnusable(
            f"{where}: was written by a newer memsync (store version {version}, this one knows {VERSION}); "
            "upgrade memsync"
        )


def explain(error: DBAPIError, where: str) -> StoreUnusable:
    """Turn a database error into one line with a remedy; it never holds a parameter."""
    name = getattr(error.orig, "sqlite_errorname", "")
    for prefix, text in _SQLITE_PROBLEMS.items():
        if name.startswith(prefix):
            return StoreUnusable(f"{where}: {text}")
    detail = str(error.orig).strip().splitlines()
    return StoreUnusable(f"{where}: {detail[0] if detail else type(error.orig).__name__}")


_SQLITE_PROBLEMS = {
    "SQLITE_FULL": "the disk is full; free space and run again, nothing is lost",
    "SQLITE_IOERR": "the disk cannot be read or written; check the volume and run again",
    "SQLITE_READONLY": "is read-only; make it writable or change MEMSYNC_STATE_URL",
    "SQLITE_NOTADB": f"is not a SQLite database; {_REMEDY}",
    "SQLITE_CORRUPT": f"is damaged; {_REMEDY}",
    "SQLITE_BUSY": "is locked by another program; end that program and run again",
    "SQLITE_CANTOPEN": "cannot be opened; check the folder and its permissions",
}
