"""When to stop splitting: refusals that one bad row cannot explain lie in the map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sync.memory.errors import DestinationMisconfigured
from sync.memory.reported import normalise

SPARE = 5
"""Refusals beyond those that one bad row can cause, after which the map is to blame."""
LOOKS = 3
"""Places in a chunk that are looked at before its map is blamed: bad rows may stand side by side."""


class Patience:
    """How many refusals in a row a chunk may cost before its map is blamed, as long as nothing was accepted."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows = rows
        self.rewarded = False
        self._refused = self._limit = self._looks = 0
        self._movable = False

    def ends(self, refused: Any) -> bool:
        """Count a refusal; True: time to look elsewhere in the chunk. Raises DestinationMisconfigured after LOOKS."""
        self._refused += 1
        if self.rewarded:
            return False
        depth = math.ceil(math.log2(max(2, len(self._rows))))
        if not self._limit:
            # The parts may not be sent in another order when an identity stands in several rows.
            self._movable = len({normalise(row.identity) for row in self._rows}) == len(self._rows)
            self._limit = depth + 1 + (1 if self._movable else 2 * SPARE)
        if self._refused <= self._limit:
            return False
        self._looks += 1
        if self._looks < LOOKS and self._movable:
            self._limit = self._refused + depth
            return True
        raise DestinationMisconfigured(
            f"{refused}: {self._refused} calls in a row were refused, so the map does not fit the destination; "
            "correct it and run again, no row was rejected"
        )
