"""Holding a stream: the lease, its heartbeat, and the state as one run may write it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from state.errors import StateError, StoreUnreachable
from state.leases import TTL
from state.owner import this_process
from state.store import Store
from state.values import Entries, Failure, Lease, Position, Redelivery, Step, Unsettled
from sync.maps.row import HASH_SIZE
from sync.positions import FULL, INCREMENTAL
from sync.stop import Stop, Stopped

BEAT = TTL / 4
"""Seconds between renewals of a lease."""
SURE = TTL * 0.9
"""Seconds from a renewal on in which calls may start: a little later, another run may have taken over."""


@contextmanager
def hold(store: Store, stream: str, stop: Stop, beat: float = BEAT, part: str = "") -> Iterator[Lease]:
    """Hold the lease of a stream, or of one part of it; the run is asked to stop when it cannot be kept.

    Raises LeaseHeld; LeaseLost or StoreUnusable when that was why the run stopped.
    """
    lease = store.acquire(stream, this_process(), part)
    heart = _Heart(store, lease, stop, beat)
    heart.start()
    try:
        yield lease
    except Stopped:
        if heart.problem is not None:
            raise heart.problem from None
        raise
    finally:
        heart.end()
        with suppress(StateError):
            store.release(lease)


class _Heart:
    """Renews a lease in a thread of its own; a store that is away for a moment does not end the run."""

    def __init__(self, store: Store, lease: Lease, stop: Stop, beat: float) -> None:
        self._store, self._lease, self._stop, self._beat = store, lease, stop, beat
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)
        self.problem: StateError | None = None

    def start(self) -> None:
        self._stop.sure_until = time.monotonic() + SURE
        self._thread.start()

    def end(self) -> None:
        self._done.set()
        self._thread.join(timeout=1)

    def _run(self) -> None:
        renewed = time.monotonic()
        while self.problem is None and not self._done.wait(self._beat):
            try:
                began = time.monotonic()
                self._store.renew(self._lease)
                renewed, self._stop.sure_until = began, began + SURE
            except StateError as problem:
                away = time.monotonic() - renewed
                if not isinstance(problem, StoreUnreachable) or away > 3 * self._beat:
                    self.problem = problem
                    self._stop.set()


class HeldState:
    """The state of one stream under its lease: what `sync.job.Ledger` asks for."""

    def __init__(
        self, store: Store, lease: Lease, run: Callable[[], tuple[int, Mapping[str, Any]]] | None = None
    ) -> None:
        self._store, self._lease, self._run = store, lease, run

    def fingerprints(self, keys: Sequence[str]) -> dict[str, bytes]:
        return self._store.fingerprints(self._lease.stream, keys)

    def has_fingerprints(self) -> bool:
        return self._store.has_fingerprints(self._lease.stream)

    def holders(self, marks: Sequence[bytes]) -> Mapping[bytes, int]:
        """How many delivered rows have these marks of an identity."""
        return self._store.count_parts(self._lease.stream, HASH_SIZE, marks)

    def held(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return self._store.held(self._lease.stream, keys)

    def delivered_keys(self) -> Iterator[str]:
        return self._store.delivered_keys(self._lease.stream)

    def apply(self, step: Step) -> None:
        told = self._run() if self._run and step.accepted else None
        self._store.apply(self._lease, replace(step, run=told) if told else step)

    def rejected(self) -> Set[str]:
        return self._store.rejected_keys(self._lease.stream)

    def due_redeliveries(self) -> list[Redelivery]:
        return self._store.due_redeliveries(self._lease.stream)

    def due_event(self) -> Unsettled | None:
        return self._store.due_event(self._lease.stream, self._lease.part)

    def unsettled(self) -> list[Unsettled]:
        return self._store.open_events(self._lease.stream, self._lease.part)

    def entries(self, chunk: Unsettled) -> Entries:
        return self._store.entries(chunk)

    def settle(self, chunk: Unsettled, failures: Sequence[Failure]) -> int:
        return self._store.settle(self._lease, chunk, failures)

    def begin(self, purpose: str, position: Position, *, afresh: bool) -> None:
        """Enter a reading before its first row is sent; `afresh`: keys of another source are due no more."""
        self._store.set_position(self._lease, purpose, position, forget_due=afresh)

    def conclude(self, purpose: str, position: Position) -> None:
        """Enter that everything due was read; a full reading that is complete becomes the stream's ordinary one."""
        if purpose == FULL:
            self._store.set_position(self._lease, INCREMENTAL, position, drop=FULL)
        else:
            self._store.set_position(self._lease, purpose, position)

    def poll_again(self, chunk: Unsettled, status: str, seconds: float) -> None:
        self._store.poll_again(self._lease, chunk, status, seconds)

    def shape(self) -> str | None:
        return self._store.shape(self._lease.stream)

    def keep_shape(self, shape: str) -> None:
        self._store.keep_shape(self._lease, shape)
