"""Filling chunks: as many rows as a call may carry, whatever the pages they came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from sync.memory.reported import normalise


class Outgoing(NamedTuple):
    """A row on its way: encoded, with what must be kept once it is accepted (a tuple: made once per row)."""

    key: str
    identity: str
    body: bytes
    fingerprint: bytes
    page: int
    """The number of the page whose cursor waits for this row."""
    before: bytes | None = None
    """The fingerprint under which it was delivered before, if it was."""
    has_text: bool = False
    """Whether its body holds text to extract."""


@dataclass(frozen=True)
class Chunk:
    """The rows of one call."""

    number: int
    rows: tuple[Outgoing, ...]

    @cached_property
    def identities(self) -> Sequence[str]:
        """Of each row, as identities are compared."""
        return list(map(normalise, [row[1] for row in self.rows]))

    @cached_property
    def fingerprints(self) -> Mapping[str, bytes]:
        """By key; of a row that comes twice, the later one's."""
        return {row[0]: row[3] for row in self.rows}


class Chunker:
    """Collects rows and hands out chunks of at most `rows` rows and `room` bytes (commas counted)."""

    def __init__(self, rows: int, room: int) -> None:
        self._most, self._room = rows, room
        self._rows: list[Outgoing] = []
        self._bytes = 0
        self._number = 0

    @property
    def waiting(self) -> Sequence[Outgoing]:
        """The rows that wait for others to fill their chunk."""
        return self._rows

    def fill(self, rows: Sequence[Outgoing]) -> Iterator[Chunk]:
        """Take rows; hands out the chunks that become full, each before the next row is taken."""
        at = 0
        while at < len(rows):
            part = rows[at : at + self._most - len(self._rows)]
            size = sum([len(row[2]) for row in part]) + len(part)
            if self._bytes + size > self._room:
                part, size = self._fitting(part)
            self._rows += part
            self._bytes += size
            at += len(part)
            if not part or len(self._rows) == self._most:
                full = self.flush()
                if full is not None:
                    yield full

    def _fitting(self, rows: Sequence[Outgoing]) -> tuple[Sequence[Outgoing], int]:
        """As many of the first rows as there is room for, and their size; a row that is alone always has room."""
        total = 0
        for place, row in enumerate(rows):
            size = len(row.body) + 1
            if self._bytes + total + size > self._room and (place or self._rows):
                return rows[:place], total
            total += size
        return rows, total

    def flush(self) -> Chunk | None:
        """Hand out what is left."""
        if not self._rows:
            return None
        self._number += 1
        chunk = Chunk(self._number, tuple(self._rows))
        self._rows, self._bytes = [], 0
        return chunk
