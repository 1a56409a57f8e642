"""Noticing that a server leads in circles, without remembering the whole way."""

from __future__ import annotations

from connectors.base import SourceUnreachable

FRUITLESS = 100
"""Pages in a row that bring nothing new."""


class Circle:
    """Follows the places of one walk; one that comes again and again is noticed within a few rounds."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._mark, self._steps, self._next = "", 0, 1
        self._empty = 0

    def step(self, place: str | None, *, fruitful: bool) -> None:
        """Go on to `place`, None: the end; raises SourceUnreachable where that leads nowhere."""
        if place is None:
            return
        self._empty = 0 if fruitful else self._empty + 1
        if place == self._mark or self._empty > FRUITLESS:
            raise SourceUnreachable(
                f"{self._what}: the server gives the same place again and again. Nothing was lost: run again later"
            )
        self._steps += 1
        if self._steps == self._next:  # marks ever farther apart meet a circle of any length
            self._mark, self._next = place, self._next * 2


class Seen:
    """Ids that were read lately: the last thousands are known, older ones forgotten."""

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._new: set[str] = set()
        self._old: set[str] = set()
        self.whole = True
        """Whether nothing was forgotten so far."""

    def add(self, id: str) -> bool:
        """Remember an id; returns whether it was unknown."""
        if id in self:
            return False
        if len(self._new) >= self._most:
            self.whole = self.whole and not self._old
            self._old, self._new = self._new, set()
        self._new.add(id)
        return True

    def __contains__(self, id: str) -> bool:
        return id in self._new or id in self._old
