"""The request body around the rows of a chunk, encoded once per run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sync.maps.row import Identity, MappedProperty
from sync.memory.collections import Collection

LARGEST_BODY = 10_000_000
"""Bytes of a call (the API's 10 MB); the enterprise plan takes five times as much."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Everything of a batch call but its rows."""

    prefix: bytes
    suffix: bytes
    largest_body: int = LARGEST_BODY

    def body(self, rows: Iterable[bytes]) -> bytes:
        """The whole request body for these encoded rows."""
        return b"".join((self.prefix, b",".join(rows), self.suffix))

    @property
    def room(self) -> int:
        """Bytes that are left for rows and the commas between them."""
        return self.largest_body - len(self.prefix) - len(self.suffix)


def mapping_object(
    entity_type: str,
    identity: Identity,
    properties: Sequence[MappedProperty],
    collections: Mapping[str, Collection],
    extract_word: str,
    run_name: str,
) -> dict[str, Any]:
    """The API's `mapping` object."""
    header: dict[str, Any] = {"entityType": entity_type}
    if identity.kind == "customKey":
        header |= {"customKeyName": identity.custom_key_name, "customKey": identity.row_key}
    else:
        header[identity.kind] = identity.row_key
    header["runName"] = run_name
    header["properties"] = {
        item.name: {
            "sourceField": item.row_key,
            "collectionId": collections[item.name].id,
            "collectionName": collections[item.name].name,
            extract_word: item.extract,
        }
        for item in properties
    }
    return header


def make_envelope(
    source: str, mapping: Mapping[str, Any], tier: str, chunk_size: int, *, dry_run: bool, enterprise: bool
) -> Envelope:
    """Encode the frame once, leaving the place of the rows open."""
    frame = {"source": source, "mapping": dict(mapping), "tier": tier, "dryRun": dry_run, "chunkSize": chunk_size}
    prefix = orjson.dumps(frame)[:-1] + b',"rows":['
    return Envelope(prefix, b"]}", LARGEST_BODY * (5 if enterprise else 1))
