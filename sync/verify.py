"""Verifying: read delivered records back from memory and compare them with the source as it is now."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from connectors.base import Connector
from sync.maps.compile import CompiledMap
from sync.maps.row import Identity, Row
from sync.memory.client import MemoryClient
from sync.memory.pace import Pacer

_KEY_WORDS = {"email": "email", "website": "websiteUrl", "recordId": "recordId"}
EXAMPLES = 10
"""Differences that are shown, at most."""


@dataclass(slots=True)
class Verification:
    """What reading back found. `different` and `missing` mean that memory does not hold what was delivered."""

    stream: str
    sampled: int = 0
    equal: int = 0
    different: int = 0
    missing: int = 0
    changed: int = 0
    """Changed or gone in the source since their delivery: the next run brings them, there is nothing to compare."""
    examples: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        """Whether memory holds all that was compared."""
        return not self.different and not self.missing


def verify(
    stream: str,
    delivered: Mapping[str, bytes],
    connector: Connector,
    compiled: CompiledMap,
    client: MemoryClient,
    pacer: Pacer,
) -> Verification:
    """Compare delivered rows (key and fingerprint) with memory, property by property."""
    found = Verification(stream, sampled=len(delivered))
    seen = 0
    for record in connector.fetch(list(delivered)):
        row = compiled.row(record)
        if not isinstance(row, Row) or row.fingerprint != delivered[record.key]:
            continue
        seen += 1
        pacer.wait()
        stored = _stored(client.search(query_for(compiled.entity_type, compiled.identity, row.identity)))
        _compare(found, record.key, orjson.loads(row.plain), compiled, stored)
    found.changed = found.sampled - seen
    return found


def query_for(entity_type: str, identity: Identity, value: str) -> dict[str, Any]:
    """The search that finds one record by its identity."""
    if identity.kind == "customKey":
        key: dict[str, Any] = {"customKeyName": identity.custom_key_name, "customKeyValue": value}
    else:
        key = {_KEY_WORDS[identity.kind]: value}
    return {"type": entity_type, **key, "returnRecords": True, "page": 1, "pageSize": 10}


def _stored(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """The properties of the record that a search found."""
    records = data.get("records")
    if isinstance(records, dict) and records:
        first = next(iter(records.values()))
    elif isinstance(records, list) and records:
        first = records[0].get("properties", records[0]) if isinstance(records[0], dict) else None
    else:
        return None
    if not isinstance(first, dict):
        return None
    return {
        name: cell.get("value") if isinstance(cell, dict) and "value" in cell else cell for name, cell in first.items()
    }


def _compare(
    found: Verification, key: str, sent: Mapping[str, Any], compiled: CompiledMap, stored: Mapping[str, Any] | None
) -> None:
    if stored is None:
        found.missing += 1
        _example(found, f"{key}: not in memory")
        return
    wrong = [
        item.name
        for item in compiled.properties
        if not item.extract and as_text(sent.get(item.row_key)) != as_text(stored.get(item.name))
    ]
    if wrong:
        found.different += 1
        _example(found, f"{key}: different in {', '.join(wrong)}")
    else:
        found.equal += 1


def _example(found: Verification, line: str) -> None:
    if len(found.examples) < EXAMPLES:
        found.examples.append(line)


def as_text(value: Any) -> str:
    """A value as it is compared: memory may give numbers and booleans back as text, and nothing as nothing."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.10g}"
    text = str(value).strip()
    try:
        return f"{float(text):.10g}" if text[:1] in "-0123456789" and len(text) < 16 else text
    except ValueError:
        return text.lower() if text.lower() in ("true", "false") else text


def sample(keys: Sequence[str], size: int, seed: int) -> list[str]:
    """So many keys, the same ones for the same seed."""
    return sorted(random.Random(seed).sample(list(keys), min(size, len(keys))))  # noqa: S311  # nosec B311
