"""Following the events of accepted chunks to their end: accepted is not stored."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from state.values import Failure, Unsettled
from sync.job import Ledger
from sync.memory.errors import ChunkRefused, DestinationUnavailable, RateLimited
from sync.memory.pace import Pacer
from sync.memory.settlement import EventOutcome, blame, outcome_of
from sync.memory.words import without_names
from sync.stop import Stop
from sync.summary import Summary

FIRST, GROWTH, LONGEST = 2.0, 1.5, 60.0
"""Seconds between questions about one event: the first pause, its growth, and its ceiling."""
VANISHED_AFTER = 900.0
"""Seconds for which a server may not know an event that it named itself."""
NEVER_AFTER = 86400.0
"""Seconds after which an event that does not end counts as failed."""


class Follower:
    """Asks for the events of one stream's accepted chunks, oldest due first, and settles those that ended."""

    def __init__(
        self,
        ledger: Ledger,
        ask: Callable[[str], Mapping[str, Any] | None],
        pacer: Pacer,
        stop: Stop,
        clock: Callable[[], float],
        hash_identity: Callable[[str], str],
        summary: Summary,
        progress: Callable[[Summary], None] = lambda _: None,
    ) -> None:
        self._ledger, self._ask, self._pacer, self._stop = ledger, ask, pacer, stop
        self._clock, self._hash, self._summary, self._progress = clock, hash_identity, summary, progress

    def follow(self, wait: float) -> None:
        """Settle what ends within `wait` seconds; what remains is counted as waiting."""
        end = self._clock() + wait
        waiting = [(chunk.next_poll_at, chunk.id, chunk) for chunk in self._ledger.unsettled()]
        heapq.heapify(waiting)
        self._summary.waiting = sum(item[2].rows for item in waiting)
        while waiting:
            due, _, chunk = waiting[0]
            try:
                self._pause_within(end, due - self._clock())
                found = self.question(chunk, lambda seconds: self._pause_within(end, seconds))
            except _NoTime:
                return
            again = self.conclude(chunk, found)
            heapq.heappop(waiting)
            if again is None:
                self._summary.waiting -= chunk.rows
            else:
                asked = replace(chunk, polls=chunk.polls + 1)
                heapq.heappush(waiting, (self._clock() + again, chunk.id, asked))
            self._progress(self._summary)

    def _pause_within(self, end: float, seconds: float) -> None:
        if self._clock() + max(0.0, seconds) > end:
            raise _NoTime
        self._stop.pause(max(0.0, seconds))

    def question(self, chunk: Unsettled, pause: Callable[[float], None]) -> EventOutcome:
        """Ask for one event, on any thread; an answer that cannot be used leaves it waiting as it was."""
        self._pacer.wait(pause=pause)
        try:
            event = self._ask(chunk.event_id)
        except RateLimited as limit:
            self._pacer.slow_down(limit.retry_after or 60.0, limit.limit)
            return EventOutcome("waiting", chunk.status)
        except (DestinationUnavailable, ChunkRefused):  # one odd event must not keep the others waiting
            return EventOutcome("waiting", chunk.status)
        return ended_or_not(event, self._clock() - chunk.accepted_at)

    def conclude(self, chunk: Unsettled, found: EventOutcome) -> float | None:
        """Store an answer; returns the seconds to the next question, or None when the event ended."""
        if found.verdict == "unknown":
            self._summary.note(f"the server names the event status {found.status!r}, which is new: waited for")
        if found.verdict in ("waiting", "unknown"):
            return self._ask_again(chunk, found.status)
        self._settle(chunk, found)
        return None

    def _ask_again(self, chunk: Unsettled, status: str) -> float:
        pause = min(LONGEST, FIRST * GROWTH ** min(chunk.polls, 20))
        self._ledger.poll_again(chunk, status, pause)
        return pause

    def _settle(self, chunk: Unsettled, found: EventOutcome) -> None:
        # Only now: the keys of all rows that wait, of a large table all of its rows, would fill the memory.
        chunk = replace(chunk, entries=self._ledger.entries(chunk))
        failures = failures_of(chunk.entries, found, self._hash)
        self._summary.filed += self._ledger.settle(chunk, failures)
        self._summary.failed += len(failures)
        self._summary.settled += chunk.rows - len(failures)


class _NoTime(Exception):
    """The time for following is up before the next question may be asked."""


def ended_or_not(event: Mapping[str, Any] | None, age: float) -> EventOutcome:
    """What an answer says of an event accepted `age` seconds ago; None: the server does not know it."""
    found = EventOutcome("waiting", "not_found") if event is None else outcome_of(event)
    longest = VANISHED_AFTER if event is None else NEVER_AFTER
    if found.verdict in ("waiting", "unknown") and age > longest:
        return EventOutcome("failed", found.status)
    return found


def failures_of(
    entries: Sequence[tuple[str, str]], found: EventOutcome, hashed: Callable[[str], str]
) -> Sequence[Failure]:
    """The rows that an ended event did not store; all of them when the server does not say which."""
    found = replace(found, errors=tuple(replace(e, message=without_names(e.message)) for e in found.errors))
    refused = set(getattr(entries, "refused", ()))  # these were dealt with when the call was answered
    errors = tuple(e for e in found.errors if not any(hashed(name) in refused for name in e.identities))
    if found.verdict == "partly" and found.errors and not errors:
        return []
    found = replace(found, errors=errors)
    blamed = blame(found.errors, [mark for _, mark in entries], hashed)
    if found.verdict == "stored":
        return []
    if found.verdict == "partly" and blamed.named and not blamed.unmatched:
        return [Failure(entries[place][0], e.code, e.message, e.final) for place, e in blamed.named.items()]
    reason = found.errors[0] if found.errors else None
    code, message = (reason.code, reason.message) if reason else ("EVENT_FAILED", f"the event ended as {found.status}")
    named = {place: (e.code, e.message, e.final) for place, e in blamed.named.items()}
    return [Failure(key, *named.get(place, (code, message, False))) for place, (key, _) in enumerate(entries)]
