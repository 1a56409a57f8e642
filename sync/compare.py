"""Holding a row against what memory has of it, property by property."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from sync.maps.compile import CompiledMap
from sync.maps.row import MappedProperty, Row
from sync.memory.alike import is_alike, is_nothing
from sync.memory.records import Stored


class Difference(NamedTuple):
    """A property that memory does not hold as it was sent."""

    name: str
    sent: Any
    stored: Any

    @property
    def word(self) -> str:
        """What is wrong: `missing` where memory has nothing, else `different`."""
        return "missing" if is_nothing(self.stored) else "different"


def plain_of(compiled: CompiledMap) -> list[MappedProperty]:
    """The properties that are kept as they are sent; what is drawn from texts cannot be compared."""
    return [item for item in compiled.properties if not item.extract]


def sent_values(row: Row) -> Mapping[str, Any]:
    """The identity and the plain values of a row, by row key."""
    values: dict[str, Any] = orjson.loads(row.plain)
    return values


def differences(row: Row, plain: Iterable[MappedProperty], stored: Mapping[str, Any]) -> list[Difference]:
    """The plain properties that memory does not hold as the row has them."""
    sent = sent_values(row)
    pairs = [(item.name, sent.get(item.row_key), stored.get(item.name)) for item in plain]
    return [Difference(*pair) for pair in pairs if not is_alike(*pair[1:])]


def nearest(row: Row, plain: Sequence[MappedProperty], found: Sequence[Stored]) -> Stored | None:
    """Of several records under one identity, the one that is most like the row; None when there is none."""
    return min(found, key=lambda one: len(differences(row, plain, one.properties)), default=None)
