"""The database of a store: one transaction at a time, on the file that was opened and no other."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from state import leases, opening
from state.errors import StoreUnusable
from state.faults import explain
from state.owner import uptime as uptime_of_machine
from state.values import Lease


class Database:
    """What every call of a store works with. Safe to share between threads; times are seconds since 1970."""

    def __init__(
        self,
        engine: Engine,
        where: str,
        path: Path | None,
        clock: Callable[[], float] | None = None,
        uptime: Callable[[], float] = uptime_of_machine,
    ) -> None:
        self.where, self.path = where, path
        self._engine, self._clock, self._uptime = engine, clock or time.time, uptime
        self._reader = engine.execution_options(**opening.READING)
        self._asks_server = clock is None and engine.dialect.name == "postgresql"
        self._lock, self._closed = threading.RLock(), False
        self._file = _identity(path) if path else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._closed = True
            self._engine.dispose()

    @contextmanager
    def _transaction(self, lease: Lease | None = None) -> Iterator[Connection]:
        with self._connected(self._engine) as connection:
            if lease is not None:
                leases.check(connection, lease)
            yield connection

    @contextmanager
    def _connected(self, engine: Engine) -> Iterator[Connection]:
        with self._lock:
            self._check_file()
            try:
                with engine.begin() as connection:
                    yield connection
            except DBAPIError as error:
                raise explain(error, self.where) from None

    def _reading(self) -> AbstractContextManager[Connection]:
        return self._connected(self._reader)

    def _check_file(self) -> None:
        if self._closed:
            raise StoreUnusable(f"{self.where}: is closed")
        # SQLite goes on writing happily into a file that was deleted or replaced under it.
        if self.path is not None and _identity(self.path) != self._file:
            raise StoreUnusable(f"{self.where}: was moved or replaced while in use; put it back and run again")

    def _now(self, connection: Connection) -> leases.Moment:
        if self._asks_server:
            wall = connection.exec_driver_sql("SELECT EXTRACT(EPOCH FROM clock_timestamp())").scalar_one()
            return leases.Moment(float(wall), self._uptime())
        return leases.Moment(self._clock(), self._uptime())


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
