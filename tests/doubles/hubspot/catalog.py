"""The object types of the account and their properties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .answers import not_found
from .standard import ACTIVITIES, STANDARD

PROPERTY = {
    "groupName": "information",
    "description": "",
    "options": [],
    "displayOrder": -1,
    "calculated": False,
    "externalOptions": False,
    "hasUniqueValue": False,
    "hidden": False,
    "hubspotDefined": True,
    "formField": True,
    "modificationMetadata": {"archivable": True, "readOnlyDefinition": True, "readOnlyValue": False},
    "dataSensitivity": "non_sensitive",
    "updatedAt": "2024-01-01T00:00:00Z",
}
"""What a property has unless its definition says otherwise."""


@dataclass
class ObjectType:
    """One object type: how it is called, which scope reads it, and what its records have."""

    id: str
    name: str
    scope: str
    created: str = "hs_createdate"
    modified: str = "hs_lastmodifieddate"
    defaults: tuple[str, ...] = ()
    properties: dict[str, dict] = field(default_factory=dict)
    schema: dict | None = None
    """Of a custom type: what the schemas endpoint lists."""

    @property
    def system(self) -> tuple[str, str, str]:
        """The properties that every answer carries, asked for or not."""
        return (self.created, self.modified, "hs_object_id")

    def check(self, names: Iterable[str]) -> None:
        """Raise ValueError for what is no property, and for stamps, which tests set otherwise."""
        for name in names:
            if name in (self.created, self.modified):
                raise ValueError(f"{name} is set by `at` and `created`, not as a value")
            if name not in self.properties:
                raise ValueError(f"{self.name} has no property {name!r}: define() it first")

    @property
    def write_scope(self) -> str:
        return self.scope.replace(".read", ".write")

    @property
    def singular(self) -> str:
        return {"companies": "company"}.get(self.name, self.name.removesuffix("s"))


class Catalog:
    """All object types, found by name or type id."""

    def __init__(self, portal: int) -> None:
        self.portal = portal
        self.types = {one.id: one for one in map(_standard, STANDARD)}

    def find(self, name: str) -> ObjectType | None:
        by_name = {one.name: one for one in self.types.values()}
        return self.types.get(name) or by_name.get(name)

    def known(self, name: str) -> ObjectType:
        """The type, or a refusal as HubSpot words it."""
        if (found := self.find(name)) is None:
            raise not_found(f"Unable to infer object type from: {name}")
        return found

    def define(self, name: str, properties: Iterable[str | Mapping], *, label: str = "") -> ObjectType:
        """Add properties to a type; a type id of the form 2-N that is not known yet becomes a custom type."""
        if (kind := self.find(name)) is None:
            if not name.startswith("2-"):
                raise ValueError(f"{name!r} is no object type; custom ones are defined by a type id such as 2-123456")
            kind = self.types[name] = _custom(name, label or f"thing{name[2:]}", self.portal)
        for one in properties:
            made = property_of({"name": one} if isinstance(one, str) else one)
            kind.properties[made["name"]] = made | {"hubspotDefined": False}
            if kind.schema:
                kind.schema.setdefault("primaryDisplayProperty", made["name"])
        return kind


def property_of(given: Mapping) -> dict:
    """A whole property definition from its name and what is special about it."""
    whole = {"name": given["name"], "label": given["name"].replace("_", " ").title()}
    return whole | {"type": "string", "fieldType": "text"} | PROPERTY | dict(given)


def system_properties(kind: ObjectType) -> dict[str, dict]:
    read_only = {"archivable": False, "readOnlyDefinition": True, "readOnlyValue": True}
    date = {"type": "datetime", "fieldType": "date", "modificationMetadata": read_only}
    number = {"type": "number", "fieldType": "number", "modificationMetadata": read_only}
    text = {"modificationMetadata": read_only, "fieldType": "text", "type": "string"}
    found = [
        {"name": kind.created, **date},
        {"name": kind.modified, **date},
        {"name": "hs_object_id", **number, "hasUniqueValue": True},
        {"name": "hs_merged_object_ids", **text, "type": "enumeration", "fieldType": "checkbox"},
        {"name": "hubspot_owner_id", "type": "enumeration", "fieldType": "select", "externalOptions": True},
    ]
    return {one["name"]: property_of(one) for one in found}


def _standard(row: tuple[str, str, str, str, str, str, str]) -> ObjectType:
    type_id, name, scope, created, modified, defaults, properties = row
    kind = ObjectType(type_id, name, scope, created, modified, tuple(defaults.split()))
    text = properties + (ACTIVITIES if created == "hs_createdate" else "")
    kind.properties = system_properties(kind) | {one["name"]: one for one in map(_parsed, text.split("\n")) if one}
    return kind


def _parsed(line: str) -> dict:
    """One line `name type fieldType flag...`; a flag with "=" is the list of options."""
    words = line.split()
    if not words:
        return {}
    name, kind, field_type, *flags = words
    given: dict = {"name": name, "type": kind, "fieldType": field_type}
    for flag in flags:
        given |= _FLAGS[flag] if flag in _FLAGS else {"options": _options(flag.removeprefix("options="))}
    return property_of(given)


_FLAGS = {
    "unique": {"hasUniqueValue": True},
    "hidden": {"hidden": True},
    "calculated": {
        "calculated": True,
        "modificationMetadata": {"archivable": False, "readOnlyDefinition": True, "readOnlyValue": True},
    },
    "sensitive": {"dataSensitivity": "sensitive"},
    "multiline": {"textDisplayHint": "multi_line"},
    "currency": {"numberDisplayHint": "currency"},
}


def _options(text: str) -> list[dict]:
    return [
        {"label": one.replace("_", " ").title(), "value": one, "displayOrder": number, "hidden": False}
        for number, one in enumerate(text.split(";"))
    ]


def _custom(type_id: str, name: str, portal: int) -> ObjectType:
    kind = ObjectType(type_id, f"p{portal}_{name}", "crm.objects.custom.read")
    kind.properties = system_properties(kind)
    kind.schema = {
        "id": type_id.removeprefix("2-"),
        "objectTypeId": type_id,
        "name": name,
        "fullyQualifiedName": kind.name,
        "labels": {"singular": name.title(), "plural": f"{name.title()}s"},
        "requiredProperties": [],
        "searchableProperties": [],
        "secondaryDisplayProperties": [],
        "allowsSensitiveProperties": False,
        "archived": False,
        "associations": [],
        "createdAt": "2024-01-01T00:00:00Z",
        "updatedAt": "2024-01-01T00:00:00Z",
    }
    return kind
