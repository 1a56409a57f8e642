"""The cursor that is safe: the one after the longest run of pages of which nothing is outstanding."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any


class Watermark:
    """Counts what is outstanding per page, in reading order."""

    def __init__(self) -> None:
        self._pages: OrderedDict[int, tuple[Mapping[str, Any], int]] = OrderedDict()

    def open(self, page: int, cursor: Mapping[str, Any], outstanding: int) -> None:
        """Enter a page that was read: `cursor` is safe once `outstanding` rows are accepted or filed."""
        self._pages[page] = (cursor, outstanding)

    def done(self, page: int, rows: int = 1) -> None:
        """So many rows of a page are accepted or filed."""
        if page in self._pages:
            cursor, outstanding = self._pages[page]
            self._pages[page] = (cursor, outstanding - rows)

    def advance(self) -> Mapping[str, Any] | None:
        """The newest safe cursor, if one became safe since the last call."""
        newest = None
        while self._pages:
            page, (cursor, outstanding) = next(iter(self._pages.items()))
            if outstanding > 0:
                break
            newest = cursor
            del self._pages[page]
        return newest

    @property
    def is_clear(self) -> bool:
        """Whether nothing is outstanding."""
        return not self._pages
