"""When to stop splitting: refusals that one bad row cannot explain lie in the map."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from sync.memory.errors import DestinationMisconfigured

SPARE = 5
"""Refusals beyond those that one bad row can cause, after which the map is to blame."""
LOOKS = 3
"""Places in a chunk that are looked at before its map is blamed: bad rows may stand side by side."""


@dataclass(slots=True)
class Patience:
    """How many refusals in a row a chunk may cost before its map is blamed, as long as nothing was accepted."""

    rows: int
    movable: bool
    """Whether the parts may be sent in another order: not when an identity stands in several rows."""
    rewarded: bool = False
    _refused: int = 0
    _limit: int = field(init=False)
    _looks: int = 0

    def __post_init__(self) -> None:
        self._limit = math.ceil(math.log2(max(2, self.rows))) + 1 + (1 if self.movable else 2 * SPARE)

    def ends(self, refused: Any) -> bool:
        """Count a refusal; True: time to look elsewhere in the chunk. Raises DestinationMisconfigured after LOOKS."""
        self._refused += 1
        if self.rewarded or self._refused <= self._limit:
            return False
        self._looks += 1
        if self._looks < LOOKS and self.movable:
            self._limit = self._refused + math.ceil(math.log2(max(2, self.rows)))
            return True
        raise DestinationMisconfigured(
            f"{refused}: {self._refused} calls in a row were refused, so the map does not fit the destination; "
            "correct it and run again, no row was rejected"
        )
