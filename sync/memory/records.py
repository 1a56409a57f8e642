"""Records as memory gives them back: what a search or a digest asks for, and what its answer holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sync.maps.row import Identity
from sync.memory.errors import DestinationUnavailable

PAGE_SIZE = 200
"""Records of one page of a search, at most."""
USUAL_BUDGET, LARGEST_BUDGET = 2_000, 32_000
"""Tokens of a digest: unless told otherwise, and at most."""
_SEARCH_WORDS = {"email": "email", "website": "websiteUrl", "recordId": "recordId"}
_DIGEST_WORDS = {"email": "email", "website": "website_url", "recordId": "record_id"}
_OF_THE_RECORD = frozenset({"recordId", "id", "record_id", "type", "memories", "createdAt", "updatedAt"})
"""Members of a record that are no properties, where a server does not keep these apart."""


class Stored(NamedTuple):
    """One record in memory."""

    id: str
    properties: Mapping[str, Any]
    memories: Sequence[str] | None
    """None: the answer does not speak of memories."""


class Listing(NamedTuple):
    """One page of a search."""

    records: Sequence[Stored]
    total: int | None
    """How many records match, on all pages; None where the server does not say."""


def identity_search(entity_type: str, identity: Identity, value: str) -> dict[str, Any]:
    """The search that finds a record by its identity, with properties and memories."""
    key = _key(_SEARCH_WORDS, identity, value)
    asked = {"returnRecords": True, "includeMemories": True, "page": 1, "pageSize": 10}
    return {"type": entity_type, **key, **asked}


def identity_digest(entity_type: str, identity: Identity, value: str, token_budget: int) -> dict[str, Any]:
    """The digest of a record by its identity; the budget is always stated, as the API demands."""
    return {"type": entity_type, **_key(_DIGEST_WORDS, identity, value), "token_budget": token_budget}


def _key(words: Mapping[str, str], identity: Identity, value: str) -> dict[str, Any]:
    if identity.kind == "customKey":
        return {"customKeyName": identity.custom_key_name, "customKeyValue": value}
    return {words[identity.kind]: value}


def matches_of(data: Mapping[str, Any]) -> int | None:
    """How many records an answer says there are; None where it does not."""
    total = data.get("totalMatched")
    usable = isinstance(total, int) and not isinstance(total, bool) and total >= 0
    return total if usable else None


def listing_of(data: Mapping[str, Any], call: str = "search") -> Listing:
    """Read the answer to a search; raises DestinationUnavailable where it does not hold the records that it names."""
    records, memories = data.get("records"), data.get("memories")
    if isinstance(records, Mapping):
        found = [_stored(str(id_), cells, memories) for id_, cells in records.items()]
    elif isinstance(records, list):
        found = [_stored(_id(cells), cells, memories) for cells in records]
    else:
        found = []
    ids = data.get("recordIds")
    named = len(ids) if isinstance(ids, list) else len(found)
    if len(found) < named:
        raise DestinationUnavailable(
            f"{call}: the answer names {named} records and holds {len(found)} of them", ambiguous=False
        )
    return Listing(found, matches_of(data))


def digested(data: Mapping[str, Any]) -> Stored | None:
    """Read the answer to a digest; None when it is about no record."""
    stored = _stored(_id(data), data.get("properties") or {}, data.get("memories"))
    return stored if stored.id or stored.properties or stored.memories else None


def is_cut(data: Mapping[str, Any], budget: int) -> bool:
    """Whether a digest came near its budget, so that what it leaves out may be in memory all the same."""
    estimate = data.get("tokenEstimate")
    return isinstance(estimate, int | float) and estimate >= 0.9 * budget


def _id(cells: Any) -> str:
    named = [cells.get(name) for name in ("recordId", "record_id", "id")] if isinstance(cells, Mapping) else []
    return next((str(one) for one in named if isinstance(one, str | int) and not isinstance(one, bool)), "")


def _stored(id_: str, cells: Any, memories: Any) -> Stored:
    own = cells.get("memories") if isinstance(cells, Mapping) else None
    inner = cells.get("properties") if isinstance(cells, Mapping) else None
    if isinstance(inner, Mapping) and "value" not in inner:
        cells = inner
    if not isinstance(cells, Mapping):
        cells = {}
    elif own is not None or _id(cells) == id_:
        cells = {name: cell for name, cell in cells.items() if name not in _OF_THE_RECORD or _is_cell(cell)}
    told = memories.get(id_, []) if isinstance(memories, Mapping) else memories if memories is not None else own
    return Stored(id_, {str(name): _value(cell) for name, cell in cells.items()}, _texts(told))


def _is_cell(cell: Any) -> bool:
    return isinstance(cell, Mapping) and "value" in cell


def _value(cell: Any) -> Any:
    return cell["value"] if _is_cell(cell) else cell


def _texts(told: Any) -> list[str] | None:
    if not isinstance(told, list):
        return None
    return [_text(one) for one in told]


def _text(one: Any) -> str:
    if isinstance(one, Mapping):
        one = next((one[name] for name in ("text", "content", "memory") if isinstance(one.get(name), str)), "")
    return str(one)
