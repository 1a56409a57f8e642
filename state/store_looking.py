"""Calls of the store that only look: a sample of what was delivered, and everything about one row."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from state import sampling, tracing
from state.database import Database
from state.tracing import RowState


class Looking(Database):
    """What `memsync verify` and `memsync trace` ask."""

    def sample(self, stream: str, size: int, seed: int) -> dict[str, bytes]:
        """So many delivered rows, drawn by lot: keys and fingerprints, the same ones for the same seed."""
        with self._reading() as connection:
            return sampling.sample(connection, stream, size, seed)

    def count_parts(self, stream: str, at: int, parts: Sequence[bytes]) -> dict[bytes, int]:
        """How many fingerprints of a stream hold each of these parts, all of one size, behind the first `at` bytes."""
        with self._reading() as connection:
            return sampling.count_parts(connection, stream, at, parts)

    def row_state(self, stream: str, key: str) -> RowState:
        """Everything that is known of one row."""
        with self._reading() as connection:
            return tracing.state_of(connection, stream, key)

    def unsettled_among(self, stream: str, keys: Collection[str]) -> set[str]:
        """Those of these keys whose events have not ended."""
        with self._reading() as connection:
            return tracing.unsettled_among(connection, stream, keys)
