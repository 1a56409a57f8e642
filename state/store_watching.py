"""Calls of the store about watching over streams: how they stand, and what was told of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from state import overview, watching
from state.database import Database
from state.overview import StreamState


class Watching(Database):
    """What a scheduler and notifications need of all streams."""

    def overview(self, purposes: Collection[str], runs: int) -> dict[str, StreamState]:
        """Every stream as it stands, with its newest runs and the last move of these readings; no keys."""
        with self._reading() as connection:
            return overview.states(connection, purposes, runs, self._now(connection))

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
