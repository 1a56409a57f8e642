"""Reading all that matches a span of time although a search gives 10,000 results at most, in any order.

A span is halved until each part is small; a single millisecond is parted by ids. The numbers of both halves must make
up that of the whole before either is read. Each part is read whole before the next: only its end is a position, never
the stamp of a record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from connectors.base import SourceUnreachable
from connectors.hubspot.circles import Circle
from connectors.hubspot.values import iso

MOST = 10_000
"""Results that one search gives, its pages together."""
LEAF = 7_500
"""Results that are read from one part: room for what comes while it is paged is left, and splitting costs calls."""
PAUSES = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each reading of a part whose results moved while it was paged, or did not all come."""
SLACK = 10
"""Records that may come or go while numbers are compared; of many, one in a hundred."""
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
    """A part that was read; the reading ends with an error behind one that is not whole."""

    ids: list[str]
    end: int
    """Everything up to here has been read, this part included."""


Search = Callable[[Window, str | None], Found]
Extreme = Callable[[Window, bool], int | None]
"""The lowest id, or the highest (True), in a window, as far as the server sorts: a hint, no more."""
Pause = Callable[[float], None]
Range = tuple[int, int]
Below = Callable[[Range], Sequence[Range]]


@dataclass(frozen=True, slots=True)
class Windows:
    """What reads them: the search, and how to wait before asking again."""

    search: Search
    extreme: Extreme
    pause: Pause = lambda _: None

    def parts(self, window: Window) -> Iterator[Part]:
        """Yield all ids in a window, part by part, in the order of time; raises SourceUnreachable."""
        if window.low <= window.high:
            yield from self._inside(window, self.search(window, None))

    def _inside(self, window: Window, first: Found) -> Iterator[Part]:
        read = self._drained(window, first) if first.total <= LEAF else None
        if read is not None:
            yield Part(read.ids, window.low - 1 if read.short else window.high)
            _refuse_short(read, window)
        elif window.low == window.high:
            yield from self._one_millisecond(window, first.total)
        else:
            yield from self._halves(window, first.total)

    def _halves(self, window: Window, total: int) -> Iterator[Part]:
        middle = (window.low + window.high) // 2
        before, behind = replace(window, high=middle), replace(window, low=middle + 1)
        first, second = self.search(before, None), self.search(behind, None)
        if not _fits(first.total + second.total, total) and not _fits(
            first.total + second.total, self.search(window, None).total
        ):
            raise SourceUnreachable(
                f"the search announces {total:,} records, and {first.total:,} and {second.total:,} of the halves of "
                "the same time. Nothing was lost: run again later"
            )
        yield from self._inside(before, first)
        # Its first page may be old by now; where it is parted further only its number counts.
        yield from self._inside(behind, second if second.total > LEAF else self.search(behind, None))

    def _one_millisecond(self, window: Window, total: int) -> Iterator[Part]:
        """Part a millisecond by ids, as numbers or as text: in the end all are counted, however a server compares."""
        seen: set[str] = set()
        for ranges, below in ((self._ranges(window), _halved), (DIGITS, _continued)):
            for ids in self._by_ids(window, total, ranges, below):
                seen.update(ids)
                yield Part(ids, window.low - 1)
            total = self.search(window, None).total  # some may have changed meanwhile
            if len(seen) >= total:
                yield Part([], window.high)
                return
        raise SourceUnreachable(
            f"the search announces {total:,} records of one millisecond and gives {len(seen):,} when asked by ids: "
            "without `where` and `start`, `memsync run STREAM --full` reads all of them through the list"
        )

    def _ranges(self, window: Window) -> Sequence[Range]:
        """The ids that there are, and all below and above them."""
        lowest, highest = self.extreme(window, False), self.extreme(window, True)  # noqa: FBT003
        if lowest is None or highest is None or not 0 < lowest <= highest < HIGHEST:
            return [(0, HIGHEST)]
        return [(0, lowest - 1), (lowest, highest), (highest + 1, HIGHEST)]

    def _by_ids(self, window: Window, total: int, ranges: Sequence[Range], below: Below) -> Iterator[list[str]]:
        """The ids in some ranges; none where their numbers make up no whole: this server compares otherwise."""
        parts = [replace(window, ids=one) for one in ranges]
        firsts = [self.search(part, None) for part in parts]
        if not _fits(sum(first.total for first in firsts), total):
            return
        for part, first in zip(parts, firsts, strict=True):
            read = self._drained(part, first, patient=False) if 0 < first.total <= LEAF else None
            if read is not None:
                yield read.ids
            elif first.total and part.ids and part.ids[0] < part.ids[1]:
                yield from self._by_ids(part, first.total, below(part.ids), below)

    def _drained(self, window: Window, first: Found, *, patient: bool = True) -> Drained | None:
        """All ids of a window and how many are short; None when it has grown too large to be read whole.

        A record that leaves the window while it is paged moves others over the border of a page: then all is read
        again, and so is what stays short of the number that was announced.
        """
        found: dict[str, None] = {}
        page: Found | None = first
        short = 0
        for pause in PAUSES if patient else PAUSES[:1]:
            if page is None:
                self.pause(pause)
                page = self.search(window, None)
            one = self._pass(window, page)
            if one is None:
                return None
            found.update(dict.fromkeys(one.ids))
            short, page = one.short, None
            if not one.short and one.steady:
                break
        return Drained(list(found), short)

    def _pass(self, window: Window, page: Found) -> Drained | None:
        """One reading of all pages."""
        total, steady, seen = page.total, True, dict.fromkeys(page.ids)
        circle = Circle("searching")
        while page.total <= MOST - 200:
            if page.after is None:
                return Drained(list(seen), max(0, page.total - len(seen)), steady)
            known = len(seen)
            page = self.search(window, page.after)
            seen.update(dict.fromkeys(page.ids))
            steady = steady and page.total == total
            circle.step(page.after, fruitful=len(seen) > known)
        return None


class Drained(NamedTuple):
    """What reading a window brought."""

    ids: list[str]
    short: int
    """How many fewer came than were announced."""
    steady: bool = True
    """Whether the number stayed the same from page to page."""


def _halved(ids: Range) -> Sequence[Range]:
    """Both halves of a range of numbers."""
    middle = (ids[0] + ids[1]) // 2
    return [(ids[0], middle), (middle + 1, ids[1])]


def _continued(ids: Range) -> Sequence[Range]:
    """The ids that begin with the same digits, by the next one: ranges for whom compares text."""
    return [(ids[0], ids[0]), *(_beginning(ids[0] * 10 + digit) for digit in range(10))]


def _beginning(digits: int) -> Range:
    return digits, int(str(digits).ljust(20, "9"))


DIGITS = [_beginning(digit) for digit in range(1, 10)]


def _fits(parts: int, whole: int) -> bool:
    """Whether the numbers of two halves make up that of the whole, but for what changes in between."""
    return abs(parts - whole) <= max(SLACK, whole // 100)


def _refuse_short(read: Drained, window: Window) -> None:
    if read.short:
        raise SourceUnreachable(
            f"the search announces {read.short:,} records more than it gives, from {iso(window.low)} up to "
            f"{iso(window.high)}: it is being changed or re-indexed. Nothing was lost: run again later; where it stays "
            "so, and the map has neither `where` nor `start`, `memsync run STREAM --full` reads all through the list"
        )
