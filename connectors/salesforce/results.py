"""Pages of a query's result: read with care, followed to the end, and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from connectors.base import SourceUnreachable

ODD = (ValueError, TypeError, LookupError, AttributeError, RecursionError, ArithmeticError)
"""What the code that reads an answer raises where it has a shape that nobody foresaw."""
EMPTY_IN_A_ROW = 3
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


def followed(
    first: Result, more: Callable[[str, str], Result], what: str, most: int | None = None
) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of every page; `most`: the limit of the statement.

    Raises ShortResult behind the last page when announced records are missing, SourceUnreachable for pages that lead
    in a circle or nowhere.
    """
    result, found, empty, seen = first, 0, 0, set[str]()
    while True:
        found += len(result.rows)
        yield result.rows
        if result.onward is None:
            break
        empty = 0 if result.rows else empty + 1
        if result.onward in seen or empty == EMPTY_IN_A_ROW:
            raise SourceUnreachable(f"{what}: the pages of a result lead in a circle. {_LATER}")
        seen.add(result.onward)
        result = more(result.onward, what)
    announced = first.total or 0
    if found < (announced if most is None else min(announced, most)):
        raise ShortResult(
            f"{what}: a result announced {announced:,} records and gave {found:,}. Nothing was lost: the next run "
            "reads them again"
        )
