"""How a transform says that it cannot work with a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sync.maps.values import kind_of

Change = Callable[[Any], Any]
"""One transform, ready to be applied to a value that is not null."""


class TransformFailed(Exception):
    """A value that a transform cannot use; the message says what kind of value, and never the value."""

    def __init__(self, value: Any, expected: str) -> None:
        super().__init__(f"found {kind_of(value)}, expected {expected}")
