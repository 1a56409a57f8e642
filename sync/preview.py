"""The dry run: the same path with a writer that only counts and a state that only reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from state.store import Store
from state.values import Failure, Position, Redelivery, Step, Unsettled
from sync.destination import insist
from sync.memory.client import MemoryClient
from sync.memory.envelope import Envelope
from sync.memory.pace import Pacer
from sync.memory.words import without_values
from sync.memory.writer import ChunkOutcome, Receipt, refusals_of

CREDITS_PER_ROW = {"basic": 1, "pro": 1, "pro_fast": 1, "ultra": 1}
"""About one credit per row, whatever the tier (price table of 2026); rates change, so it is an estimate."""


class PreviewState:
    """The state of a stream as it is; what a run would write is left unwritten."""

    def __init__(self, store: Store | None, stream: str) -> None:
        self._store, self._stream = store, stream

    def fingerprints(self, keys: Sequence[str]) -> dict[str, bytes]:
        return self._store.fingerprints(self._stream, keys) if self._store else {}

    def has_fingerprints(self) -> bool:
        return self._store.has_fingerprints(self._stream) if self._store else False

    def held(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return self._store.held(self._stream, keys) if self._store else {}

    def delivered_keys(self) -> Iterator[str]:
        return self._store.delivered_keys(self._stream) if self._store else iter(())

    def rejected(self) -> Set[str]:
        return {one.key for one in self._store.rejects(self._stream)} if self._store else frozenset()

    def due_redeliveries(self) -> list[Redelivery]:
        return self._store.due_redeliveries(self._stream) if self._store else []

    def due_event(self) -> Unsettled | None:
        return None

    def unsettled(self) -> list[Unsettled]:
        return []

    def apply(self, step: Step) -> None:
        """Nothing: a dry run changes no state."""

    def begin(self, purpose: str, position: Position, *, afresh: bool) -> None:
        """Nothing: a dry run moves no cursor."""

    def conclude(self, purpose: str, position: Position) -> None:
        """Nothing: a dry run moves no cursor."""

    def settle(self, chunk: Unsettled, failures: Sequence[Failure]) -> int:
        """Nothing: a dry run settles nothing."""
        return 0

    def poll_again(self, chunk: Unsettled, status: str, seconds: float) -> None:
        """Nothing: a dry run follows no event."""


class PreviewWriter:
    """Takes every chunk and sends none, but has the server check the first one with `dryRun: true`."""

    def __init__(self, client: MemoryClient, envelope: Envelope, pacer: Pacer, pause: Callable[[float], None]) -> None:
        self._client, self._envelope, self._pacer, self._pause = client, envelope, pacer, pause
        self.remarks: list[str] = []
        """What a person should know of the server's check."""
        self.chunks = 0
        self.rows = self.bytes = 0

    def send(self, rows: Sequence[Any], outcome: ChunkOutcome | None = None) -> ChunkOutcome:
        """Count a chunk as taken; the first one is shown to the server. An outcome that is handed in is filled."""
        self.chunks += 1
        self.rows += len(rows)
        self.bytes += sum(len(row.body) for row in rows)
        found = self.check(rows) if self.chunks == 1 else ChunkOutcome(receipts=[Receipt("dry-run", rows)])
        if outcome is None:
            return found
        outcome.receipts, outcome.refusals, outcome.problem = found.receipts, found.refusals, found.problem
        return outcome

    def estimate(self, tier: str, pacer: Pacer) -> dict[str, Any]:
        """What sending would take: calls, credits (about), bytes, and minutes at the plan's pace."""
        units = self.rows if pacer.unit == "row" else self.chunks
        minutes = round(units * pacer.span / 60, 1)
        return {
            "calls": self.chunks,
            "credits": self.rows * CREDITS_PER_ROW[tier],
            "bytes": self.bytes,
            "minutes": minutes,
        }

    def check(self, rows: Sequence[Any]) -> ChunkOutcome:
        """Have the server check rows without storing them; what it minds are refusals, or the outcome's problem."""
        body = self._envelope.body(row.body for row in rows)
        try:
            self._pacer.wait(len(rows))
            data = insist(lambda: self._client.check_batch(body), self._pause)
        except Exception as problem:  # told by the thread that started the check
            return ChunkOutcome(problem=problem)
        refused, unmatched = refusals_of(rows, data, self._envelope)
        if unmatched:
            words = without_values(unmatched[0].message, body)
            self.remarks.append(f"the server minds rows that it does not name ({words}); a real run finds out which")
        taken = [row for place, row in enumerate(rows) if place not in refused]
        final = [replace(refusal, final=True) for refusal in refused.values()]
        return ChunkOutcome(receipts=[Receipt("dry-run", taken)] if taken else [], refusals=final)
