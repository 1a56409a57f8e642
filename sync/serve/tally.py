"""What was counted since this process began: numbers that only grow, kept while runs are under way too."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sync.summary import Summary

OUTCOMES = ("filtered", "unchanged", "sent", "accepted", "settled", "rejected", "failed", "gone")
"""What becomes of rows, under the names of a run's summary."""
BUCKETS = (1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0)
"""Seconds that runs take, as the bounds of the histogram."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The counters of one stream at one moment."""

    rows: Mapping[str, int]
    runs: Mapping[str, int]
    """Ended runs by status."""
    durations: tuple[int, ...]
    """Runs that took at most as long as each of BUCKETS, and all of them."""
    seconds: float
    calls: int
    limited: int
    """Calls that were answered 429."""
    skipped: int
    """Times on which a run was due while the one before was still under way."""


@dataclass(slots=True)
class _Stream:
    rows: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    durations: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0
    calls: int = 0
    limited: int = 0
    skipped: int = 0
    skipped_before: int = 0
    """How many were when the run under way began."""


class Tally:
    """The counters of all streams; safe to share between threads."""

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}
        self._seen: dict[str, Counter[str]] = {}
        self._lock = threading.Lock()

    def know(self, stream: str) -> None:
        """Show a stream's counters from now on, although nothing was counted yet."""
        with self._lock:
            self._of(stream)

    def begin(self, stream: str) -> None:
        """A run begins: its numbers start from nothing."""
        with self._lock:
            self._seen[stream] = Counter()
            self._of(stream).skipped_before = self._of(stream).skipped

    def see(self, summary: Summary) -> None:
        """Count what is new in the numbers of the run under way; one that went down counts for nothing."""
        with self._lock:
            rows, seen = self._of(summary.stream).rows, self._seen.setdefault(summary.stream, Counter())
            for name in OUTCOMES:
                number = getattr(summary, name)
                rows[name] += max(0, number - seen[name])
                seen[name] = max(number, seen[name])

    def end(self, summary: Summary) -> None:
        """Count a run that ended."""
        self.see(summary)
        with self._lock:
            found = self._of(summary.stream)
            found.runs[summary.status] += 1
            found.seconds += summary.seconds
            for place, bound in enumerate((*BUCKETS, float("inf"))):
                found.durations[place] += summary.seconds <= bound

    def call(self, stream: str, status: int | None) -> None:
        """Count a call and its answer's status; None when there was no answer."""
        with self._lock:
            found = self._of(stream)
            found.calls += 1
            found.limited += status == 429

    def skip(self, stream: str) -> None:
        """Count a time that was left out."""
        with self._lock:
            self._of(stream).skipped += 1

    def skipped_meanwhile(self, stream: str) -> int:
        """How many times were left out since the last run began."""
        with self._lock:
            return self._of(stream).skipped - self._of(stream).skipped_before

    def counts(self) -> dict[str, Counts]:
        """All counters as they are now, by stream."""
        with self._lock:
            return {stream: _frozen(self._streams[stream]) for stream in sorted(self._streams)}

    def _of(self, stream: str) -> _Stream:
        return self._streams.setdefault(stream, _Stream())


def _frozen(found: _Stream) -> Counts:
    rows = {name: found.rows[name] for name in OUTCOMES}
    durations = tuple(found.durations)
    return Counts(rows, dict(found.runs), durations, found.seconds, found.calls, found.limited, found.skipped)
