"""Record ids: three characters of prefix, twelve that count, three that guard their letters' case."""

import re
from collections.abc import Iterator
from functools import lru_cache

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_GUARDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
_POD = "xx0"


@lru_cache(maxsize=65536)
def _guard(five: str) -> str:
    return _GUARDS[sum(1 << place for place, letter in enumerate(five) if "A" <= letter <= "Z")]


def with_guard(short: str) -> str:
    """The 18-character form of a 15-character id."""
    return short + _guard(short[:5]) + _guard(short[5:10]) + _guard(short[10:15])


def long_form(text: str) -> str | None:
    """The 18-character form of what may be an id of either length; None for anything else."""
    return with_guard(text[:15]) if _SHAPE.fullmatch(text) else None


def new_ids(prefix: str, first: int, count: int) -> Iterator[str]:
    """`count` ids in ascending order, from the `first`-th of their prefix."""
    for number in range(first, first + count):
        yield with_guard(prefix + _POD + _in_base_62(number))


def _in_base_62(number: int) -> str:
    digits = []
    for _ in range(9):
        number, digit = divmod(number, 62)
        digits.append(DIGITS[digit])
    return "".join(reversed(digits))
