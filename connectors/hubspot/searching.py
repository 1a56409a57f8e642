"""Windows over HubSpot's search: how they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.hubspot.api import Api
from connectors.hubspot.metadata import KEY
from connectors.hubspot.objects import ObjectType
from connectors.hubspot.windows import Found, Part, Window, Windows


def parts_of(
    api: Api, of: ObjectType, stamp: str, whole: Window, filters: Sequence[Mapping[str, Any]]
) -> Iterator[Part]:
    """The ids of all records with a stamp in a window, part by part; raises SourceUnreachable."""

    def conditions(window: Window) -> list[Mapping[str, Any]]:
        made = [between(stamp, window.low, window.high), *filters]
        return made if window.ids is None else [*made, between(KEY, *window.ids)]

    def search(window: Window, after: str | None) -> Found:
        # An order that no change of a record moves: pages of one search then shift as little as can be.
        sorts = [{"propertyName": KEY, "direction": "ASCENDING"}]
        total, results, onward = api.search(of, conditions(window), after, sorts=sorts, properties=[stamp])
        return Found(total, [one["id"] for one in results], onward)

    def extreme(window: Window, highest: bool) -> int | None:
        sorts = [{"propertyName": KEY, "direction": "DESCENDING" if highest else "ASCENDING"}]
        found = api.search(of, conditions(window), sorts=sorts, limit=1, properties=[stamp]).results
        return int(found[0]["id"]) if found and found[0]["id"].isdecimal() else None

    return Windows(search, extreme, api.caller.pause).parts(whole)


def between(name: str, low: int, high: int) -> Mapping[str, Any]:
    """The condition that a property lies between two numbers, both included."""
    return {"propertyName": name, "operator": "BETWEEN", "value": str(low), "highValue": str(high)}
