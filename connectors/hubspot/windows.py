"""Reading all that matches a span of time although a search gives 10,000 results at most, in any order.

A span is halved until each part is small; a single millisecond is parted by ids. Each part is read whole before
the next: only its end is a position, never the stamp of a record.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from connectors.base import SourceUnreachable

MOST = 10_000
"""Results that one search gives, its pages together."""
LEAF = 4_000
"""Results that are read from one part: small, so that what changes while it is paged costs little."""
PASSES = 3
"""Readings of a part whose results moved while it was paged."""
HIGHEST = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Window:
    """What a search asks for: stamps and, within one millisecond, ids; all ends included."""

    low: int
    high: int
    ids: tuple[int, int] | None = None


class Found(NamedTuple):
    """One page of a search: how many match in all, the ids of this page, and where the next one begins."""

    total: int
    ids: list[str]
    after: str | None


class Part(NamedTuple):
    """A part that was read whole."""

    ids: list[str]
    end: int
    """Everything up to here has been read, this part included."""
    short: int = 0
    """How many fewer records came than were announced."""


Search = Callable[[Window, str | None], Found]
Extreme = Callable[[Window, bool], int | None]
"""The lowest id, or the highest (True), in a window, as far as the server sorts: a hint, no more."""


def parts(search: Search, extreme: Extreme, window: Window, expected: int | None = None) -> Generator[Part, None, int]:
    """Yield all ids in a window, part by part, in the order of time; returns how many there are.

    What is `expected` to be far too large, because the half before it was not, is halved without asking first.
    """
    if window.low > window.high:
        return 0
    total = expected or 0
    if total <= 2 * LEAF or window.low == window.high:
        first = search(window, None)
        total = first.total
        read = drained(search, window, first) if total <= LEAF else None
        if read is not None:
            yield Part(read[0], window.high, read[1])
            return len(read[0]) + read[1]
    if window.low == window.high:
        return (yield from _one_millisecond(search, extreme, window, total))
    middle = (window.low + window.high) // 2
    before = yield from parts(search, extreme, replace(window, high=middle))
    behind = yield from parts(search, extreme, replace(window, low=middle + 1), total - before)
    return before + behind


def _one_millisecond(search: Search, extreme: Extreme, window: Window, total: int) -> Generator[Part, None, int]:
    """Part a millisecond by ids. All are counted in the end: so nothing depends on how ids compare."""
    lowest, highest = extreme(window, False), extreme(window, True)  # noqa: FBT003
    ranges = [(0, HIGHEST)]
    if lowest is not None and highest is not None and 0 < lowest <= highest < HIGHEST:
        ranges = [(0, lowest - 1), (lowest, highest), (highest + 1, HIGHEST)]
    seen: set[str] = set()
    for range_ in ranges:
        for part in _by_ids(search, replace(window, ids=range_)):
            seen.update(part.ids)
            yield part
    if len(seen) < total and len(seen) < (total := search(window, None).total):  # some may have changed meanwhile
        raise SourceUnreachable(
            f"the search announces {total:,} records of one millisecond and gives {len(seen):,} when asked by ids: "
            "`memsync run STREAM --full` reads all of them through the list"
        )
    yield Part([], window.high)
    return len(seen)


def _by_ids(search: Search, window: Window) -> Iterator[Part]:
    low, high = window.ids or (0, HIGHEST)
    first = search(window, None)
    read = drained(search, window, first) if first.total <= LEAF or low == high else None
    if read is not None:
        yield Part(read[0], window.low - 1, read[1])
        return
    middle = (low + high) // 2
    yield from _by_ids(search, replace(window, ids=(low, middle)))
    yield from _by_ids(search, replace(window, ids=(middle + 1, high)))


def drained(search: Search, window: Window, first: Found) -> tuple[list[str], int] | None:
    """All ids of a window and how many are short; None when it has grown too large to be read whole.

    A record that leaves the window while it is paged moves others over the border of a page: then all is read again.
    """
    found: dict[str, None] = {}
    page: Found | None = first
    last = 0
    for _ in range(PASSES):
        page = page or search(window, None)
        total, seen, steady = page.total, set[str](), True
        while True:
            found.update(dict.fromkeys(page.ids))
            seen.update(page.ids)
            if page.total > MOST - 200:
                return None
            if page.after is None:
                break
            page = _next(search, window, page.after)
            steady = steady and page.total == total
        last, page = page.total, None
        if steady and len(seen) >= total:
            return list(found), 0
    return list(found), max(0, last - len(found))


def _next(search: Search, window: Window, after: str) -> Found:
    page = search(window, after)
    onward = page.after
    numbers = onward is not None and onward.isdecimal() and after.isdecimal()
    if onward == after or (numbers and int(onward or 0) < int(after)):
        raise SourceUnreachable("the search gives the same place again and again")
    return page
