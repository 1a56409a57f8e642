"""Calls of the store about rows: accepted, settled, delivered, to be sent again, rejected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from state import delivery, history, overview
from state.database import Database
from state.values import Entries, Failure, Lease, Redelivery, Step, StoredReject, Unsettled

_AT_ONCE = 10_000
"""Keys that are listed at a time."""


class Delivery(Database):
    """What became of rows; every write proves the run's lease first."""

    def apply(self, lease: Lease, step: Step) -> None:
        """Write one step of a run; raises LeaseLost, StoreUnusable."""
        with self._transaction(lease) as connection:
            delivery.apply(connection, lease.stream, step, self._clock(), lease.part)
            if step.run is not None:
                history.count_run(connection, *step.run)

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

    def open_events(self, stream: str, part: str = "") -> list[Unsettled]:
        """The same without their entries, for which `entries` is asked once an event has ended."""
        with self._reading() as connection:
            return delivery.open_events(connection, stream, part)

    def entries(self, chunk: Unsettled) -> Entries:
        """The (key, identity hash) pairs of a chunk; none when it was settled meanwhile."""
        with self._reading() as connection:
            return delivery.entries_of(connection, chunk)

    def due_event(self, stream: str, part: str = "") -> Unsettled | None:
        """The chunk whose event is to be asked for first, if it is time to; without its entries."""
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

    def rejects(self, stream: str | None = None) -> list[StoredReject]:
        """The rows that could not be delivered."""
        with self._reading() as connection:
            return delivery.stored_rejects(connection, stream)

    def rejected_keys(self, stream: str) -> set[str]:
        """The keys of the rows of a stream that could not be delivered."""
        with self._reading() as connection:
            return delivery.rejected_keys(connection, stream)

    def reject_reasons(self, stream: str) -> dict[str, int]:
        """How many rows of a stream could not be delivered, by reason."""
        with self._reading() as connection:
            return overview.reject_reasons(connection, stream)

    def drop_rejects(self, lease: Lease, keys: Sequence[str]) -> None:
        """Take rejects off the list."""
        with self._transaction(lease) as connection:
            delivery.drop_rejects(connection, lease.stream, keys)
