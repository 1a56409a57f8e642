"""Delivering one chunk: calling until there is an answer, and splitting a refused chunk until the bad row is alone."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
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
from sync.memory.retry_after import LONGEST
from sync.memory.settlement import ItemError, blame, item_errors, normalise
from sync.memory.words import without_values

ATTEMPTS = 5
"""Calls for the same rows before the destination counts as unreachable."""
LIMITED = 10
"""429 answers in a row for the same rows before the run stops."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
AMBIGUOUS_PAUSE = 5.0
"""Seconds before rows are sent again that the server may already have: it may still be at work on them."""
SPARE = 5
"""Refusals beyond those that one bad row can cause, after which the map is to blame."""
LOOKS = 3
"""Places in a chunk that are looked at before its map is blamed: bad rows may stand side by side."""


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
            self._send(rows, outcome)
        except Exception as problem:  # it travels to the thread that records what was accepted before it
            outcome.problem = problem
        return outcome

    def _send(self, rows: Sequence[Any], outcome: ChunkOutcome) -> None:
        """Send the parts that are left, the first one first; a part that is refused leaves its halves."""
        left: deque[Sequence[Any]] = deque([rows])
        patience = Patience(len(rows), movable=len({normalise(row.identity) for row in rows}) == len(rows))
        while left:
            part = left.popleft()
            try:
                data = self._call(part, outcome)
            except ChunkRefused as refused:
                if len(part) == 1:
                    code = _harmless(refused.code, part[0].body)
                    outcome.refusals.append(Refusal(part[0], code, str(refused), final=True))
                left.extendleft(reversed(halves(part)))
                tired = patience.ends(refused)
            else:
                before = len(outcome.receipts)
                unclear = self._sort_out(part, data, outcome)
                left.extendleft(reversed(halves(unclear) if len(unclear) > 1 else [unclear] if unclear else []))
                patience.rewarded = patience.rewarded or len(outcome.receipts) > before
                tired = patience.ends("item errors, and no row of the call that is certain to be taken")
            if tired:
                left = deque(sorted(left, key=len, reverse=True))

    def _sort_out(self, rows: Sequence[Any], data: dict[str, Any], outcome: ChunkOutcome) -> Sequence[Any]:
        """Divide the rows of an accepted call into those taken and those that item errors name.

        Returns the rows to be sent again, in halves, because nobody can tell which of them an error means.
        """
        refused, unmatched = refusals_of(rows, data, self._envelope)
        outcome.refusals += refused.values()
        others = [row for place, row in enumerate(rows) if place not in refused]
        if unmatched and others:
            outcome.duplicates_possible += len(others)
            return others
        if others:
            outcome.receipts.append(Receipt(data["eventId"], others))
        return ()

    def _call(self, rows: Sequence[Any], outcome: ChunkOutcome) -> dict[str, Any]:
        body = self._envelope.body(row.body for row in rows)
        failures = limited = 0
        while True:
            self._pacer.wait(len(rows), self._pause)
            self._pause(0.0)  # a stop that came during the wait: nobody would record what this call brings
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
                if failures == ATTEMPTS or (problem.retry_after or 0.0) > LONGEST:
                    raise
                self._pause(pause_before(failures, problem, self._chance()))
            outcome.retries += 1

    def _wait_out(self, limit: RateLimited) -> float:
        """What the server asked for, and up to a tenth more so that not everybody comes back at once."""
        asked = limit.retry_after if limit.retry_after is not None else 60.0
        return max(1.0, asked) * (1 + self._chance() / 10)


def refusals_of(
    rows: Sequence[Any], data: Mapping[str, Any], envelope: Envelope
) -> tuple[dict[int, Refusal], Sequence[ItemError]]:
    """The rows that an answer's item errors name, by place, and the errors that name none of several rows."""
    found = blame(item_errors(data), [normalise(row.identity) for row in rows], str)
    named = dict(found.named)
    if found.unmatched and len(rows) == 1:
        named.setdefault(0, found.unmatched[0])
    sent = envelope.body(row.body for row in rows) if named else b""
    return {
        place: Refusal(rows[place], _harmless(error.code, sent), without_values(error.message, sent), error.final)
        for place, error in named.items()
    }, found.unmatched


def pause_before(attempt: int, problem: DestinationUnavailable, chance: float) -> float:
    """Seconds before the next try: what the server asked for, else up to twice as long each time, by chance."""
    if problem.retry_after is not None:
        return min(LONGEST, problem.retry_after) * (1 + chance / 10)
    ceiling = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**attempt)
    floor = AMBIGUOUS_PAUSE if problem.ambiguous else FIRST_PAUSE / 2
    return max(floor, ceiling * chance)


def halves(rows: Sequence[Any]) -> list[Sequence[Any]]:
    """The two halves of several rows; nothing of a single one."""
    middle = len(rows) // 2
    return [rows[:middle], rows[middle:]] if len(rows) > 1 else []


def _harmless(code: str, sent: bytes) -> str:
    """The name of an error, unless it is a piece of the records that it is about."""
    return code if without_values(code, sent) == code else "ITEM_FAILED"


@dataclass(slots=True)
class Patience:
    """How many refusals in a row a chunk may cost before its map is blamed, as long as nothing was accepted."""

    rows: int
    movable: bool
    """Whether the parts may be sent in another order: not when an identity stands in several rows."""
    rewarded: bool = False
    _refused: int = 0
    _limit: int = field(init=False)
    _looks: int = 0

    def __post_init__(self) -> None:
        self._limit = math.ceil(math.log2(max(2, self.rows))) + 1 + (1 if self.movable else 2 * SPARE)

    def ends(self, refused: Any) -> bool:
        """Count a refusal; True: time to look elsewhere in the chunk. Raises DestinationMisconfigured after LOOKS."""
        self._refused += 1
        if self.rewarded or self._refused <= self._limit:
            return False
        self._looks += 1
        if self._looks < LOOKS and self.movable:
            self._limit = self._refused + math.ceil(math.log2(max(2, self.rows)))
            return True
        raise DestinationMisconfigured(
            f"{refused}: {self._refused} calls in a row were refused, so the map does not fit the destination; "
            "correct it and run again, no row was rejected"
        )
