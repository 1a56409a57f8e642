"""Which conditions a stream is in, and which changes of them are worth a message: pure decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from state.overview import ORDINARY, SUCCEEDED
from state.values import StoredRun
from sync import exits
from sync.guards import BUDGET
from sync.spans import count
from sync.summary import Summary

FAILED, REJECTS, LATE, UNUSUAL, RECOVERED = "failed", "rejects", "late", "unusual", "recovered"
HISTORY, ENOUGH = 10, 5
"""Runs whose rows make the usual number, and how many there must be."""
FEW_ROWS, FACTOR = 100, 10
"""A usual number below so many rows varies by nature; so many times more or less is far from it."""
_SAYS_NOTHING = {exits.HELD, exits.INTERRUPTED, exits.TERMINATED}


def after_run(before: Iterable[str], summary: Summary, rejects: int, threshold: int, unusual: str | None) -> set[str]:
    """The conditions of a stream after a run, from those that were told before."""
    words = set(before)
    _set(words, REJECTS, holds=rejects > threshold)
    if summary.exit in _SAYS_NOTHING or summary.status == BUDGET:  # the next run goes on by itself
        return words
    well = summary.exit in (exits.OK, exits.REJECTS)
    _set(words, FAILED, holds=not well)
    if well:
        words.discard(LATE)
        _set(words, UNUSUAL, holds=unusual is not None)
    return words


def _set(words: set[str], word: str, *, holds: bool) -> None:
    if holds:
        words.add(word)
    else:
        words.discard(word)


def changes(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """What is to be told: each condition that is new, and a recovery."""
    old, new = set(before), set(after)
    told = [word for word in (FAILED, LATE, REJECTS, UNUSUAL) if word in new - old]
    was_bad, is_bad = old & {FAILED, LATE}, new & {FAILED, LATE}
    return [*([RECOVERED] if was_bad and not is_bad else []), *told]


def unusual(runs: Sequence[StoredRun]) -> str | None:
    """Why the newest of a stream's runs read an unusual number of rows; None when it did not, or nobody can tell."""
    well = [run for run in runs if run.command == ORDINARY and run.status in SUCCEEDED]
    if not well or well[0] is not runs[0]:
        return None
    now, *earlier = [_rows(run.summary) for run in well[: HISTORY + 1]]
    if len(earlier) < ENOUGH:
        return None
    usual = median(earlier)
    much = now >= FACTOR * max(usual, FEW_ROWS)
    little = usual >= FEW_ROWS and now * FACTOR <= usual
    if not (much or little):
        return None
    return f"{count(now, 'row')} read; {usual:,.0f} is the median of the {len(earlier)} runs before"


def _rows(summary: Mapping[str, object]) -> int:
    found = summary.get("read")
    return found if isinstance(found, int) else 0
