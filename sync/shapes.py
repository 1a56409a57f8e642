"""A look at a stream's source and destination before a run, and what it shows that was otherwise at the last one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from connectors.base import Connector, Described, Field
from connectors.source import Source
from sync.assemble import Plan
from sync.destination import answer_of
from sync.drift import Held, Kind, Seen, Shape, carried, compare, shape_from
from sync.maps.model import PropertyMap
from sync.maps.paths import parse_path
from sync.maps.reading import paths_of
from sync.memory.collections import Collection, resolve
from sync.memory.errors import DestinationMisconfigured


def note_drift(plan: Plan, connector: Connector) -> None:
    """Note what changed in the metadata since the last run that looked, and remember it; a part of a run looks at none.

    Raises ConnectorError where the records cannot be read either: a field of the map that is gone, for one.
    """
    if plan.request.keys is not None or plan.request.shard is not None:
        return
    fields = answer_of(connector.described, plan.around.stop.pause) if isinstance(connector, Described) else ()
    kept = plan.state.shape()
    before = shape_from(kept)
    now = shape_of(plan.property_map, plan.compiled.source_fields, fields, _collections(plan), before)
    for note in compare(before, now, _extracted(plan.property_map, {one.name for one in fields})):
        plan.summary.note(note)
    text = carried(before, now).as_text()
    if text != kept:
        plan.state.keep_shape(text)


def _collections(plan: Plan) -> dict[str, Collection]:
    """Where each property goes; nothing where a name is unknown, which is told when the calls are prepared."""
    with suppress(DestinationMisconfigured):
        return resolve(plan.compiled.properties, plan.around.collections)
    return {}


def shape_of(
    property_map: PropertyMap,
    paths: Iterable[str],
    fields: Sequence[Field],
    collections: Mapping[str, Collection],
    before: Shape | None = None,
) -> Shape:
    """The shape of a stream: `paths` are what its map reads, `collections` where each property goes.

    Fields whose metadata is still as it was `before` are not judged anew.
    """
    metadata, names = _digest(fields), {one.name for one in fields}
    read = names & {_field_of(path, names) for path in paths}
    now = Shape(_object_of(property_map.source), metadata, {}, frozenset(), _held(collections))
    if before is not None and (before.of, before.metadata) == (now.of, metadata) and read <= before.fields.keys():
        return replace(now, fields={name: before.fields[name] for name in read}, texts=before.texts)
    seen = {one.name: Seen(one.type, _kind(one)) for one in fields}
    texts = frozenset(name for name, one in seen.items() if one.kind == "text")
    return replace(now, fields={name: seen[name] for name in read}, texts=texts)


def _kind(field: Field) -> Kind:
    if not field.readable:
        return "closed"
    from sync.discover.judgement import verdict_on  # most runs find the metadata as it was and judge nothing
    from sync.discover.profile import Profile

    return "text" if verdict_on(field, Profile()).kind == "text" else "plain"


def _field_of(path: str, known: Container[str]) -> str:
    """The field in which a path begins."""
    return path if path in known else parse_path(path)[0]


def _extracted(property_map: PropertyMap, known: Container[str]) -> dict[str, bool]:
    """Of each field in a property, whether memories are drawn from it there, or in another property."""
    found: dict[str, bool] = {}
    for one in property_map.mapping.properties.values():
        for path in paths_of(one):
            name = _field_of(path, known)
            found[name] = found.get(name, False) or one.extract_memories
    return found


def _object_of(source: Source) -> str:
    return " ".join(part for part in (source.connection, source.connector, source.object or "query") if part)


def _digest(fields: Sequence[Field]) -> str:
    """A digest of whatever the fields are judged by; empty where there are none."""
    facts = {
        one.name: (one.type, one.label, one.readable, one.is_key, one.free_text, bool(one.values), one.noise)
        for one in fields
    }
    return hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=12).hexdigest() if facts else ""


def _held(collections: Mapping[str, Collection]) -> dict[str, Held]:
    held = {}
    for name, collection in collections.items():
        if collection.properties is not None:
            held[name] = Held(collection.name, dict(collection.properties).get(name))
    return held
