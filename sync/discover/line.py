"""One property of a proposed map, and those by which a record is found: its identity and its id in the source."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sync.discover.fitting import Shelf
from sync.discover.identity import Identity
from sync.discover.looking import Look
from sync.discover.words import property_name

SIMPLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Line:
    """One property."""

    name: str
    source: str | None
    """The field, where it is taken as it is."""
    value: str | None = None
    """The template, where it is composed."""
    shelf: Shelf = field(default_factory=lambda: Shelf("Contacts"))
    reason: str = ""
    transform: tuple[str, ...] = ()
    """Names of transforms, or `{truncate: 50000}`."""
    extract: bool = False


def key_of(look: Look) -> tuple[str, ...]:
    """The fields that identify a record in its source."""
    if look.reading is not None:
        return tuple(look.reading.primary_key)
    return tuple(one.name for one in look.fields if one.is_key and one.readable)


def known_by(identity: Identity, shelf: Shelf, look: Look, taken: set[str]) -> list[Line]:
    """By what a record is known, as properties: to be found by, and for `onIdentityChange: rekey`."""
    lines: list[Line] = []
    if identity.kind != "customKey":
        own = property_name(identity.path, "", taken)
        name = "email" if identity.kind == "email" and "email" not in taken else own
        lines.append(Line(name, identity.path, None, shelf, reason="plain: what its records are known by"))
    key = key_of(look)
    if len(key) == 1 and key[0] != (lines[0].source if lines else None) and SIMPLE.fullmatch(key[0]):
        prefix = "source" if look.place.connector == "postgres" else look.place.connector
        name = property_name(f"{prefix}_id", "", {*taken, *(line.name for line in lines)})
        lines.append(Line(name, key[0], None, shelf, reason="plain: leads back to the record in its source"))
    elif identity.kind == "customKey" and identity.path not in key:
        name = property_name(identity.path, "", taken)
        lines.append(Line(name, identity.path, None, shelf, reason="plain: what its records are known by"))
    return lines
