"""What HubSpot says of an object's properties, and which of them hold people's words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from connectors.base import Field
from connectors.hubspot.objects import ObjectType

KEY = "hs_object_id"
MERGED = ("hs_merged_object_ids", "hs_calculated_merged_vids")
TOP_LEVEL = {"id": "id", "createdAt": "createdAt", "updatedAt": "updatedAt"}
"""What every record has beside its properties."""
_TECHNICAL = re.compile(r"emails|ids|urls?$|_json$|headers")


@dataclass(frozen=True, slots=True)
class Property:
    """One property's definition; what a server leaves out is taken for ordinary."""

    name: str
    type: str = "string"
    field_type: str = "text"
    label: str = ""
    description: str = ""
    options: tuple[str, ...] = ()
    hidden: bool = False
    read_only: bool = False
    computed: bool = False
    """Made by HubSpot out of other values."""
    unique: bool = False
    refers: bool = False
    sensitivity: str = "non_sensitive"
    several_lines: bool = False

    @staticmethod
    def of(found: Mapping[str, Any]) -> Property:
        """Read one entry of the properties endpoint."""
        rights = found.get("modificationMetadata") or {}
        kind = str(found.get("fieldType") or "text")
        options = [str(one.get("value")) for one in found.get("options") or () if isinstance(one, dict)]
        return Property(
            name=str(found.get("name")),
            type=str(found.get("type") or "string"),
            field_type=kind,
            label=str(found.get("label") or ""),
            description=str(found.get("description") or ""),
            options=tuple(options),
            hidden=bool(found.get("hidden")),
            read_only=bool(rights.get("readOnlyValue")),
            computed=bool(found.get("calculated") or found.get("externalOptions") or kind.startswith("calculation_")),
            unique=bool(found.get("hasUniqueValue")),
            refers=bool(found.get("referencedObjectType")),
            sensitivity=str(found.get("dataSensitivity") or "non_sensitive"),
            several_lines=found.get("textDisplayHint") == "multi_line",
        )


def by_name(found: Iterable[Mapping[str, Any]]) -> dict[str, Property]:
    """The definitions under their names."""
    properties = (Property.of(one) for one in found if one.get("name"))
    return {one.name: one for one in properties}


def field_of(one: Property, of: ObjectType) -> Field:
    """A property as `discover` and `init` show it."""
    free, reason = free_text(one, of)
    return Field(
        name=one.name,
        type=one.type if one.type == one.field_type else f"{one.type}/{one.field_type}",
        label=one.label,
        comment=one.description,
        is_key=one.name == KEY,
        values=one.options,
        free_text=free,
        reason=reason,
        noise=_noise(one, of),
    )


def free_text(one: Property, of: ObjectType) -> tuple[bool | None, str]:
    """Whether a property holds people's words, and why; the first rule that fits decides."""
    if one.type != "string":
        return False, f"type {one.type}"
    if one.options or one.computed or one.unique or one.refers:
        return False, "a list of values, computed, unique, or a reference"
    if one.sensitivity != "non_sensitive":
        return False, "sensitive"
    if one.name in of.bodies:
        return True, "people's own words"
    if one.name in of.titles:
        return False, "a headline"
    if one.hidden or one.read_only or _TECHNICAL.search(one.name):
        return False, "hidden, read-only or technical"
    if one.field_type in {"html", "textarea"} or one.several_lines:
        return True, f"{one.field_type} field"
    return None, "a line of text: it depends on how it is used"


def _noise(one: Property, of: ObjectType) -> str:
    if one.sensitivity != "non_sensitive":
        return "sensitive"
    if one.hidden:
        return "hidden"
    if one.name in of.bodies | of.titles:
        return ""
    if one.name.startswith("hs_") and (one.read_only or one.computed):
        return "system field"
    return ""


def near(name: str, known: Iterable[str], shown: Mapping[str, str] = MappingProxyType({})) -> str:
    """`; did you mean ...?` with up to three names that are spelt alike, as they are `shown`, or nothing."""
    names = list(known)
    lower = {one.lower(): one for one in names}
    alike = [lower[one] for one in difflib.get_close_matches(name.lower(), lower, 3, 0.7)]
    longer = [one for one in names if one.startswith(f"{name.lower()}_") or one.endswith(f"_{name.lower()}")]
    alike += [one for one in longer if one not in alike]
    alike = [one for one in dict.fromkeys(shown.get(one, one) for one in alike) if one != name]
    return f"; did you mean {' or '.join(alike[:3])}?" if alike else ""


def missing(names: Sequence[str], known: Mapping[str, Property]) -> list[str]:
    """The names that are no property."""
    return [name for name in names if name not in known and name != KEY and name not in TOP_LEVEL]
