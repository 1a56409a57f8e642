"""A property map, compiled once per run to a function from record to row."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from connectors.base import Record, Values, records_of
from sync.maps.encoding import ESCAPED_NUL, MAX_CHARACTERS, InvalidText, TooLarge, encode_odd, encode_text, inspect
from sync.maps.marks import Marker, marker
from sync.maps.model import Mapping as MappingModel
from sync.maps.model import Property, PropertyMap
from sync.maps.paths import parse_path
from sync.maps.reading import (
    ReadingFailed,
    edited_field,
    identity_reader,
    paths_of,
    plain_field,
    scalar_reader,
    text_reader,
)
from sync.maps.row import HASH_SIZE, TEXT_SIZE, Identity, MappedProperty, Reject, Row, body_with
from sync.maps.straight import MakeRow, PlainPart, Straight, TextPart
from sync.maps.values import Scalar

_FORMAT = 1
"""Part of every fingerprint: raised when rows are encoded differently, so that all are sent again."""


@dataclass(frozen=True, slots=True)
class CompiledMap:
    """What the run path needs of a property map."""

    entity_type: str
    identity: Identity
    properties: tuple[MappedProperty, ...]
    text_names: tuple[str, ...]
    """The properties with texts to extract, in the order in which `Row.texts` has those that are present."""
    source_fields: tuple[str, ...]
    """Every field or path that is read from the source, once."""
    map_hash: str
    """Changes exactly when what is delivered could change."""
    row: MakeRow
    """Map one record; never raises."""
    row_of: Callable[[Sequence[str]], Callable[[Values], Row | Reject]]
    """The same for records that come as values: told the names of their fields, what maps one of them."""


class _Plain(NamedTuple):
    row_key: str
    read: Callable[[Mapping[str, Any]], Scalar]


class _Text(NamedTuple):
    row_key: str
    read: Callable[[Mapping[str, Any]], str]
    prefix: bytes
    keyed: blake2b


class _Parts(NamedTuple):
    plain: list[_Plain]
    texts: list[_Text]
    seal: blake2b
    mark: Marker
    """Makes the identity's part of the fingerprint."""
    touch: Callable[[Record], bytes] | None


def compile_map(property_map: PropertyMap, salt: bytes) -> CompiledMap:
    """Compile a map; `salt` keeps fingerprints from being guessed and from matching those of another state store."""
    mapping = property_map.mapping
    identity = _identity(mapping)
    properties = dict(sorted(mapping.properties.items()))
    plain_part, text_parts = _definitions(mapping, properties)
    plain = [
        _Plain(name, scalar_reader(one))
        for name, one in properties.items()
        if not one.extract_memories and name != identity.row_key
    ]
    texts = [
        _Text(name, text_reader(one), _member_prefix(name), _keyed(salt, text_parts[name], TEXT_SIZE))
        for name, one in properties.items()
        if one.extract_memories
    ]
    touch = None if property_map.destination.skip_unchanged else _touch
    parts = _Parts(plain, texts, _keyed(salt, plain_part, HASH_SIZE), marker(identity.kind, salt), touch)
    careful, straight = _row_maker(mapping.identity[1], identity, parts), _straight(mapping, identity, parts)
    every = json.dumps([plain_part, *text_parts.values()])
    return CompiledMap(
        entity_type=mapping.entity_type,
        identity=identity,
        properties=tuple(_mapped(name, one) for name, one in properties.items()),
        text_names=tuple(text.row_key for text in texts),
        source_fields=_source_fields(mapping),
        map_hash=blake2b(every.encode(), digest_size=16).hexdigest(),
        row=straight.of_records(careful) if straight else careful,
        row_of=partial(_row_of, straight, careful),
    )


def _row_of(straight: Straight | None, careful: MakeRow, names: Sequence[str]) -> Callable[[Values], Row | Reject]:
    if straight is not None:
        return straight.of_values(names, careful)
    record = records_of(names)
    return lambda values: careful(record(values))


def _straight(mapping: MappingModel, identity: Identity, parts: _Parts) -> Straight | None:
    """The quick way for ordinary records; where the identity is no plain field, the careful way does it all."""
    path, properties = mapping.identity[1], mapping.properties
    if parts.touch or len(parse_path(path)) != 1:
        return None
    plain = [_plain_part(properties[key], key, read) for key, read in parts.plain]
    texts = [TextPart(plain_field(properties[key]), read, prefix, keyed) for key, read, prefix, keyed in parts.texts]
    return Straight(identity.row_key, path, plain, texts, parts.seal, parts.mark)


def _plain_part(one: Property, key: str, read: Callable[[Any], Any]) -> PlainPart:
    field, edits = edited_field(one)
    return PlainPart(key, field, read, edits)


