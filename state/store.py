"""The store: every call is one transaction, and every write of a run proves its lease first."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from state import delivery, history, leases, limiter, opening
from state.errors import StoreUnusable
from state.values import Failure, Lease, Position, Redelivery, Step, StoredReject, StoredRun, Unsettled


def open_store(url: str, clock: Callable[[], float] = time.time) -> Store:
    """Open the store behind a URL, creating it when nothing is there; raises StoreUnusable."""
    parsed = opening.state_url(url)
    path = opening.sqlite_file(parsed)
    where = str(path) if path else parsed.render_as_string(hide_password=True)
    if path is not None:
        opening.check_file(path)
    engine = opening.make_engine(parsed)
    umask = os.umask(0o077)  # also for the -wal and -shm files beside it
    try:
        opening.prepare(engine, path)
    except DBAPIError as error:
        engine.dispose()
        raise opening.explain(error, where) from None
    except BaseException:
        engine.dispose()
        raise
    finally:
        os.umask(umask)
    return Store(engine, where, path, clock)


class Store:
    """What memsync remembers. Safe to share between threads; times are seconds since 1970."""

    def __init__(self, engine: Engine, where: str, path: Path | None, clock: Callable[[], float]) -> None:
        self.where = where
        self._engine, self._path, self._clock = engine, path, clock
        self._lock = threading.RLock()
        self._inode = path.stat().st_ino if path else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._engine.dispose()

    @contextmanager
    def _transaction(self, lease: Lease | None = None) -> Iterator[Connection]:
        with self._lock:
            self._check_path()
            try:
                with self._engine.begin() as connection:
                    if lease is not None:
                        leases.check(connection, lease)
                    yield connection
            except DBAPIError as error:
                raise opening.explain(error, self.where) from None

    def _check_path(self) -> None:
        # SQLite goes on writing happily into a file that was deleted or replaced under it.
        try:
            same = self._path is None or os.stat(self._path).st_ino == self._inode
        except FileNotFoundError:
            same = False
        if not same:
            raise StoreUnusable(f"{self.where}: was moved or replaced while in use; put it back and run again")

    # -- leases and the limiter

    def acquire(self, stream: str, owner: str) -> Lease:
        """Take the stream's lease; raises LeaseHeld."""
        with self._transaction() as connection:
            history.ensure_salt(connection, stream)
            return leases.acquire(connection, stream, owner, self._clock())

    def renew(self, lease: Lease) -> None:
        """Keep a lease alive; raises LeaseLost."""
        with self._transaction() as connection:
            leases.renew(connection, lease, self._clock())

    def release(self, lease: Lease) -> None:
        """Give a lease back."""
        with self._transaction() as connection:
            leases.release(connection, lease)

    def reserve(self, name: str, span: float, burst: float) -> float:
        """Book a call's share of a rate limit; returns the seconds to wait first."""
        with self._transaction() as connection:
            return limiter.reserve(connection, name, span, burst, self._clock())

    def postpone(self, name: str, seconds: float) -> None:
        """Let no call under this limit start for so many seconds."""
        with self._transaction() as connection:
            limiter.postpone(connection, name, self._clock() + seconds)

    # -- delivery

    def apply(self, lease: Lease, step: Step) -> None:
        """Write one step of a run; raises LeaseLost, StoreUnusable."""
        with self._transaction(lease) as connection:
            delivery.apply(connection, lease.name, step, self._clock())

    def settle(self, lease: Lease, chunk: Unsettled, failures: Sequence[Failure]) -> int:
        """End an accepted chunk; returns how many of its failed rows became rejects."""
        with self._transaction(lease) as connection:
            return delivery.settle(connection, lease.name, chunk, failures, self._clock())

    def poll_again(self, lease: Lease, chunk: Unsettled, status: str, seconds: float) -> None:
        """Remember an event's status and ask again after so many seconds."""
        with self._transaction(lease) as connection:
            delivery.poll_again(connection, chunk, status, self._clock() + seconds)

    def unsettled(self, stream: str) -> list[Unsettled]:
        """The chunks whose events have not ended, oldest first."""
        with self._transaction() as connection:
            return delivery.unsettled(connection, stream)

    def due_redeliveries(self, stream: str) -> list[Redelivery]:
        """The rows to be re-read by key and sent again."""
        with self._transaction() as connection:
            return delivery.due_redeliveries(connection, stream)

    def has_fingerprints(self, stream: str) -> bool:
        """Whether anything of the stream was ever delivered."""
        with self._transaction() as connection:
            return delivery.has_fingerprints(connection, stream)

    def fingerprints(self, stream: str, keys: Sequence[str]) -> dict[str, bytes]:
        """The fingerprints of those of these keys that were delivered."""
        with self._transaction() as connection:
            return delivery.known_fingerprints(connection, stream, keys)

    def sample_keys(self, stream: str) -> list[str]:
        """The keys of delivered rows to draw a sample from: the first 100,000 in the order of their keys."""
        with self._transaction() as connection:
            return delivery.delivered_keys(connection, stream, 100_000)

    def rejects(self, stream: str | None = None) -> list[StoredReject]:
        """The rows that could not be delivered."""
        with self._transaction() as connection:
            return delivery.stored_rejects(connection, stream)

    def drop_rejects(self, lease: Lease, keys: Sequence[str]) -> None:
        """Take rejects off the list."""
        with self._transaction(lease) as connection:
            delivery.drop_rejects(connection, lease.name, keys)

    # -- positions and runs

    def position(self, stream: str, purpose: str) -> Position | None:
        """Where one reading of a stream stands."""
        with self._transaction() as connection:
            return history.get_position(connection, stream, purpose)

    def positions(self, stream: str) -> dict[str, tuple[Position, float]]:
        """Every reading of a stream by purpose, with the time of its last move."""
        with self._transaction() as connection:
            return history.all_positions(connection, stream)

    def set_position(self, lease: Lease, purpose: str, position: Position, drop: str | None = None) -> None:
        """Move one reading of a stream, and forget another one in the same breath."""
        with self._transaction(lease) as connection:
            delivery.set_position(connection, lease.name, purpose, position, self._clock())
            if drop is not None:
                history.drop_position(connection, lease.name, drop)

    def salt(self, stream: str) -> bytes | None:
        """What makes this stream's fingerprints useless to others; None before its first run."""
        with self._transaction() as connection:
            return history.get_salt(connection, stream)

    def streams(self) -> list[str]:
        """Every stream that the store knows."""
        with self._transaction() as connection:
            return history.stream_names(connection)

    def counts(self, stream: str) -> dict[str, int]:
        """How many rows the store holds of a stream, by what they are."""
        with self._transaction() as connection:
            return history.counts(connection, stream)

    def start_run(self, lease: Lease, command: str) -> int:
        """Enter a run into the history."""
        with self._transaction(lease) as connection:
            return history.start_run(connection, lease.name, command, self._clock())

    def finish_run(self, lease: Lease, run_id: int, status: str, summary: Mapping[str, Any]) -> None:
        """Enter how a run ended."""
        with self._transaction(lease) as connection:
            history.finish_run(connection, run_id, status, summary, self._clock())

    def last_runs(self, stream: str, limit: int = 10) -> list[StoredRun]:
        """The newest runs of a stream, newest first."""
        with self._transaction() as connection:
            return history.last_runs(connection, stream, limit)

    # -- explicit changes by a person

    def reset(self, lease: Lease) -> None:
        """Forget everything about a stream but its run history."""
        with self._transaction(lease) as connection:
            history.reset(connection, lease.name)

    def export(self, stream: str) -> dict[str, list[dict[str, Any]]]:
        """Everything about a stream as JSON values."""
        with self._transaction() as connection:
            return history.export(connection, stream)

    def restore(self, lease: Lease, content: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Replace everything about a stream by what `export` gave."""
        with self._transaction(lease) as connection:
            history.restore(connection, lease.name, content)
