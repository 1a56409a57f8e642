"""Calls of the store about streams: where their readings stand, their runs, and the moving of it all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from state import delivery, history, leases, shapes
from state.database import Database
from state.values import Lease, Position, StoredRun


class History(Database):
    """Positions and runs; every write proves the run's lease first."""

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

    def calls_since(self, moment: float) -> int:
        """The calls of all runs that began since then (seconds since 1970), as far as the history goes back."""
        with self._reading() as connection:
            return history.calls_since(connection, moment)

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

    def shape(self, stream: str) -> str | None:
        """How the stream's source and destination looked when a run last saw them; None before the first that did."""
        with self._reading() as connection:
            return shapes.shape_of(connection, stream)

    def keep_shape(self, lease: Lease, shape: str) -> None:
        """Remember how they look now."""
        with self._transaction(lease) as connection:
            shapes.keep(connection, lease.stream, shape)

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
