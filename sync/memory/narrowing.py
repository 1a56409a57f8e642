"""Finding the rows that errors without a name mean, by sending as few rows again as possible: decisions, no calls."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

IN_VAIN = 2
"""Searches in a row that found nobody, after which such errors are left to the events."""
ALONE = 10
"""Calls of one row in a row with such an error, after which it is taken for a remark."""
SHARE = 4
"""A search ends when more than one row in so many is bad: it would cost more than it finds."""


class Heard(NamedTuple):
    """What an answer said without a name: whether anything, and of how many rows (0: unsaid)."""

    unclear: bool
    rows: int = 0


Search = Generator[Sequence[Any], Heard, Sequence[Any]]
"""Yields rows to send again, takes what was heard of them, and returns the bad ones."""


def narrow(rows: Sequence[Any], count: int) -> Search:
    """Find the bad ones of rows that were accepted with errors which name nobody; `count` of them, 0 where unsaid.

    The first and the last row go alone, for two rows. If both bring the same words about no more rows than there
    can be, the words are a remark about every call, and nobody is to blame. Otherwise halves are sent; a half is left
    out when the count is used up or the other half shows that it holds the rest. No row goes more than
    log2 of the rows, rounded up, and one time.
    """
    if count > max(2, len(rows) // SHARE):
        return ()
    bad: list[Any] = []
    ends = rows[:1] if len(rows) == 1 else (rows[0], rows[-1])
    heard = []
    for row in ends:
        heard.append((yield [row]))
        bad += [row] if heard[-1].unclear else []
    if len(bad) == 2 and (count < 2 or all(one.rows == count for one in heard)):
        return ()
    rest = rows[1:-1]
    if rest and not (count and len(bad) >= count):
        known = not bad or count > 0
        yield from _hunt([rest], count - len(bad) if count else 0, bad, len(rows), sure=known)
    return bad


def _hunt(parts: Sequence[Sequence[Any]], left: int, bad: list[Any], rows: int, *, sure: bool) -> Search:
    """Look through parts of which `left` rows are bad (0: unsaid); `sure`: at least one of them is.

    The last part is not sent when it must hold a bad row: its halves are.
    """
    counted, found = left > 0, len(bad)
    for place, part in enumerate(parts):
        if (counted and left <= 0) or len(bad) > max(2, rows // SHARE):
            break
        inferred = sure and place == len(parts) - 1 and len(part) > 1 and (counted or len(bad) == found)
        heard = Heard(unclear=True, rows=max(left, 0)) if inferred else (yield part)
        if not heard.unclear:
            continue
        before = len(bad)
        if len(part) == 1:
            bad.append(part[0])
        else:
            middle = len(part) // 2
            yield from _hunt([part[:middle], part[middle:]], heard.rows, bad, rows, sure=True)
        left -= max(len(bad) - before, heard.rows if counted else 0)
    return bad


@dataclass(slots=True)
class Doubts:
    """Whether errors that name nobody are worth a search, from what earlier searches brought."""

    _in_vain: int = field(default=0)
    _alone: int = field(default=0)

    @property
    def pay(self) -> bool:
        """Whether to look for the rows that they mean."""
        return self._in_vain < IN_VAIN and self._alone < ALONE

    def searched(self, found: Sequence[Any]) -> None:
        """A search ended with these rows."""
        self._in_vain = 0 if found else self._in_vain + 1

    def answered(self, rows: int, *, unclear: bool) -> None:
        """A call of so many rows was answered, with or without an error that names nobody."""
        if not unclear:
            self._alone = 0
        elif rows == 1:
            self._alone += 1
