"""Verifying: read delivered records back from memory and compare them with the source as it is now."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from connectors.base import Connector
from sync.maps.compile import CompiledMap
from sync.maps.row import Identity, MappedProperty, Row
from sync.memory.client import MemoryClient
from sync.memory.pace import Pacer
from sync.memory.settlement import normalise

_KEY_WORDS = {"email": "email", "website": "websiteUrl", "recordId": "recordId"}
EXAMPLES = 10
"""Differences that are shown, at most."""


@dataclass(slots=True)
class Verification:
    """What reading back found. `different` and `missing` mean that memory does not hold what was delivered."""

    stream: str
    sampled: int = 0
    equal: int = 0
    present: int = 0
    """In memory, with nothing plain to compare: their map draws memories from texts only."""
    different: int = 0
    overwritten: int = 0
    """Different from memory because a sampled row with the same identity was sent later, which memory does hold."""
    missing: int = 0
    changed: int = 0
    """Changed or gone in the source since their delivery: the next run brings them, there is nothing to compare."""
    examples: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What a person should know to read these numbers."""

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
    """Compare delivered rows (key and fingerprint) with memory, property by property; one call for each identity."""
    found = Verification(stream, sampled=len(delivered))
    rows: dict[str, list[Row]] = defaultdict(list)
    for record in connector.fetch(list(delivered)):
        row = compiled.row(record)
        if isinstance(row, Row) and row.fingerprint == delivered[record.key]:
            rows[_same(compiled.identity, row.identity)].append(row)
    for alike in rows.values():
        pacer.wait()
        stored = _stored(client.search(query_for(compiled.entity_type, compiled.identity, alike[0].identity)))
        _compare(found, alike, compiled, stored)
    found.changed = found.sampled - sum(map(len, rows.values()))
    found.notes = _notes(found, delivered, max(map(len, rows.values()), default=0))
    return found


def _same(identity: Identity, value: str) -> str:
    """What rows of one record in memory have in common: letter case means nothing in an address alone."""
    return normalise(value) if identity.kind == "email" else value


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
    found: Verification, alike: Sequence[Row], compiled: CompiledMap, stored: Mapping[str, Any] | None
) -> None:
    """Judge rows of one identity: memory holds one record of them, with the plain values of the row sent last."""
    if stored is None:
        found.missing += len(alike)
        for row in alike:
            _example(found, f"{row.key}: not in memory")
        return
    plain = [item for item in compiled.properties if not item.extract]
    if not plain:
        found.present += len(alike)
        return
    wrong = {row.key: _differences(orjson.loads(row.plain), plain, stored) for row in alike}
    equal = sum(not names for names in wrong.values())
    found.equal += equal
    if equal:
        found.overwritten += len(alike) - equal
        return
    found.different += len(alike)
    for key, names in wrong.items():
        _example(found, f"{key}: different in {', '.join(names)}")


def _differences(sent: Mapping[str, Any], plain: Sequence[MappedProperty], stored: Mapping[str, Any]) -> list[str]:
    return [item.name for item in plain if as_text(sent.get(item.row_key)) != as_text(stored.get(item.name))]


def _notes(found: Verification, delivered: Mapping[str, bytes], most: int) -> list[str]:
    notes = []
    if found.present:
        notes.append(
            f"{found.present:,} present: memory holds their records; the map has no plain property to compare, and "
            "texts are not compared"
        )
    if found.overwritten:
        notes.append(f"{found.overwritten:,} overwritten: another row with the same identity was sent later")
    # A record that makes several rows (an activity and its people) has a composite key.
    if found.overwritten or (found.different and (most > 1 or any(key.startswith("[") for key in delivered))):
        notes.append(
            "rows with the same identity are one record in memory, and the newest of them wins: leave plain "
            "properties out of such a map, or give its rows a customKey of their own (docs/property-maps.md)"
        )
    return notes


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
