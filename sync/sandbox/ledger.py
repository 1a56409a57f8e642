"""What the server saw, counted: for `/usage/current`, the page, and tests."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """The counts since the start."""

    calls: dict[str, int]
    """Calls by method and path, such as `POST /api/v1/search`; ids in paths are written `{id}`."""
    statuses: dict[int, int]
    rows: int
    """Rows of accepted batches, dry runs left out."""
    bytes: int
    """Bytes of request bodies."""


class Ledger:
    """Counts calls, statuses, rows and bytes; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()
        self._rows = 0
        self._bytes = 0

    def call(self, name: str, size: int) -> None:
        """Count one call and its body's size."""
        with self._lock:
            self._calls[name] += 1
            self._bytes += size

    def status(self, status: int) -> None:
        """Count one answer."""
        with self._lock:
            self._statuses[status] += 1

    def rows(self, count: int) -> None:
        """Count rows that were taken."""
        with self._lock:
            self._rows += count

    def seen(self) -> Seen:
        """The counts as they are now."""
        with self._lock:
            return Seen(dict(self._calls), dict(self._statuses), self._rows, self._bytes)
