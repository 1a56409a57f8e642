"""Pages of a query's result: read with care, followed to the end, and counted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from connectors.base import SourceUnreachable

ODD = (ValueError, TypeError, LookupError, AttributeError, RecursionError, ArithmeticError)
"""What the code that reads an answer raises where it has a shape that nobody foresaw."""
EMPTY_IN_A_ROW = 3
_KEPT = 100_000
"""Ids of a result that are kept in full, a few megabytes; of all before, the first and the last of each page."""
_PLACE = re.compile(r"-(\d{1,9})$")
_LATER = "Nothing was lost: run again later"


class ShortResult(SourceUnreachable):
    """A result held fewer records than it announced."""


class Unusable(SourceUnreachable):
    """An answer, or a record in it, that nothing can be made of."""


@dataclass(frozen=True, slots=True)
class Result:
    """One page of a query's result."""

    rows: list[dict[str, Any]]
    total: int | None
    """How many records the whole query found; None where the server does not say."""
    onward: str | None
    """Where the next page is."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of one page, on the way through a result."""

    rows: list[dict[str, Any]]
    sure: bool
    """Whether it is known that no record is missing in it and in the pages before."""


class Seen:
    """The ids of one result, by which a page that comes twice is known; it keeps a part of them, however many."""

    def __init__(self) -> None:
        self._edges, self._marks = set[str](), set[int]()

    def repeats(self, ids: Sequence[str]) -> bool:
        """Whether one of these ids came before; they are the next ones."""
        if not ids:
            return False
        if len(self._marks) > _KEPT:
            self._marks.clear()
        known = not self._edges.isdisjoint(ids)
        before = len(self._marks)
        self._marks.update(map(hash, ids))
        self._edges |= {ids[0], ids[-1]}
        return known or len(self._marks) - before < len(ids)


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Turn what goes wrong while an answer is read into Unusable, which names `what` was asked for."""
    try:
        yield
    except ODD as error:
        raise odd(what, type(error).__name__) from None


def odd(what: str, why: str) -> Unusable:
    """The problem with an answer that nobody can read."""
    return Unusable(f"{what}: the server's answer cannot be understood ({why}). {_LATER}")


def result_of(page: Any, what: str) -> Result:
    """Read one page; raises SourceUnreachable. An address of a next page counts, whatever `done` says."""
    rows = page.get("records") if isinstance(page, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise odd(what, "it holds no records; expected a page of a query's result")
    onward, total = page.get("nextRecordsUrl"), page.get("totalSize")
    if onward is not None and not isinstance(onward, str):
        raise odd(what, "the address of the next page is no text")
    if not onward and not page.get("done", True):
        raise odd(what, "a page says that there are more, and not where")
    if total is not None and type(total) is not int:
        raise odd(what, "totalSize is no number")
    return Result(rows, total if total is not None and total >= 0 else None, onward or None)


def followed(first: Result, more: Callable[[str, str], Result], what: str, most: int | None = None) -> Iterator[Sheet]:
    """Yield every page; `most`: the limit of the statement.

    Raises ShortResult behind the last page when announced records are missing, and before a page with records that
    came already; SourceUnreachable for pages that lead in a circle or nowhere, that hold more records than were
    announced, or of which nobody knows how many records they should hold.
    """
    if first.total is None:
        raise odd(what, "it does not say how many records were found")
    announced = first.total if most is None else min(first.total, most)
    result, found, empty, seen, ids = first, 0, 0, set[str](), Seen()
    while True:
        found += len(result.rows)
        _check(result.rows, ids, found, announced, what)
        yield Sheet(result.rows, sure=_is_sure(found, announced, result.onward))
        if result.onward is None:
            break
        empty = 0 if result.rows else empty + 1
        if result.onward in seen or empty == EMPTY_IN_A_ROW:
            raise SourceUnreachable(f"{what}: the pages of a result lead in a circle. {_LATER}")
        seen.add(result.onward)
        result = more(result.onward, what)
    if found < announced:
        raise ShortResult(
            f"{what}: a result announced {announced:,} records and gave {found:,}. Nothing was lost: the next run "
            "reads them again"
        )


def _check(rows: Sequence[Mapping[str, Any]], ids: Seen, found: int, announced: int, what: str) -> None:
    if ids.repeats([named for row in rows if (named := row.get("Id")).__class__ is str]):
        raise ShortResult(f"{what}: a result gave the same records twice. {_LATER}")
    if found > announced:
        raise odd(what, f"a result announced {announced:,} records and gave {found:,} and more")


def _is_sure(found: int, announced: int, onward: str | None) -> bool:
    """Whether no record is missing so far: the address of a next page ends in the number of records before it."""
    if onward is None:
        return found >= announced
    place = _PLACE.search(onward)
    return place is not None and int(place[1]) == found
