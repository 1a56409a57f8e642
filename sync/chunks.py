"""Filling chunks: as many rows as a call may carry, whatever the pages they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


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


@dataclass(frozen=True, slots=True)
class Chunk:
    """The rows of one call."""

    number: int
    rows: tuple[Outgoing, ...]


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

    def add(self, row: Outgoing) -> Chunk | None:
        """Take a row; hands out the chunk that became full, if one did."""
        size = len(row.body) + 1
        full = self.flush() if self._rows and self._bytes + size > self._room else None
        self._rows.append(row)
        self._bytes += size
        if full is None and len(self._rows) == self._most:
            return self.flush()
        return full

    def flush(self) -> Chunk | None:
        """Hand out what is left."""
        if not self._rows:
            return None
        self._number += 1
        chunk = Chunk(self._number, tuple(self._rows))
        self._rows, self._bytes = [], 0
        return chunk