def _row_maker(path: str, identity: Identity, parts: _Parts) -> MakeRow:
    plain, texts, seal, mark, touch = parts
    row_key, read_identity, dumps = identity.row_key, identity_reader(path), orjson.dumps

    def row(record: Record) -> Row | Reject:
        name = row_key
        try:
            fields = record.fields
            found = read_identity(fields)
            if not found:
                return _missing(record, row_key, path)
            values: dict[str, Scalar] = {row_key: found}
            for name, read in plain:
                values[name] = read(fields)
            try:
                encoded = dumps(values)
            except TypeError:
                encoded = encode_odd(values)
            keyed = seal.copy()
            keyed.update(encoded)
            if touch:
                keyed.update(touch(record))
            fingerprint = keyed.digest() + mark(found)
            size, odd, members = len(encoded), ESCAPED_NUL in encoded, []
            for name, read_text, prefix, fresh in texts:
                if text := read_text(fields):
                    member = prefix + encode_text(name, text)
                    members.append(member)
                    size += len(member)
                    odd = odd or "\0" in text
                    keyed = fresh.copy()
                    keyed.update(member)
                    fingerprint += keyed.digest()
            if odd or size > MAX_CHARACTERS:
                inspect(encoded, members)
            return Row(record.key, found, body_with(encoded, members), tuple(members), fingerprint)
        except Exception as error:
            return _reject(record, name, row_key, path, error)

    return row


def _missing(record: Record, row_key: str, path: str) -> Reject:
    expected = "expected the identity of the record"
    return Reject(record.key, "MISSING_IDENTIFIER", f"no {row_key.lstrip('_')}: the field {path} is empty, {expected}")


def _reject(record: Record, name: str, row_key: str, path: str, error: Exception) -> Reject:
    """File what went wrong with one record; messages never hold a value."""
    key = record.key
    if isinstance(error, InvalidText):
        where, what = error.args
        return Reject(key, "INVALID_TEXT", f"{where}: found {what}, expected text: clean it in the source")
    if isinstance(error, UnicodeError):
        return Reject(key, "INVALID_TEXT", f"{name}: found half a character (a lone surrogate), expected text")
    if isinstance(error, TooLarge):
        where, count = error.args
        limit = f"expected at most {MAX_CHARACTERS:,}: shorten {where} with the transform truncate"
        return Reject(key, "CONTENT_TOO_LARGE", f"found {count:,} characters in the row, {limit}")
    if isinstance(error, ReadingFailed):
        if name == row_key:
            return Reject(key, "MISSING_IDENTIFIER", f"no {row_key.lstrip('_')}: {error} in the field {path}")
        return Reject(key, "TRANSFORM_FAILED", f"{name}: {error}")
    return Reject(key, "TRANSFORM_FAILED", f"{name}: found a value that cannot be mapped ({type(error).__name__})")


def _identity(mapping: MappingModel) -> Identity:
    kind, path = mapping.identity
    name = mapping.custom_key_name if kind == "customKey" else None
    row_key = name or kind
    while row_key in mapping.properties and not _is_identity(mapping.properties[row_key], path):
        row_key = f"_{row_key}"
    return Identity(kind, row_key, name)


def _is_identity(one: Property, path: str) -> bool:
    """Whether a property is the identity's own value, so that one row key serves both."""
    return one.source_field == path and not one.transform and not one.extract_memories


def _definitions(mapping: MappingModel, properties: Mapping[str, Property]) -> tuple[str, dict[str, str]]:
    """What decides the plain values, and what decides each text, as canonical texts."""
    own = {name: _definition(one) for name, one in properties.items()}
    plain = {name: own[name] for name, one in properties.items() if not one.extract_memories}
    texts = {name: _canonical([_FORMAT, name, own[name]]) for name in properties if name not in plain}
    head = [_FORMAT, mapping.entity_type, *mapping.identity, mapping.custom_key_name]
    return _canonical([head, plain]), texts


def _definition(one: Property) -> list[Any]:
    steps = [list(step) for step in one.transform]
    return [one.source_field, one.value, one.collection_name, one.collection_id, steps, one.on_error]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _keyed(salt: bytes, definition: str, size: int) -> blake2b:
    """A hash to copy per row. Salt and definition go into its parameters: a key would cost a block more per row."""
    return blake2b(
        digest_size=size,
        salt=blake2b(salt, digest_size=blake2b.SALT_SIZE).digest(),
        person=blake2b(definition.encode("utf-8", "surrogatepass"), digest_size=blake2b.PERSON_SIZE).digest(),
    )


def _touch(record: Record) -> bytes:
    """What makes every touched record count as changed."""
    return b"\0" + record.version.encode() if record.version is not None else os.urandom(16)


def _member_prefix(name: str) -> bytes:
    return orjson.dumps(name) + b":"


def _mapped(name: str, one: Property) -> MappedProperty:
    return MappedProperty(name, name, one.extract_memories, one.collection_name, one.collection_id)


def _source_fields(mapping: MappingModel) -> tuple[str, ...]:
    paths = [mapping.identity[1], *(path for one in mapping.properties.values() for path in paths_of(one))]
    return tuple(dict.fromkeys(paths))
