"""Delivering one chunk: calling until there is an answer, and splitting a refused chunk until the bad row is alone.

A call that was accepted (it has an event) with an error that names none of its rows is another matter: sending its rows
again stores them twice. Three promises meet there: nothing is sent twice without need, the event has the last word, and
one bad row costs one row. So:

- Where the answer counts the failed rows, and so many are named, the other words are remarks: the call is accepted.
- Otherwise the bad rows are searched for (`narrowing`), every row sent again counted in `duplicates_possible`. What a
  search clears is accepted with the later call, what it finds is refused, and what it leaves out stays with the event
  of the first call, which says what became of it.
- Searches that find nobody twice in a row mean words that the server says every time. From then on such calls are
  accepted as they are; if their events speak of failed rows without a name as well, these rows are due again.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sync.memory.client import MemoryClient
from sync.memory.envelope import Envelope
from sync.memory.errors import (
    ChunkRefused,
    DestinationUnavailable,
    QuotaExhausted,
    RateLimited,
)
from sync.memory.narrowing import Doubts, Heard, Search, narrow
from sync.memory.outcome import ChunkOutcome, Receipt, Refusal, Sendable
from sync.memory.pace import Pacer
from sync.memory.patience import Patience
from sync.memory.retry_after import LONGEST
from sync.memory.settlement import ItemError, blame, item_errors, normalise, settles_by_count
from sync.memory.words import without_values

__all__ = ["BatchWriter", "ChunkOutcome", "Receipt", "Refusal", "Sendable", "pause_before", "refusals_of"]

ATTEMPTS = 5
"""Calls for the same rows before the destination counts as unreachable."""
LIMITED = 10
"""429 answers in a row for the same rows before the run stops."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
AMBIGUOUS_PAUSE = 5.0
"""Seconds before rows are sent again that the server may already have: it may still be at work on them."""


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
        self._doubts = Doubts()
        self.remarks: Sequence[str] = ()
        """Nothing: what there is to say of sending is in the outcomes."""

    def send(self, rows: Sequence[Any], outcome: ChunkOutcome | None = None) -> ChunkOutcome:
        """Deliver rows, whole or split. Never raises: what stopped it is the outcome's `problem`.

        An outcome that is handed in fills as calls are answered, so that another thread may `take` what is there.
        """
        outcome = ChunkOutcome() if outcome is None else outcome
        try:
            self._send(rows, outcome)
        except Exception as problem:  # it travels to the thread that records what was accepted before it
            outcome.problem = problem
        return outcome

    def _send(self, rows: Sequence[Any], outcome: ChunkOutcome) -> None:
        """Send the parts that are left, the first one first; a part that is refused leaves its halves."""
        left: deque[Sequence[Any]] = deque([rows])
        patience = Patience(rows)
        while left:
            part = left.popleft()
            try:
                data = self._call(part, outcome)
            except ChunkRefused as refused:
                if len(part) == 1:
                    outcome.refusals.append(self._turned_down(part[0], refused))
                left.extendleft(reversed(halves(part)))
                tired = patience.ends(refused)
            else:
                patience.rewarded = self._sort_out(part, data, outcome) or patience.rewarded
                tired = patience.ends("item errors, and no row of the call that is certain to be taken")
            if tired:
                left = deque(sorted(left, key=len, reverse=True))

    def _sort_out(self, rows: Sequence[Any], data: dict[str, Any], outcome: ChunkOutcome) -> bool:
        """Divide the rows of an accepted call into those taken and those refused; returns whether any was taken."""
        refused, unnamed = refusals_of(rows, data, self._envelope, alone=self._doubts.pay)
        self._doubts.answered(len(rows), unclear=bool(unnamed))
        outcome.refusals += refused.values()
        others = [row for place, row in enumerate(rows) if place not in refused] if refused else rows
        if not others:
            return False
        if unnamed and self._doubts.pay and len(rows) > 1:
            return self._search(Receipt(data["eventId"], others), unnamed, outcome)
        outcome.receipts.append(Receipt(data["eventId"], others))
        return True

    def _search(self, receipt: Receipt, unnamed: Sequence[ItemError], outcome: ChunkOutcome) -> bool:
        """Send rows of an accepted call again until the bad ones are found; what is not cleared stays with the call.

        Rows that share an identity are left out: an older one sent again would overwrite a newer one.
        """
        once = Counter(normalise(row.identity) for row in receipt.rows)
        suspects = [row for row in receipt.rows if once[normalise(row.identity)] == 1]
        outcome.open = receipt
        try:
            found = self._ask_again(narrow(suspects, counted(unnamed)), outcome) if suspects else []
            outcome.settle([refusal.row for refusal in found], found)
            self._doubts.searched(found)
        finally:
            left, outcome.open = outcome.open, None
            if left.rows:
                outcome.receipts.append(left)
        return True

    def _ask_again(self, search: Search, outcome: ChunkOutcome) -> Sequence[Refusal]:
        """Send what a search asks for; returns the refusals of the rows that it ends with."""
        told: dict[int, Refusal] = {}
        part = next(search, ())
        try:
            while part:
                part = search.send(self._hear(part, outcome, told))
        except StopIteration as end:
            return [told[id(row)] for row in end.value if id(row) in told]
        return []

    def _hear(self, part: Sequence[Any], outcome: ChunkOutcome, told: dict[int, Refusal]) -> Heard:
        """Send rows of an open receipt again: settle what the answer decides, note what it says of a single row."""
        try:
            data = self._call(part, outcome)
        except ChunkRefused as refused:
            if len(part) == 1:
                told[id(part[0])] = self._turned_down(part[0], refused)
            return Heard(unclear=True)
        outcome.duplicates_possible += len(part)
        named, unnamed = refusals_of(part, data, self._envelope)
        if unnamed and len(part) == 1:
            told[id(part[0])] = named[0]
            return Heard(unclear=True, rows=counted(unnamed))
        taken = [] if unnamed else [row for place, row in enumerate(part) if place not in named]
        receipt = Receipt(data["eventId"], taken) if taken else None
        outcome.settle([*taken, *(refusal.row for refusal in named.values())], [*named.values()], receipt)
        return Heard(unclear=bool(unnamed) or len(part) == len(named) == 1, rows=counted(unnamed))

    def _turned_down(self, row: Any, refused: ChunkRefused) -> Refusal:
        return Refusal(row, _harmless(refused.code, row.body), str(refused), final=True)

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
    rows: Sequence[Any], data: Mapping[str, Any], envelope: Envelope, *, alone: bool = True
) -> tuple[dict[int, Refusal], Sequence[ItemError]]:
    """The rows that an answer's item errors name, by place, and the errors that name none of the rows.

    `alone`: an error that names nobody is about the row that was sent alone. What stands beside as many named rows as
    the answer counts is no error.
    """
    errors = item_errors(data)
    if not errors:
        return {}, ()
    found = blame(errors, [normalise(row.identity) for row in rows], str)
    named = dict(found.named)
    unmatched = () if settles_by_count(data, len(named)) else found.unmatched
    if unmatched and alone and len(rows) == 1:
        named.setdefault(0, unmatched[0])
    sent = envelope.body(row.body for row in rows) if named else b""
    return {
        place: Refusal(rows[place], _harmless(error.code, sent), without_values(error.message, sent), error.final)
        for place, error in named.items()
    }, unmatched


def counted(unnamed: Sequence[ItemError]) -> int:
    """How many rows errors without a name mean; 0 where one of them does not say it."""
    return sum(error.rows for error in unnamed) if all(error.rows for error in unnamed) else 0


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
