"""The store: every call is one transaction, and every write of a run proves its lease first."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from state import address, delivery, history, leases, limiter, opening, overview, quota, watching
from state.errors import StoreUnusable
from state.faults import explain
from state.overview import StreamState
from state.owner import uptime as uptime_of_machine
from state.values import Failure, Lease, Position, Redelivery, Step, StoredReject, StoredRun, Unsettled

_AT_ONCE = 10_000
"""Keys that are listed at a time."""


def open_store(
    url: str, clock: Callable[[], float] | None = None, uptime: Callable[[], float] = uptime_of_machine
) -> Store:
    """Open the store behind a URL, creating it when nothing is there; raises StateUrlInvalid, StoreUnusable.

    Without a clock, a Postgres store takes its server's for leases and limits: those of several machines differ.
    """
    parsed = address.state_url(url)
    path, where = address.sqlite_file(parsed), address.shown(parsed)
    return Store(opening.open_engine(parsed, path, where), where, path, clock, uptime)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Store:
    """What memsync remembers. Safe to share between threads; times are seconds since 1970."""

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

    # -- leases and the limiter

    def acquire(self, stream: str, owner: str, part: str = "") -> Lease:
        """Take the stream's lease, or that of one part of it such as `#0/4`; raises LeaseHeld."""
        with self._transaction() as connection:
            history.ensure_salt(connection, stream)
            return leases.acquire(connection, stream, owner, self._now(connection), part)

    def renew(self, lease: Lease) -> None:
        """Keep a lease alive; raises LeaseLost."""
        with self._transaction() as connection:
            leases.renew(connection, lease, self._now(connection))

    def release(self, lease: Lease) -> None:
        """Give a lease back."""
        with self._transaction() as connection:
            leases.release(connection, lease)

    def reserve(self, name: str, span: float, burst: float) -> float:
        """Book a call's share of a rate limit; returns the seconds to wait first."""
        with self._transaction() as connection:
            return limiter.reserve(connection, name, span, burst, self._limiter_clock())

    def postpone(self, name: str, seconds: float) -> None:
        """Let no call under this limit start for so many seconds."""
        with self._transaction() as connection:
            limiter.postpone(connection, name, seconds, self._limiter_clock())

    def exhausted(self, name: str) -> Mapping[str, str] | None:
        """What was noted when this destination's quota was found used up; None when it was not."""
        with self._reading() as connection:
            return quota.facts_of(connection, name)

    def note_exhausted(self, name: str, facts: Mapping[str, str] | None) -> None:
        """This destination's quota is used up, or (None) no longer."""
        with self._transaction() as connection:
            if facts is None:
                quota.clear(connection, name)
            else:
                quota.note(connection, name, facts, self._clock())

    def _limiter_clock(self) -> float | None:
        return None if self._asks_server else self._clock()

    # -- delivery

    def apply(self, lease: Lease, step: Step) -> None:
        """Write one step of a run; raises LeaseLost, StoreUnusable."""
        with self._transaction(lease) as connection:
            delivery.apply(connection, lease.stream, step, self._clock(), lease.part)

    def settle(self, lease: Lease, chunk: Unsettled, failures: Sequence[Failure]) -> int:
        """End an accepted chunk; returns how many of its failed rows became rejects."""
        with self._transaction(lease) as connection:
            return delivery.settle(connection, lease.stream, chunk, failures, self._clock())

    def poll_again(self, lease: Lease, chunk: Unsettled, status: str, seconds: float) -> None:
        """Remember an event's status and ask again after so many seconds."""
        with self._transaction(lease) as connection:
            delivery.poll_again(connection, chunk, status, self._clock() + seconds)

    def unsettled(self, stream: str, part: str = "") -> list[Unsettled]:
        """The chunks whose events have not ended, oldest first; only those that a part sent, where one is named."""
        with self._reading() as connection:
            return delivery.unsettled(connection, stream, part)

    def due_event(self, stream: str, part: str = "") -> Unsettled | None:
        """The chunk whose event is to be asked for first, if it is time to; likewise."""
        with self._reading() as connection:
            return delivery.due_event(connection, stream, self._clock(), part)

    def due_redeliveries(self, stream: str) -> list[Redelivery]:
        """The rows to be re-read by key and sent again."""
        with self._reading() as connection:
            return delivery.due_redeliveries(connection, stream)

    def has_fingerprints(self, stream: str) -> bool:
        """Whether anything of the stream was ever delivered."""
        with self._reading() as connection:
            return delivery.has_fingerprints(connection, stream)

    def fingerprints(self, stream: str, keys: Sequence[str]) -> dict[str, bytes]:
        """The fingerprints of those of these keys that were delivered."""
        with self._reading() as connection:
            return delivery.known_fingerprints(connection, stream, keys)

    def held(self, stream: str, keys: Sequence[str]) -> dict[str, list[str]]:
        """By each of these keys, or beginnings of keys, the keys of rows of which anything is kept."""
        with self._reading() as connection:
            return delivery.held(connection, stream, keys)

    def delivered_keys(self, stream: str) -> Iterator[str]:
        """The keys of delivered rows in their order; a few thousand are held at a time."""
        behind: str | None = None
        while True:
            with self._reading() as connection:
                keys = delivery.delivered_keys(connection, stream, _AT_ONCE, behind)
            yield from keys
            if len(keys) < _AT_ONCE:
                return
            behind = keys[-1]

    def sample_keys(self, stream: str) -> list[str]:
        """The keys of delivered rows to draw a sample from: the first 100,000 in the order of their keys."""
        with self._reading() as connection:
            return delivery.delivered_keys(connection, stream, 100_000)

    def rejects(self, stream: str | None = None) -> list[StoredReject]:
        """The rows that could not be delivered."""
        with self._reading() as connection:
            return delivery.stored_rejects(connection, stream)

    def reject_reasons(self, stream: str) -> dict[str, int]:
        """How many rows of a stream could not be delivered, by reason."""
        with self._reading() as connection:
            return overview.reject_reasons(connection, stream)

    def drop_rejects(self, lease: Lease, keys: Sequence[str]) -> None:
        """Take rejects off the list."""
        with self._transaction(lease) as connection:
            delivery.drop_rejects(connection, lease.stream, keys)

    # -- positions and runs

    def position(self, stream: str, purpose: str) -> Position | None:
        """Where one reading of a stream stands."""
        with self._reading() as connection:
            return history.get_position(connection, stream, purpose)

    def positions(self, stream: str) -> dict[str, tuple[Position, float]]:
        """Every reading of a stream by purpose, with the time of its last move."""
        with self._reading() as connection:
            return history.all_positions(connection, stream)

    def set_position(
        self, lease: Lease, purpose: str, position: Position, drop: str | None = None, *, forget_due: bool = False
    ) -> None:
        """Move one reading of a stream; in the same breath forget another one, or which rows are due again."""
        with self._transaction(lease) as connection:
            delivery.set_position(connection, lease.stream, purpose, position, self._clock())
            if drop is not None:
                history.drop_position(connection, lease.stream, drop)
            if forget_due:
                delivery.forget_due(connection, lease.stream)

    def salt(self, stream: str) -> bytes | None:
        """What makes this stream's fingerprints useless to others; None before its first run."""
        with self._reading() as connection:
            return history.get_salt(connection, stream)

    def destination(self, stream: str) -> str | None:
        """The organisation that took the stream's rows so far; None when none was accepted yet."""
        with self._reading() as connection:
            return history.destination_of(connection, stream)

    def streams(self) -> list[str]:
        """Every stream that the store knows."""
        with self._reading() as connection:
            return history.stream_names(connection)

    def counts(self, stream: str) -> dict[str, int]:
        """How many rows the store holds of a stream, by what they are."""
        with self._reading() as connection:
            return history.counts(connection, stream)

    def start_run(self, lease: Lease, command: str) -> int:
        """Enter a run into the history."""
        with self._transaction(lease) as connection:
            return history.start_run(connection, lease.stream, command, self._clock())

    def finish_run(self, lease: Lease, run_id: int, status: str, summary: Mapping[str, Any]) -> None:
        """Enter how a run ended."""
        with self._transaction(lease) as connection:
            history.finish_run(connection, run_id, status, summary, self._clock())

    def last_runs(self, stream: str, limit: int = 10) -> list[StoredRun]:
        """The newest runs of a stream, newest first; one that never ended and holds no lease any more was killed."""
        with self._reading() as connection:
            found = history.last_runs(connection, stream, limit)
            if any(run.finished_at is None for run in found) and not leases.is_held(
                connection, stream, self._now(connection)
            ):
                return [run if run.finished_at is not None else replace(run, status="killed") for run in found]
            return found

    # -- watching over streams

    def overview(self, purpose: str, runs: int) -> dict[str, StreamState]:
        """Every stream as it stands, with its newest runs and the move of its reading for a purpose; no keys."""
        with self._reading() as connection:
            return overview.states(connection, purpose, runs, self._now(connection))

    def watch(self, streams: Sequence[str]) -> None:
        """Note since when these streams are on a schedule; those that are known keep their time."""
        with self._transaction() as connection:
            watching.begin(connection, streams, self._clock())

    def told(self, stream: str) -> frozenset[str]:
        """What notifications last said of a stream."""
        with self._reading() as connection:
            return watching.told(connection, stream)

    def note_told(self, stream: str, words: Iterable[str]) -> None:
        """Remember what notifications said of a stream."""
        with self._transaction() as connection:
            watching.note_told(connection, stream, words, self._clock())

    # -- explicit changes by a person

    def reset(self, lease: Lease) -> None:
        """Forget everything about a stream but its run history."""
        with self._transaction(lease) as connection:
            history.reset(connection, lease.stream)

    def export(self, stream: str) -> dict[str, list[dict[str, Any]]]:
        """Everything about a stream as JSON values."""
        with self._reading() as connection:
            return history.export(connection, stream)

    def restore(self, lease: Lease, content: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Replace everything about a stream by what `export` gave."""
        with self._transaction(lease) as connection:
            history.restore(connection, lease.stream, content)
