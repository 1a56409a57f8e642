"""The dry run: the same path with a writer that only counts and a state that only reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

import orjson

from state.store import Store
from state.values import Failure, Position, Redelivery, Step, Unsettled
from sync.costs import Work
from sync.destination import insist
from sync.memory.client import MemoryClient
from sync.memory.envelope import Envelope
from sync.memory.pace import Pacer
from sync.memory.words import without_values
from sync.memory.writer import ChunkOutcome, Receipt, refusals_of


class PreviewState:
    """The state of a stream as it is; what a run would write is left unwritten."""

    def __init__(self, store: Store | None, stream: str) -> None:
        self._store, self._stream = store, stream

    def fingerprints(self, keys: Sequence[str]) -> dict[str, bytes]:
        return self._store.fingerprints(self._stream, keys) if self._store else {}

    def has_fingerprints(self) -> bool:
        return self._store.has_fingerprints(self._stream) if self._store else False

    def holders(self, marks: Sequence[bytes]) -> Mapping[bytes, int]:
        """Nothing: a dry run gives nobody a new key."""
        return {}

    def held(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return self._store.held(self._stream, keys) if self._store else {}

    def delivered_keys(self) -> Iterator[str]:
        return self._store.delivered_keys(self._stream) if self._store else iter(())

    def rejected(self) -> Set[str]:
        return self._store.rejected_keys(self._stream) if self._store else frozenset()

    def due_redeliveries(self) -> list[Redelivery]:
        return self._store.due_redeliveries(self._stream) if self._store else []

    def due_event(self) -> Unsettled | None:
        return None

    def unsettled(self) -> list[Unsettled]:
        return []

    def entries(self, chunk: Unsettled) -> Sequence[tuple[str, str]]:
        return ()

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

    def shape(self) -> str | None:
        return self._store.shape(self._stream) if self._store else None

    def keep_shape(self, shape: str) -> None:
        """Nothing: the real run is to see what changed too."""


class PreviewWriter:
    """Takes every chunk and sends none, but has the server check the first one with `dryRun: true`."""

    def __init__(
        self,
        client: MemoryClient,
        envelope: Envelope,
        pacer: Pacer,
        pause: Callable[[float], None],
        text_names: Sequence[str] = (),
    ) -> None:
        self._client, self._envelope, self._pacer, self._pause = client, envelope, pacer, pause
        self._text_names = text_names
        self.remarks: list[str] = []
        """What a person should know of the server's check."""
        self.work = Work()

    def send(self, rows: Sequence[Any], outcome: ChunkOutcome | None = None) -> ChunkOutcome:
        """Count a chunk as taken; the first one is shown to the server. An outcome that is handed in is filled."""
        self._count(rows)
        found = self._timed(rows) if self.work.calls == 1 else ChunkOutcome(receipts=[Receipt("dry-run", rows)])
        if outcome is None:
            return found
        outcome.receipts, outcome.refusals, outcome.problem = found.receipts, found.refusals, found.problem
        return outcome

    def _count(self, rows: Sequence[Any]) -> None:
        work = self.work
        work.calls += 1
        work.rows += len(rows)
        work.bytes += sum(len(row.body) for row in rows)
        for row in rows:
            if row.has_text:
                sent = orjson.loads(row.body)
                work.rows_with_text += 1
                work.characters += sum(len(sent.get(name, "")) for name in self._text_names)

    def _timed(self, rows: Sequence[Any]) -> ChunkOutcome:
        began = time.monotonic()
        found = self.check(rows)
        self.work.seconds_a_call = time.monotonic() - began
        return found

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
