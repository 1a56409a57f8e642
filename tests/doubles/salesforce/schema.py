"""Which objects and fields the org has."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .fields import Field, parse_field
from .objects_messages import MESSAGES
from .objects_people import PEOPLE
from .objects_work import WORK

_DATED = ("CreatedDate datetime system required", "CreatedById reference ->User system required")
_MODIFIED = (
    "LastModifiedDate datetime system required",
    "LastModifiedById reference ->User system required",
    "SystemModstamp datetime system required",
)
_DELETED = "IsDeleted boolean system required"
_SYSTEM_FIELDS = {
    "all": (_DELETED, *_DATED, *_MODIFIED),
    "kept": (*_DATED, *_MODIFIED),
    "dated": (_DELETED, *_DATED),
    "modstamp": (_DELETED, "SystemModstamp datetime system required"),
    "bare": (),
}


@dataclass(frozen=True)
class SObject:
    """An object: its fields by name, in the order in which describe names them."""

    name: str
    prefix: str
    plural: str
    marks: frozenset[str]
    fields: dict[str, Field]

    @property
    def visible(self) -> dict[str, Field]:
        """The fields that the running user may see."""
        return {name: field for name, field in self.fields.items() if not field.hidden}

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def name_field(self) -> str | None:
        return next((field.name for field in self.fields.values() if "name" in field.flags), None)

    def field(self, name: str) -> Field | None:
        """The visible field with this name, however it is spelled; None where there is none."""
        found = self.fields.get(name)
        if found is None:
            lowered = name.lower()
            found = next((field for field in self.fields.values() if field.name.lower() == lowered), None)
        return None if found is None or found.hidden else found

    def lookup(self, relationship: str) -> Field | None:
        """The visible lookup whose relationship has this name."""
        wanted = relationship.lower()
        found = (field for field in self.fields.values() if field.targets and not field.hidden)
        return next((field for field in found if (field.relationship or "").lower() == wanted), None)


class Schema:
    """The org's objects; custom ones and fields can be added, fields can be hidden."""

    def __init__(self) -> None:
        self.objects: dict[str, SObject] = {}
        self._hidden: dict[str, SObject] = {}
        for block in "\n".join((PEOPLE, WORK, MESSAGES)).strip().split("\n\n"):
            header, *lines = block.strip().splitlines()
            name, prefix, plural, *marks = header.split()
            self._enter(name, prefix, plural.replace("_", " "), frozenset(marks), lines)

    def __getitem__(self, name: str) -> SObject:
        """The object of exactly this name; KeyError where there is none."""
        return self.objects[name]

    def __iter__(self) -> Iterator[SObject]:
        return iter(list(self.objects.values()))

    def find(self, name: str) -> SObject | None:
        """The object with this name, however it is spelled."""
        lowered = name.lower()
        return self.objects.get(name) or next((found for found in self if found.name.lower() == lowered), None)

    def of_id(self, id: str) -> SObject | None:
        """The object to which a record id belongs."""
        return next((found for found in self if found.prefix == id[:3]), None)

    def define(self, name: str, lines: tuple[str, ...], marks: frozenset[str]) -> SObject:
        """Add a custom object, or fields to one that exists."""
        if name in self.objects:
            added = [parse_field(line) for line in lines]
            self.objects[name].fields.update({field.name: field for field in added})
            return self.objects[name]
        number = sum(1 for found in self if found.custom)
        label = name.removesuffix("__c").replace("_", " ")
        if not any("name" in line.split() for line in lines):
            lines = ("Name string 80 name", *lines)
        system = marks & _SYSTEM_FIELDS.keys() or {"all"}
        return self._enter(name, f"a{number:02d}", f"{label}s", marks | {"undelete", *system}, list(lines))

    def hide_object(self, name: str, *, hidden: bool) -> None:
        """Take an object out of the running user's sight, or bring it back."""
        origin, goal = (self.objects, self._hidden) if hidden else (self._hidden, self.objects)
        goal[name] = origin.pop(name)

    def hide(self, name: str, field: str, *, hidden: bool) -> None:
        """Take a field out of the running user's sight, or bring it back."""
        fields = self.objects[name].fields
        fields[field] = replace(fields[field], hidden=hidden)

    def _enter(self, name: str, prefix: str, plural: str, marks: frozenset[str], lines: list[str]) -> SObject:
        system = next(_SYSTEM_FIELDS[mark] for mark in marks if mark in _SYSTEM_FIELDS)
        owned = ["OwnerId reference ->Group|User required"] if name.endswith("__c") else []
        fields = [parse_field(line) for line in ("Id id system required", *lines, *owned, *system)]
        self.objects[name] = SObject(name, prefix, plural, marks, {field.name: field for field in fields})
        return self.objects[name]
