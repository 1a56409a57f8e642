"""From collection names in a map to the organisation's own ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sync.maps.row import MappedProperty
from sync.memory.errors import DestinationMisconfigured


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection of the organisation."""

    id: str
    name: str
    properties: tuple[tuple[str, str], ...] | None = None
    """Names and types of the properties that it defines, a property under each of its names; None: it was not said."""


def collections_of(actions: Iterable[Mapping[str, Any]]) -> list[Collection]:
    """Read the answer of `collections`, whose entries carry id and name in their payload."""
    found = []
    for action in actions:
        payload = action.get("payload")
        payload = payload if isinstance(payload, dict) else action
        id_ = payload.get("collectionId") or payload.get("id") or action.get("id")
        name = payload.get("collectionName") or payload.get("name")
        if id_ and name:
            found.append(Collection(str(id_), str(name), _defined(payload.get("properties"))))
    return found


def _defined(properties: Any) -> tuple[tuple[str, str], ...] | None:
    if not isinstance(properties, list):
        return None
    return tuple(
        (str(one[word]), str(one.get("type") or ""))
        for one in properties
        if isinstance(one, dict)
        for word in ("propertyName", "systemName")
        if one.get(word)
    )


def resolve(properties: Iterable[MappedProperty], known: list[Collection]) -> dict[str, Collection]:
    """The collection of each property by property name; raises DestinationMisconfigured listing every unknown one."""
    resolved: dict[str, Collection] = {}
    problems = []
    for item in properties:
        matches = _matches(item, known)
        if len(matches) == 1:
            resolved[item.name] = matches[0]
        else:
            problems.append(_problem(item, matches, known))
    if problems:
        raise DestinationMisconfigured("; ".join(dict.fromkeys(problems)))
    return resolved


def _matches(item: MappedProperty, known: list[Collection]) -> list[Collection]:
    if item.collection_id is not None:
        return [c for c in known if c.id == item.collection_id]
    name = (item.collection_name or "").casefold()
    exact = [c for c in known if c.name == item.collection_name]
    return exact or [c for c in known if c.name.casefold() == name]


def _problem(item: MappedProperty, matches: list[Collection], known: list[Collection]) -> str:
    wanted = f"collectionId {item.collection_id}" if item.collection_id else f"collection {item.collection_name!r}"
    if matches:
        ids = ", ".join(c.id for c in matches)
        return f"{wanted}: {len(matches)} collections have this name; give one of their ids as collectionId: {ids}"
    names = sorted({c.name for c in known})
    near = get_close_matches(item.collection_name or "", names, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return f"{wanted} (property {item.name}): the organisation has none{hint} It has: {listed or 'no collection'}"
