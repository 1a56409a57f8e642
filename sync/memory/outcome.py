"""What becomes of a chunk: receipts, refusals, and what is still open while it is being sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


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
    open: Receipt | None = None
    """The receipt of an accepted call while its bad rows are searched for: of those not dealt with yet."""
    _told: tuple[int, int] = (0, 0)

    def settle(self, rows: Sequence[Any], refusals: Sequence[Refusal], receipt: Receipt | None = None) -> None:
        """Move rows of the open receipt to where they belong; a row is never in two places, whenever one looks."""
        gone = {id(row) for row in rows}
        if self.open is not None:
            self.open = Receipt(self.open.event_id, [row for row in self.open.rows if id(row) not in gone])
        self.refusals += refusals
        if receipt is not None:
            self.receipts.append(receipt)

    def take(self, *, last: bool = False) -> ChunkOutcome:
        """What came in since this was asked before, for one thread beside the one that sends.

        `last`: nobody waits for the rest, so the rows of an unfinished search are taken as accepted.
        """
        receipts, refusals = self.receipts[:], self.refusals[:]
        unfinished = (
            self.open if last else None
        )  # read behind them: rows that move meanwhile are in neither, not in both
        del self.receipts[: len(receipts)], self.refusals[: len(refusals)]
        retries, duplicates = self.retries, self.duplicates_possible
        before, self._told = self._told, (retries, duplicates)
        receipts += [unfinished] if unfinished else []
        return ChunkOutcome(receipts, refusals, retries - before[0], duplicates - before[1], self.problem)
