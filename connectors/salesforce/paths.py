"""From a map's paths to columns: each step is checked against describe, relationships included."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from connectors.base import SourceMisconfigured
from connectors.salesforce.metadata import COMPOUND, UNREADABLE, FieldInfo, ObjectInfo, near
from connectors.salesforce.values import Column, Path

Describe = Callable[[str], ObjectInfo]

DEEPEST = 5
# Behind a lookup that may point at several objects stands the object Name, with these fields.
NAME_FIELDS = {
    "Id": "id", "Name": "string", "FirstName": "string", "LastName": "string", "Type": "string", "Email": "email",
    "Phone": "phone", "Title": "string", "Alias": "string", "Username": "string",
}  # fmt: skip
_INDEX = re.compile(r"\[(\d+)\]")


def steps_of(path: str) -> Path:
    """A path's steps: `Account.Name` has two."""
    return tuple(_INDEX.sub(r".\1", path).split("."))


def resolve(path: Path, of: ObjectInfo, describe: Describe) -> Column:
    """The column at a path; raises SourceMisconfigured, naming the step that fails and what is spelt alike."""
    shown = f"{of.name}: {'.'.join(path)}"
    if len(path) - 1 > DEEPEST:
        raise SourceMisconfigured(f"{shown}: Salesforce follows at most {DEEPEST} relationships; shorten the path")
    info = of
    for at, step in enumerate(path[:-1]):
        lookup = info.lookup(step)
        if lookup is None:
            raise _no_relationship(shown, step, info)
        if lookup.polymorphic:
            return _through_name(shown, path, at, lookup)
        info = describe(lookup.targets[0])
    return Column(path, _readable(shown, path[-1], info).type)


def _readable(shown: str, name: str, info: ObjectInfo) -> FieldInfo:
    found = info.fields.get(name)
    if found is None:
        raise _no_field(shown, name, info)
    if found.type in COMPOUND:
        parts = info.parts_of(name)
        hint = f": name its parts, such as {', '.join(parts[:3])}" if parts else ""
        raise SourceMisconfigured(f"{shown} is a compound field ({found.type}), which has no value of its own{hint}")
    if found.type == "base64":
        raise SourceMisconfigured(f"{shown} holds a file (base64), which is not text: leave it out")
    if found.type == "encryptedstring":
        raise SourceMisconfigured(
            f"{shown} is encrypted: Salesforce gives asterisks instead of the value; leave it out"
        )
    return found


def _through_name(shown: str, path: Path, at: int, lookup: FieldInfo) -> Column:
    rest = path[at + 1 :]
    if len(rest) == 1 and rest[0] in NAME_FIELDS:
        return Column(path, NAME_FIELDS[rest[0]])
    among = ", ".join(lookup.targets[:4]) + (" and others" if len(lookup.targets) > 4 else "")
    raise SourceMisconfigured(
        f"{shown}: {path[at]} may be one of {among}; through it only {', '.join(NAME_FIELDS)} can be read"
    )


def _no_field(shown: str, name: str, info: ObjectInfo) -> SourceMisconfigured:
    if info.lookup(name) is not None:
        return SourceMisconfigured(f"{shown}: {name} is a relationship; expected a field behind it: {name}.Name")
    return SourceMisconfigured(
        f"{shown}: {info.name} has no field {name}, or the user may not see it (field-level security)"
        f"{near(name, info.fields)}"
    )


def _no_relationship(shown: str, step: str, info: ObjectInfo) -> SourceMisconfigured:
    known = info.relationships
    hint = near(step, known)
    field = info.fields.get(step)
    if field is not None and field.relationship:
        hint = f"; did you mean {field.relationship}?"
    return SourceMisconfigured(
        f"{shown}: {info.name} has no relationship {step}, or the user may not see its field (field-level "
        f"security){hint}"
    )


def every(info: ObjectInfo) -> list[Path]:
    """The paths of all fields that can be read."""
    return [(one.name,) for one in info.fields.values() if one.type not in UNREADABLE and not one.hidden]


def distinct(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Each column once: SOQL refuses a field that is selected twice."""
    return tuple({column.path: column for column in columns}.values())
