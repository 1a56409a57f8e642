"""A record whose identity changed keeps its place in memory: its old record gets the new key before the row is sent.

Nothing in the state store tells the old identity, so the old record is found by a property that holds the primary key.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from connectors.base import Reading
from sync.chunks import Outgoing
from sync.job import Writer
from sync.maps.model import PropertyMap
from sync.maps.problem import MapUnfit
from sync.maps.row import Identity, identity_moved, mark_of
from sync.memory.client import MemoryClient
from sync.memory.errors import ChunkRefused, NotFound
from sync.memory.pace import Pacer
from sync.memory.writer import ChunkOutcome
from sync.reads import paced

_KEY_NAMES = {"email": "email", "website": "websiteUrl", "recordId": "recordId"}
_DONE = "rekeyed"
_TOLD = {
    _DONE: "got the new key: memory goes on with the old record",
    "absent": "were found by no property of their old record: their rows went to the record of the new identity",
    "conflict": "have a new key that another record has: their rows went to that one",
    "shared": "shared the old one, or handed it on: their rows went to the record of the new identity",
    "unsupported": "could not be given their new key, because the server has no such call",
    "refused": "were refused their new key: their rows went to the record of the new identity",
}
TOGETHER = 5
"""Rows that are sent together once their records have their new keys."""


def key_property(property_map: PropertyMap, reading: Reading) -> str:
    """The property that holds the primary key as it is; raises MapUnfit when there is none."""
    for name, one in property_map.mapping.properties.items():
        if reading.primary_key == (one.source_field,) and not one.transform and not one.extract_memories:
            return name
    key = ", ".join(reading.primary_key)
    remedy = f"add one such as `source_id: {{sourceField: {key}, collectionName: ...}}`, or leave onIdentityChange out"
    if len(reading.primary_key) != 1:
        remedy = "a composite key cannot be looked for: leave onIdentityChange out"
    raise MapUnfit(
        f"destination.onIdentityChange: rekey finds the old record by a property that holds the primary key ({key}), "
        f"and the map has none; {remedy}"
    )


class RekeyingWriter:
    """Gives old records their new key before it hands the rows on; called from several threads."""

    def __init__(
        self,
        inner: Writer,
        calls: Rekeying,
        holders: Callable[[Sequence[bytes]], Mapping[bytes, int]],
    ) -> None:
        self._inner, self._calls, self._holders = inner, calls, holders
        self._told: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def remarks(self) -> Sequence[str]:
        """What became of the records with another identity."""
        return [f"{rows:,} with another identity {_TOLD[word]}" for word, rows in sorted(self._told.items())]

    def send(self, rows: Sequence[Outgoing], outcome: ChunkOutcome | None = None) -> ChunkOutcome:
        """Like the writer behind it; rows with another identity go a few at a time, so that a limit leaves progress."""
        outcome = ChunkOutcome() if outcome is None else outcome
        moved = [row for row in rows if identity_moved(row.before, row.fingerprint)]
        if not moved:
            return self._inner.send(rows, outcome)
        others = [row for row in rows if not identity_moved(row.before, row.fingerprint)]
        if others:
            self._inner.send(others, outcome)
        try:
            words = self._foreseen(moved)
            for start in range(0, len(moved), TOGETHER):
                if outcome.problem is None:
                    self._send(moved[start : start + TOGETHER], words, outcome)
        except Exception as problem:  # it travels to the thread that records
            outcome.problem = problem
        return outcome

    def _send(self, rows: Sequence[Outgoing], words: Mapping[str, str], outcome: ChunkOutcome) -> None:
        for row in rows:
            word = words.get(row.key) or self._calls.rekey(row)
            with self._lock:
                self._told[word] += 1
        self._inner.send(rows, outcome)

    def _foreseen(self, moved: Sequence[Outgoing]) -> dict[str, str]:
        """The rows for which nothing is to be asked, and why: other rows have their old or their new identity."""
        olds, news = {mark_of(row.before or b"") for row in moved}, [mark_of(row.fingerprint) for row in moved]
        held = self._holders([*olds, *news])
        found = {}
        for row in moved:
            old, new = mark_of(row.before or b""), mark_of(row.fingerprint)
            if held.get(old, 0) > 1 or old in news:
                found[row.key] = "shared"
            elif held.get(new, 0):
                found[row.key] = "conflict"
        return found


class Rekeying:
    """The two calls that give an old record its new key."""

    def __init__(
        self,
        client: MemoryClient,
        pacer: Pacer,
        pause: Callable[[float], None],
        entity_type: str,
        identity: Identity,
        key_property: str,
    ) -> None:
        self._client, self._pacer, self._pause = client, pacer, pause
        self._type, self._identity, self._property = entity_type, identity, key_property

    def rekey(self, row: Outgoing) -> str:
        """Find the old record of a row and add the new key; returns what became of it, in a word."""
        value = orjson.loads(row.body).get(self._property)
        condition = {"property": self._property, "operator": "EQ", "value": value}
        query = {"type": self._type, "groups": [{"id": "key", "logic": "AND", "conditions": [condition]}]}
        name = self._identity.custom_key_name or _KEY_NAMES[self._identity.kind]
        try:
            found = self._paced(lambda: self._client.search({**query, "page": 1, "pageSize": 2})).get("recordIds")
            if not isinstance(found, list) or len(found) != 1:
                return "absent"
            answer = self._paced(lambda: self._client.update_keys(str(found[0]), self._type, {name: row.identity}))
        except NotFound:
            return "unsupported"
        except ChunkRefused:  # one bad row costs one row
            return "refused"
        return "conflict" if answer.get("conflicts") or answer.get("rejected") else _DONE

    def _paced(self, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        return paced(call, self._pacer, self._pause)
