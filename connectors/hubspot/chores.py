"""When the things beside ordinary reading are due: pure decisions over what was last done."""

from __future__ import annotations

from datetime import timedelta

from connectors.hubspot.cursor import Chore

CHEAP = 5
"""Calls: what takes so few is done in every run, unless the map says when."""
DEEP = timedelta(days=1)
"""How often, and how far, to look back further than `lookback`: an index may lag by more than it should."""
ARCHIVED = timedelta(days=1)
SWEEP = timedelta(days=7)
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
