"""Looking one record up in memory by its identity, with a search or with a digest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sync.compare import plain_of
from sync.destination import Destination
from sync.maps.compile import CompiledMap
from sync.memory.pace import Pacer
from sync.memory.records import LARGEST_BUDGET, Stored, digested, identity_digest, identity_search, is_cut, listing_of
from sync.reads import paced

Look = Callable[[str], Sequence[Stored]]
"""The records in memory with an identity: one, or none; several where the service keeps several."""


def by_search(destination: Destination, pacer: Pacer, compiled: CompiledMap) -> Look:
    """Look with searches: exact, whatever a record's size."""

    def look(value: str) -> Sequence[Stored]:
        query = identity_search(compiled.entity_type, compiled.identity, value)
        return listing_of(paced(lambda: destination.client.search(query), pacer, destination.pause)).records

    return look


def by_digest(destination: Destination, pacer: Pacer, compiled: CompiledMap, budget: int) -> Look:
    """Look with digests of so many tokens; one that was cut short is asked for again with eight times as many."""
    names = [item.name for item in plain_of(compiled)]

    def ask(value: str, tokens: int) -> Mapping[str, Any]:
        query = identity_digest(compiled.entity_type, compiled.identity, value, tokens)
        return paced(lambda: destination.client.digest(query), pacer, destination.pause)

    def look(value: str) -> Sequence[Stored]:
        data = ask(value, budget)
        found = digested(data)
        more = min(LARGEST_BUDGET, budget * 8)
        if found and is_cut(data, budget) and more > budget and any(name not in found.properties for name in names):
            found = digested(ask(value, more))
        return [found] if found else []

    return look
