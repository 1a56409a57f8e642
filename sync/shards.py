"""Parts of a stream that may be read side by side: disjoint and complete, by primary key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from connectors.base import Page


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `index`, counted from 0, of `count` parts."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def holds(self, key: str) -> bool:
        """Whether a record belongs to this part; the same on every machine and for ever."""
        digest = hashlib.blake2b(key.encode(errors="replace"), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.index


def parse_shard(text: str) -> Shard:
    """Read `I/N`; ValueError says what is expected."""
    index, _, count = text.partition("/")
    numbers = [int(part) if part.isascii() and part.isdigit() and len(part) < 5 else -1 for part in (index, count)]
    if min(numbers) < 0 or numbers[0] >= numbers[1]:
        raise ValueError(f"found {text!r}, expected I/N with I from 0 to N-1, such as 0/4")
    return Shard(*numbers)


def only(pages: Iterable[Page], shard: Shard) -> Iterator[Page]:
    """The pages with the records of one part; what has no key of its own is told by the first part."""
    for page in pages:
        records = [record for record in page.records if shard.holds(record.key)]
        gone = {key: word for key, word in page.gone.items() if shard.holds(key)}
        if shard.index == 0:
            yield replace(page, records=records, gone=gone)
        else:
            yield Page(records, page.cursor, gone=gone)
