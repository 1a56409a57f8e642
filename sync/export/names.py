"""Names that an export was asked for, held against those that the organisation's collections define."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from sync.export.query import Query


class Known(NamedTuple):
    """The names that there are, as far as they can be known."""

    types: Sequence[str]
    """Those of the maps at hand: the service lists none."""
    properties: Sequence[str]
    """Those that the organisation's collections define."""


def columns_of(actions: Iterable[Mapping[str, Any]], entity_type: str | None) -> list[str]:
    """The properties that the organisation's collections define for a type of record, in their order."""
    names: list[str] = []
    for of, defined in _defined(actions):
        if of is None or entity_type is None or of.casefold() == entity_type.casefold():
            names += defined
    return list(dict.fromkeys(names))


def _defined(actions: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str | None, list[str]]]:
    """Of each collection, its type of record, where it has one, and the names of its properties."""
    for action in actions:
        payload = action.get("payload")
        payload = payload if isinstance(payload, Mapping) else action
        of, defined = payload.get("entityType"), payload.get("properties")
        names = [
            (one.get("systemName") or one.get("propertyName")) if isinstance(one, Mapping) else None
            for one in (defined if isinstance(defined, list) else [])
        ]
        yield of if isinstance(of, str) else None, [name for name in names if isinstance(name, str) and name]


def why_nothing(query: Query, known: Known) -> list[str]:
    """What may be amiss where no record matches."""
    hints = []
    kind = query.entity_type
    if kind is not None and known.types and kind not in known.types:
        near = _near(kind, known.types) or f"; there are: {', '.join(known.types)}"
        hints.append(f"no map here has the entityType {kind!r}{near}")
    hints += undefined([one.property for one in query.conditions], known)
    exact = "types, keys and values are compared exactly, capitals and plurals included"
    return [*hints, f"nothing matches: {exact}; the type is the entityType of the map that sent the records"]


def undefined(names: Iterable[str], known: Known) -> list[str]:
    """A line for each property that no collection defines, with the name that may be meant."""
    strange = [name for name in dict.fromkeys(names) if name not in known.properties]
    return [f"no collection defines the property {name!r}{_near(name, known.properties)}" for name in strange]


def _near(name: str, known: Collection[str]) -> str:
    by_case = {one.casefold(): one for one in known}
    near = get_close_matches(name.casefold(), by_case, n=1)
    return f"; did you mean {by_case[near[0]]}?" if near else ""
