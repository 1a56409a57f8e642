"""What describe says of an object's fields, and which of them hold people's words."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors import base

COMPOUND = {"address", "location"}
UNREADABLE = COMPOUND | {"base64", "encryptedstring"}
_NOISE_TYPES = UNREADABLE | {"json", "complexvalue", "datacategorygroupreference"}
_SPOKEN = {"Description", "Comments", "CommentBody", "Body", "TextBody", "HtmlBody"}
_MACHINE = {"Headers", "Recurrence2PatternText"}
_SHORTEST = 256
_SYSTEM = {
    "CreatedById", "LastModifiedById", "SystemModstamp", "IsDeleted", "LastViewedDate", "LastReferencedDate",
    "PhotoUrl", "Jigsaw", "JigsawContactId", "CleanStatus", "MasterRecordId",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field, as describe shows it; what a server leaves out is taken for ordinary."""

    name: str
    type: str = "string"
    label: str = ""
    length: int = 0
    help: str = ""
    nillable: bool = True
    calculated: bool = False
    custom: bool = False
    filterable: bool = True
    auto: bool = False
    unique: bool = False
    name_field: bool = False
    hidden: bool = False
    encrypted: bool = False
    html: bool = False
    compound: str | None = None
    """The field of which this one is a part."""
    targets: tuple[str, ...] = ()
    relationship: str | None = None
    polymorphic: bool = False
    values: tuple[str, ...] = ()

    @staticmethod
    def of(found: Mapping[str, Any]) -> FieldInfo:
        """Read one entry of `fields`."""
        values = found.get("picklistValues") or ()
        targets = tuple(one for one in found.get("referenceTo") or () if named(one))
        return FieldInfo(
            name=str(found.get("name")),
            type=str(found.get("type") or "string"),
            label=str(found.get("label") or ""),
            length=int(found.get("length") or 0),
            help=str(found.get("inlineHelpText") or ""),
            nillable=bool(found.get("nillable", True)),
            calculated=bool(found.get("calculated")),
            custom=bool(found.get("custom")),
            filterable=bool(found.get("filterable", True)),
            auto=bool(found.get("autoNumber")),
            unique=bool(found.get("unique") or found.get("externalId")),
            name_field=bool(found.get("nameField")),
            hidden=bool(found.get("deprecatedAndHidden")),
            encrypted=bool(found.get("encrypted")) or found.get("type") == "encryptedstring",
            html=bool(found.get("htmlFormatted")) or found.get("extraTypeInfo") == "richtextarea",
            compound=named(found.get("compoundFieldName")),
            targets=targets,
            relationship=named(found.get("relationshipName")),
            polymorphic=bool(found.get("polymorphicForeignKey") or found.get("namePointing")) or len(targets) > 1,
            values=tuple(str(one.get("value")) for one in values if isinstance(one, dict) and one.get("active", True)),
        )

    @property
    def is_long_text(self) -> bool:
        """Whether REST gives smaller pages when two such custom fields are read."""
        return self.type == "textarea" and self.length > 255


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object and its fields by name."""

    name: str
    fields: Mapping[str, FieldInfo]
    queryable: bool = True

    @staticmethod
    def of(found: Mapping[str, Any]) -> ObjectInfo:
        """Read an answer of describe; what has no name cannot be asked for, and is left out."""
        fields = (FieldInfo.of(one) for one in found.get("fields") or () if named(one.get("name")))
        return ObjectInfo(str(found.get("name")), {one.name: one for one in fields}, bool(found.get("queryable", True)))

    def lookup(self, relationship: str) -> FieldInfo | None:
        """The field behind a relationship's name."""
        return next((one for one in self.fields.values() if one.relationship == relationship and one.targets), None)

    @property
    def relationships(self) -> list[str]:
        """The names with which paths may begin."""
        return [one.relationship for one in self.fields.values() if one.relationship and one.targets]

    def parts_of(self, compound: str) -> list[str]:
        """The fields that make a compound field up."""
        return [one.name for one in self.fields.values() if one.compound == compound and one.name != compound]


def field_of(one: FieldInfo) -> base.Field:
    """A field as `discover` and `init` show it."""
    free, reason = free_text(one)
    return base.Field(
        name=one.name,
        type=f"{one.type}({one.length})" if one.length and one.type in ("string", "textarea") else one.type,
        label=one.label,
        comment=one.help,
        nullable=one.nillable,
        is_key=one.type == "id",
        readable=one.type not in UNREADABLE,
        values=one.values,
        free_text=free,
        reason=reason,
        noise=_noise(one),
    )


def free_text(one: FieldInfo) -> tuple[bool | None, str]:
    """Whether a field holds people's words, and why; the first rule that fits decides."""
    if one.hidden or one.encrypted or one.type in _NOISE_TYPES:
        return False, "cannot be read as text"
    if one.type not in ("textarea", "string", "combobox"):
        return False, f"type {one.type}"
    if one.calculated or one.auto or one.unique or one.name_field:
        return False, "a name, computed, numbered, or unique"
    if one.compound is not None:
        return False, f"part of {one.compound}"
    if one.name in _MACHINE:
        return False, "written by machines"
    if one.type == "textarea" and (one.length >= _SHORTEST or one.name in _SPOKEN):
        return True, "rich text" if one.html else "long text"
    if one.type != "textarea" and one.length >= _SHORTEST - 1:
        return None, "a line of text: it depends on how it is used"
    return False, "a short text"


def _noise(one: FieldInfo) -> str:
    if one.hidden:
        return "hidden"
    if one.encrypted:
        return "sensitive"
    if one.type in _NOISE_TYPES or one.name in _SYSTEM or one.name in _MACHINE:
        return "system field"
    return ""


def named(name: Any) -> str | None:
    """A name in an answer; None where it is empty or no text."""
    return name if isinstance(name, str) and name else None


def near(name: str, known: Iterable[str]) -> str:
    """`; did you mean ...?` with up to three names that are spelt alike, or nothing."""
    lower = {one.lower(): one for one in known}
    alike = [lower[one] for one in difflib.get_close_matches(name.lower(), lower, 3, 0.7)]
    alike += [
        one for key, one in lower.items() if key in (f"{name.lower()}__c", f"{name.lower()}id") and one not in alike
    ]
    return f"; did you mean {' or '.join(alike[:3])}?" if alike else ""
