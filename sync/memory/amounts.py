"""How many rows an answer speaks of: names and numbers as servers spell them, read as counts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_ROWS = frozenset("row rows record records item items".split())
_COUNT = frozenset("count counts number num of".split())
FAILED = frozenset("failed failure failures fail errored error errors unsuccessful invalid exceptions problems".split())
TURNED_DOWN = frozenset("rejected rejects rejections dropped discarded refused".split())
"""Failures that a server may count beside the others."""
_REASONS = frozenset(
    f"{word} {kind}" for word in ("error", "failure") for kind in ("message", "reason", "code", "text")
)
_GOOD = frozenset(
    "success successes succeeded successful stored saved memorized imported ingested written ok completed done".split()
)
_GOOD_TOO = frozenset("unchanged duplicate duplicates deduplicated".split())
_HANDLED = "processed"
_TOTAL = frozenset("total submitted received expected attempted requested".split())
_FRAMES = frozenset(
    """
    result results detail details summary stats statistics counts counters totals progress data event batch output
    outcome report response job import ingestion processing metrics status row rows record records item items
    """.split()
)
_DEEPEST = 4
MOST = 10**9
_NUMBER = r"(\d{1,3}(?:,\d{3})+|\d+)"
_OF_ROWS = re.compile(
    rf"\b{_NUMBER}\s*(?:(?:of|out of|/)\s*[\d,]+\s*)?(?:rows?|records?|items?|fail\w*|errors?|reject\w*|invalid)\b|"
    rf"\b(?:fail\w*|errors?|reject\w*)\W{{1,3}}{_NUMBER}\b",
    re.IGNORECASE,
)
_ALONE = re.compile(rf"{_NUMBER}(?:\s*(?:of|out of|/)\s*[\d,]+)?")
_NOBODY = re.compile(
    r"|false|none|null|nil|no|n/a|-|no (?:errors?|failures?|rows?|rows failed)|\[\]|\{\}", re.IGNORECASE
)


class Amount(NamedTuple):
    """A number of rows. Not `exact`: at least so many, for the server gives no number."""

    rows: int
    exact: bool


NONE = Amount(0, exact=False)


def meaning(name: str) -> str:
    """What a member is about, whatever its spelling: `failedRows`, `failed_count`, `totalFailed` are all `failed`."""
    words = [word.lower() for word in _TOKEN.findall(name)]
    bare = [word for word in words if word not in _ROWS and word not in _COUNT]
    if len(bare) > 1 and bare[0] == "total":
        bare = bare[1:]
    if not bare and _ROWS.intersection(words):
        return "total"
    return " ".join(bare)


def fails(name: str) -> bool:
    """Whether a member tells of rows that failed."""
    about = meaning(name)
    return about in FAILED or about in TURNED_DOWN or about in _REASONS


def is_tally(name: str) -> bool:
    """Whether a member of something about failures is their number: `count`, `total`, `rows`."""
    words = [word.lower() for word in _TOKEN.findall(name)]
    return bool(words) and _COUNT.union(_ROWS, ("total",)).issuperset(words)


def frames(data: Mapping[str, Any], depth: int = _DEEPEST) -> Iterator[Mapping[str, Any]]:
    """The answer and the objects in it that speak of the whole call: `result`, `summary`, `stats` and the like."""
    yield data
    if depth:
        for name, value in data.items():
            if isinstance(value, dict) and name.lower() in _FRAMES:
                yield from frames(value, depth - 1)


def is_empty(value: Any, depth: int = _DEEPEST) -> bool:
    """Whether a value says nothing at all; zero and false are nothing too."""
    if isinstance(value, dict | list | tuple) and depth:
        return all(is_empty(one, depth - 1) for one in (value.values() if isinstance(value, dict) else value))
    return not value or (isinstance(value, str) and not value.strip())


def amount(value: Any) -> Amount:
    """The rows that a plain value under a failing name speaks of; what is no number and not nothing is at least one."""
    if value is None or isinstance(value, bool):
        return Amount(int(bool(value)), exact=False)
    if isinstance(value, int | float):
        return Amount(math.ceil(min(value, MOST)), exact=True) if value >= 0 else Amount(1, exact=False)
    if isinstance(value, str):
        return _told(value.strip())
    return Amount(int(not is_empty(value)), exact=False)


def _told(text: str) -> Amount:
    alone = _ALONE.fullmatch(text)
    told = [alone[1]] if alone else [one or other for one, other in _OF_ROWS.findall(text)]
    if told:
        return Amount(max(_whole(number) for number in told), exact=True)
    return Amount(int(not _NOBODY.fullmatch(text)), exact=False)


def _whole(digits: str) -> int:
    digits = digits.replace(",", "").lstrip("0")
    return min(MOST, int(digits or "0")) if len(digits) < 11 else MOST


def largest(found: Iterable[Amount]) -> Amount:
    """The amount that leaves no room for doubt: the greatest, exact where one of that size is."""
    return max(found, default=NONE)


def failed(data: Mapping[str, Any]) -> Amount:
    """How many rows failed, as the answer counts them, wherever it does."""
    return largest(_failed_in(frame) for frame in frames(data))


def _failed_in(frame: Mapping[str, Any]) -> Amount:
    plain = [(meaning(name), amount(value)) for name, value in frame.items() if not isinstance(value, dict | list)]
    plain += [("failed", _tally(value)) for name, value in frame.items() if fails(name) and isinstance(value, dict)]
    failed = largest(found for about, found in plain if about in FAILED or about in _REASONS)
    turned_down = largest(found for about, found in plain if about in TURNED_DOWN)
    both = Amount(failed.rows + turned_down.rows, failed.exact or turned_down.exact)
    denied = any(value is False and meaning(name) in _GOOD for name, value in frame.items())
    return largest([both, Amount(int(denied), exact=False)])


def _tally(container: Mapping[str, Any]) -> Amount:
    """What `{count, items}` counts."""
    counts = (_count(value) for name, value in container.items() if is_tally(name) and not isinstance(value, list))
    return largest(amount(count) for count in counts if count is not None)


def not_stored(data: Mapping[str, Any]) -> Amount:
    """How many rows of the total are not among those that an ended event counts as stored.

    Exact where total and stored rows are both counted.
    """
    found = [_books(frame) for frame in frames(data)]
    most = max(total for total, _ in found)
    missing = [(total or most) - stored for total, stored in found if stored is not None and most]
    return Amount(max(0, *missing), exact=True) if missing else NONE


def _books(frame: Mapping[str, Any]) -> tuple[int, int | None]:
    """The total of a frame, and the rows that it counts as stored."""
    counts = [(meaning(name), number) for name, value in frame.items() if (number := _count(value)) is not None]
    lists = [meaning(name) for name, value in frame.items() if isinstance(value, list)]
    total = max((number for about, number in counts if about in _TOTAL and about not in lists), default=0)
    good = max((number for about, number in counts if about in _GOOD), default=None)
    too = sum(number for about, number in counts if about in _GOOD_TOO)
    handled = max((number for about, number in counts if about == _HANDLED), default=None)
    stored = [number for number in (None if good is None else good + too, handled) if number is not None]
    return total, min(stored, default=None)


def _count(value: Any) -> int | None:
    """A number that is written as one, or the length of a list."""
    if isinstance(value, list):
        return len(value)
    if isinstance(value, str):
        return _whole(value.strip()) if value.strip().isascii() and value.strip().isdigit() else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(min(value, MOST)) if value > 0 else 0
