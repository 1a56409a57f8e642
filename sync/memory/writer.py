"""Delivering one chunk: calling until there is an answer, and splitting a refused chunk until the bad row is alone."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sync.memory.client import MemoryClient
from sync.memory.envelope import Envelope
from sync.memory.errors import (
    ChunkRefused,
    DestinationMisconfigured,
    DestinationUnavailable,
    QuotaExhausted,
    RateLimited,
)
from sync.memory.pace import Pacer
from sync.memory.settlement import blame, item_errors, normalise

ATTEMPTS = 5
"""Calls for the same rows before the destination counts as unreachable."""
LIMITED = 10
"""429 answers in a row for the same rows before the run stops."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
AMBIGUOUS_PAUSE = 5.0
"""Seconds before rows are sent again that the server may already have: it may still be at work on them."""
SPARE = 5
"""Refusals beyond those that one bad row can cause, after which the map is to blame."""


class Sendable(NamedTuple):
    """What the writer needs of a row; the caller's own tuples carry more behind it."""

    key: str
    identity: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """The server's word that it took these rows."""

    event_id: str
    rows: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that the server turned down. `final`: sending it again is useless."""

    row: Any
    code: str
    message: str
    final: bool


@dataclass(slots=True)
class ChunkOutcome:
    """What became of a chunk: a row is in one receipt, in one refusal, or, where `problem` says why, in neither."""

    receipts: list[Receipt] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    retries: int = 0
    duplicates_possible: int = 0
    problem: Exception | None = None


class BatchWriter:
    """Sends the rows of one stream. `send` may be called from several threads at once."""

    def __init__(
        self,
        client: MemoryClient,
        envelope: Envelope,
        pacer: Pacer,
        pause: Callable[[float], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._client, self._envelope, self._pacer = client, envelope, pacer
        self._pause, self._chance = pause, chance

    def send(self, rows: Sequence[Any]) -> ChunkOutcome:
        """Deliver rows, whole or split. Never raises: what stopped it is the outcome's `problem`."""
        outcome = ChunkOutcome()
        try:
            self._send(rows, outcome, _Patience(most=math.ceil(math.log2(max(2, len(rows)))) + 1 + SPARE))
        except Exception as problem:  # it travels to the thread that records what was accepted before it
            outcome.problem = problem
        return outcome

    def _send(self, rows: Sequence[Any], outcome: ChunkOutcome, patience: _Patience) -> None:
        try:
            data = self._call(rows, outcome)
        except ChunkRefused as refused:
            patience.count(refused)
            if len(rows) > 1:
                self._send_halves(rows, outcome, patience)
            else:
                outcome.refusals.append(Refusal(rows[0], refused.code, str(refused), final=True))
            return
        patience.accepted = True
        self._sort_out(rows, data, outcome, patience)

    def _send_halves(self, rows: Sequence[Any], outcome: ChunkOutcome, patience: _Patience) -> None:
        middle = len(rows) // 2
        self._send(rows[:middle], outcome, patience)
        self._send(rows[middle:], outcome, patience)

    def _sort_out(self, rows: Sequence[Any], data: dict[str, Any], outcome: ChunkOutcome, patience: _Patience) -> None:
        """Divide the rows of an accepted call into those taken and those that item errors name."""
        errors = item_errors(data)
        found = blame(errors, [normalise(row.identity) for row in rows], str)
        named = dict(found.named)
        if found.unmatched and len(rows) > 1:
            # Nobody can tell which rows these errors mean: send the halves again until it is clear.
            outcome.duplicates_possible += len(rows)
            self._send_halves(rows, outcome, patience)
            return
        if found.unmatched:
            named[0] = found.unmatched[0]
        for place, error in named.items():
            outcome.refusals.append(Refusal(rows[place], error.code, error.message, error.final))
        taken = [row for place, row in enumerate(rows) if place not in named]
        if taken:
            outcome.receipts.append(Receipt(data["eventId"], taken))

    def _call(self, rows: Sequence[Any], outcome: ChunkOutcome) -> dict[str, Any]:
        body = self._envelope.body(row.body for row in rows)
        failures = limited = 0
        while True:
            self._pacer.wait(len(rows))
            try:
                return self._client.batch(body)
            except RateLimited as limit:
                limited += 1
                if limited == LIMITED:
                    raise QuotaExhausted(f"{limit}; {LIMITED} times in a row, the next run goes on from here") from None
                self._pacer.slow_down(self._wait_out(limit), limit.limit)
            except DestinationUnavailable as problem:
                failures += 1
                outcome.duplicates_possible += len(rows) if problem.ambiguous else 0
                if failures == ATTEMPTS:
                    raise
                self._pause(pause_before(failures, problem, self._chance()))
            outcome.retries += 1

    def _wait_out(self, limit: RateLimited) -> float:
        """What the server asked for, and up to a tenth more so that not everybody comes back at once."""
        asked = limit.retry_after if limit.retry_after is not None else 60.0
        return max(1.0, asked) * (1 + self._chance() / 10)


def pause_before(attempt: int, problem: DestinationUnavailable, chance: float) -> float:
    """Seconds before the next try: what the server asked for, else up to twice as long each time, by chance."""
    if problem.retry_after is not None:
        return problem.retry_after * (1 + chance / 10)
    ceiling = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**attempt)
    floor = AMBIGUOUS_PAUSE if problem.ambiguous else FIRST_PAUSE / 2
    return max(floor, ceiling * chance)


@dataclass(slots=True)
class _Patience:
    """Refusals of a chunk before its map is blamed: more than one bad row can cause, and nothing accepted."""

    most: int
    refused: int = 0
    accepted: bool = False

    def count(self, refused: ChunkRefused) -> None:
        self.refused += 1
        if not self.accepted and self.refused > self.most:
            raise DestinationMisconfigured(
                f"{refused}: {self.refused} calls in a row were refused, so the map does not fit the destination; "
                "correct it and run again, no row was rejected"
            )
