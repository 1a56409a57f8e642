"""Holding a stream: the lease, its heartbeat, and the state as one run may write it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from state.errors import StateError
from state.leases import TTL, this_process
from state.store import Store
from state.values import Failure, Lease, Position, Redelivery, Step, Unsettled
from sync.positions import FULL, INCREMENTAL
from sync.stop import Stop

BEAT = TTL / 4
"""Seconds between renewals of a lease."""


@contextmanager
def hold(store: Store, stream: str, stop: Stop) -> Iterator[Lease]:
    """Hold the stream's lease; the run is asked to stop when it is lost. Raises LeaseHeld."""
    lease = store.acquire(stream, this_process())
    done = threading.Event()
    beat = threading.Thread(target=_beat, args=(store, lease, stop, done), name="lease", daemon=True)
    beat.start()
    try:
        yield lease
    finally:
        done.set()
        beat.join(timeout=1)
        with suppress(StateError):
            store.release(lease)


def _beat(store: Store, lease: Lease, stop: Stop, done: threading.Event) -> None:
    while not done.wait(BEAT):
        try:
            store.renew(lease)
        except StateError:
            stop.set()  # the next write finds out the same and says why
            return


class HeldState:
    """The state of one stream under its lease: what `sync.job.Ledger` asks for."""

    def __init__(self, store: Store, lease: Lease) -> None:
        self._store, self._lease = store, lease

    def fingerprints(self, keys: Sequence[str]) -> dict[str, bytes]:
        return self._store.fingerprints(self._lease.name, keys)

    def has_fingerprints(self) -> bool:
        return self._store.has_fingerprints(self._lease.name)

    def apply(self, step: Step) -> None:
        self._store.apply(self._lease, step)

    def due_redeliveries(self) -> list[Redelivery]:
        return self._store.due_redeliveries(self._lease.name)

    def unsettled(self) -> list[Unsettled]:
        return self._store.unsettled(self._lease.name)

    def settle(self, chunk: Unsettled, failures: Sequence[Failure]) -> int:
        return self._store.settle(self._lease, chunk, failures)

    def conclude(self, purpose: str, position: Position) -> None:
        """Enter that everything due was read; a full reading that is complete becomes the stream's ordinary one."""
        if purpose == FULL:
            self._store.set_position(self._lease, INCREMENTAL, position, drop=FULL)
        else:
            self._store.set_position(self._lease, purpose, position)

    def poll_again(self, chunk: Unsettled, status: str, seconds: float) -> None:
        self._store.poll_again(self._lease, chunk, status, seconds)
