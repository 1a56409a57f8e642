"""What changed in a source or in memory since a stream's last run, judged from two looks at their metadata.

What a map needs and is gone stops a run where its reading is settled. Here is the rest: said once, then taken as known.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

NAMED = 8
"""Names that one note lists at most."""
_FORMAT = 1
"""Raised when types come to be spelt differently: what was kept before then says nothing."""

Kind = Literal["text", "plain", "closed"]
"""Free text, any other value, or not readable with these credentials."""


class Seen(NamedTuple):
    """A field as the source's metadata showed it."""

    type: str
    kind: Kind


class Held(NamedTuple):
    """A mapped property as its collection in memory showed it."""

    collection: str
    type: str | None
    """None: the collection lists its properties, and this one is not among them."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a stream's source and destination look like: names and types, nothing of any record."""

    of: str
    """Which object of which source."""
    metadata: str
    """A digest of all that the source says of the object's fields; empty where it was not looked at."""
    fields: Mapping[str, Seen]
    """The fields that the map reads."""
    texts: Set[str]
    """Every field of the object that holds free text."""
    properties: Mapping[str, Held]
    """The properties of the map whose collections list what they have."""

    def as_text(self) -> str:
        """The shape as the state store keeps it."""
        facts = {
            "v": _FORMAT,
            "of": self.of,
            "metadata": self.metadata,
            "fields": self.fields,
            "texts": sorted(self.texts),
            "properties": self.properties,
        }
        return json.dumps(facts, sort_keys=True)


def shape_from(text: str | None) -> Shape | None:
    """The shape that was kept; None where there is none, or one that this memsync does not understand."""
    if text is None:
        return None
    try:
        found: dict[str, Any] = json.loads(text)
        if found["v"] != _FORMAT:
            return None
        fields = {name: Seen(*seen) for name, seen in found["fields"].items()}
        properties = {name: Held(*held) for name, held in found["properties"].items()}
        return Shape(found["of"], found["metadata"], fields, frozenset(found["texts"]), properties)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def compare(before: Shape | None, now: Shape, extracted: Mapping[str, bool]) -> list[str]:
    """What a person should know of the changes, a line each; nothing at the first sight of an object.

    `extracted` says of each field in a property of the map whether memories are drawn from it.
    """
    if before is None or before.of != now.of:
        return []
    notes = list(_in_memory(before, now))
    # A newer memsync may judge the same metadata differently, which is no change of the source.
    if before.metadata and now.metadata and before.metadata != now.metadata:
        notes = [*_types(before, now), *_kinds(before, now, extracted), *notes]
    return notes


def carried(before: Shape | None, now: Shape) -> Shape:
    """What to keep: `now`, and of what could not be looked at this time, what was known before."""
    listed = {name: held for name, held in now.properties.items() if held.type is not None}
    if before is None or before.of != now.of:
        return replace(now, properties=listed)
    kept = {name: held for name, held in before.properties.items() if name not in now.properties}
    now = replace(now, properties=kept | listed)
    if now.metadata:
        return now
    return replace(now, metadata=before.metadata, fields=before.fields, texts=before.texts)


def _types(before: Shape, now: Shape) -> Iterable[str]:
    both = [(name, before.fields[name].type, now.fields[name].type) for name in _in_both(before.fields, now.fields)]
    changed = [f"{name} from {old} to {new}" for name, old, new in both if old != new]
    if changed:
        yield f"the source changed the type of {_some(changed)}"


def _kinds(before: Shape, now: Shape, extracted: Mapping[str, bool]) -> Iterable[str]:
    def turned(old: Kind, new: Kind, *, extracts: bool) -> list[str]:
        """Fields of the map's properties that were one kind and are another."""
        return [name for name in both if kinds[name] == (old, new) and extracted.get(name) is extracts]

    both = _in_both(before.fields, now.fields)
    kinds = {name: (before.fields[name].kind, now.fields[name].kind) for name in both}

    wordy = turned("plain", "text", extracts=False)
    if wordy:
        yield (
            f"free text by now, though the map sends it as a plain value: {_some(wordy)}; "
            "`extractMemories: true` would draw memories from it"
        )
    bare = turned("text", "plain", extracts=True)
    if bare:
        yield (
            f"no longer free text, though the map has memories drawn from it: {_some(bare)}; `extractMemories: false` "
            "would save that cost"
        )
    closed = [name for name in both if kinds[name][1] == "closed" != kinds[name][0]]
    if closed:
        yield f"no longer readable with these credentials, so sent empty: {_some(closed)}"
    new = sorted(now.texts - before.texts - now.fields.keys())
    if new:
        yield f"the source has new free text that the map does not read: {_some(new)}"


def _in_memory(before: Shape, now: Shape) -> Iterable[str]:
    kept = [
        (name, before.properties[name], now.properties[name]) for name in _in_both(before.properties, now.properties)
    ]
    both = [(name, was, held) for name, was, held in kept if was.collection == held.collection]
    gone = [f"{name} ({held.collection})" for name, _, held in both if held.type is None]
    if gone:
        yield (
            f"memory no longer lists a property that it had: {_some(gone)}; the server makes it again with the next "
            "row that is sent, so take it out of the map if it was removed on purpose"
        )
    changed = [
        f"{name} ({held.collection}) from {was.type} to {held.type}"
        for name, was, held in both
        if was.type and held.type and was.type != held.type
    ]
    if changed:
        yield f"memory changed the type of {_some(changed)}"


def _in_both(before: Iterable[str], now: Container[str]) -> list[str]:
    return sorted(name for name in before if name in now)


def _some(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
