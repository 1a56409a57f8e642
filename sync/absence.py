"""What is absent: keys that were delivered and that a sweep over the source did not name."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

ABSENT = "no longer in the source"


class Sweep:
    """The keys that a sweep named, as eight bytes each: a source may hold millions."""

    def __init__(self) -> None:
        self._seen = array("Q")

    def see(self, keys: Sequence[str]) -> None:
        """Enter keys that exist, or beginnings of composite keys."""
        self._seen.extend(_mark(key) for key in keys)

    def end(self, delivered: Iterable[str]) -> Iterator[str]:
        """The delivered keys that were not named; the next sweep starts from nothing."""
        seen = array("Q", sorted(self._seen))
        self._seen = array("Q")
        for key in delivered:
            if not any(_holds(seen, _mark(name)) for name in _names(key)):
                yield key


def _names(key: str) -> Sequence[str]:
    """How a sweep may name a key: whole, or by the first part of a composite one."""
    comma = key.find(",") if key.startswith("[") else -1
    return (key, key[: comma + 1]) if comma >= 0 else (key,)


def _holds(seen: array[int], mark: int) -> bool:
    place = bisect_left(seen, mark)
    return place < len(seen) and seen[place] == mark


def _mark(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(errors="replace"), digest_size=8).digest(), "big")
