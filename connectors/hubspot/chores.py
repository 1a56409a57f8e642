"""When the things beside ordinary reading are due: pure decisions over what was last done."""

from __future__ import annotations

from datetime import timedelta

from connectors.base import ConnectorError
from connectors.hubspot.cursor import Chore, Progress

CHEAP = 5
"""Calls: what takes so few is done in every run, unless the map says when."""
DEEP = timedelta(days=1)
"""How often, and how far, to look back further than `lookback`: an index may lag by more than it should."""
ARCHIVED = timedelta(days=1)
SWEEP = timedelta(days=7)
FEW = 10_000
"""Records whose ids are listed again in every run, where a list was too short."""
LINKED_CHEAP = 20
LINKED_PER_CALL = 50
"""Activities to a call, about: they are searched, read, and so are their associations and people."""
LINKED = timedelta(hours=6)


def is_due(last: Chore | None, now: int, wanted: timedelta | str | None, usual: timedelta, cheap: int = CHEAP) -> bool:
    """Whether it is time; `wanted` is what the map says, `usual` what holds without.

    Before the first time nobody knows what it takes: it is found out at once.
    """
    if wanted == "never":
        return False
    if last is None or last.at > now:  # a clock was ahead
        return True
    if isinstance(wanted, timedelta):
        return now - last.at >= wanted // timedelta(milliseconds=1)
    few = last.calls is not None and last.calls <= cheap
    return few or now - last.at >= usual // timedelta(milliseconds=1)


def back(progress: Progress, lookback: int, *, deep: bool) -> int:
    """Where to begin: a look back before the last end, or a day before the long look back that was the last."""
    usual = progress.end - lookback
    if not deep:
        return usual
    last = progress.end if progress.deep is None else min(progress.end, progress.deep.at)
    return min(usual, last - DEEP // timedelta(milliseconds=1))


def put_off(last: Chore | None, now: int, wanted: timedelta | str | None, listed: int) -> Chore | None:
    """When a sweep is taken to have been done that found the list too short: it is due again by the next run.

    A long one only after a day, so that it does not eat up an account's calls.
    """
    every = wanted if isinstance(wanted, timedelta) else SWEEP
    if listed <= FEW or every <= DEEP:
        return last
    return Chore(now - (every - DEEP) // timedelta(milliseconds=1))


def without_archived(error: ConnectorError) -> ConnectorError:
    """The refusal to list archived records, with the way around it."""
    return type(error)(f"{error}. All else was read; `archived: never` under `source` does without this list")
