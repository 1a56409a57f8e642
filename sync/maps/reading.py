"""From a property of a map to a function that reads its value from the fields of a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sync.maps.model import Property
from sync.maps.paths import Reader, parse_path, reader
from sync.maps.template import template_paths, template_reader
from sync.maps.transforms import TRANSFORMS, Change, TransformFailed, change_of
from sync.maps.values import SCALARS, Scalar, json_safe, kind_of, to_text

Fields = Mapping[str, Any]


class ReadingFailed(Exception):
    """A value that its map cannot use; the message names the step, and never the value."""


def paths_of(one: Property) -> tuple[str, ...]:
    """The fields that a property reads, as the map writes them."""
    return (one.source_field,) if one.source_field is not None else template_paths(one.value or "")


def identity_reader(path: str) -> Callable[[Fields], str]:
    """Read an identity as text without blanks around it; empty when there is none."""
    read = reader(path)

    def identity(fields: Fields) -> str:
        value = read(fields)
        if type(value) is str:
            return value.strip()
        if isinstance(value, (bool, Mapping, list, tuple, set, frozenset, bytes)):
            raise ReadingFailed(f"found {kind_of(value)}, expected text or a number")
        return to_text(value).strip()

    return identity


def scalar_reader(one: Property) -> Callable[[Fields], Scalar]:
    """Read a plain value: what JSON can hold, null included."""
    field = plain_field(one)
    if field is not None:
        return _field_reader(field)
    read = _value_reader(one)

    def scalar(fields: Fields) -> Scalar:
        value = read(fields)
        return value if type(value) in SCALARS else json_safe(value)

    return scalar


def plain_field(one: Property) -> str | None:
    """The field whose value is taken as it is; None where a path, a template or a transform stands between."""
    field = one.source_field
    return field if field is not None and not one.transform and len(parse_path(field)) == 1 else None


_EDITS = {"strip": "strip", "lower": "lower", "upper": "upper"}
"""Transforms that do to a text what this method of it does."""


def edited_field(one: Property) -> tuple[str | None, tuple[str, ...]]:
    """The field of a property and the methods of a text that are its transforms; no field where others stand there."""
    if one.source_field is None or len(parse_path(one.source_field)) != 1:
        return None, ()
    edits = tuple(_EDITS.get(step.name, "") for step in one.transform)
    return (one.source_field, edits) if all(edits) else (None, ())


def _field_reader(field: str) -> Callable[[Fields], Scalar]:
    """The most frequent case, with nothing between the field and the value."""

    def scalar(fields: Fields) -> Scalar:
        value = fields.get(field)
        return value if type(value) in SCALARS else json_safe(value)

    return scalar


def text_reader(one: Property) -> Callable[[Fields], str]:
    """Read a text to extract; empty when there is nothing to read in it."""
    read = _value_reader(one)

    def text(fields: Fields) -> str:
        value = read(fields)
        found = value if type(value) is str else to_text(value)
        return "" if found.isspace() else found

    return text


def stages(one: Property) -> list[tuple[str, Reader]]:
    """A property's value as it is read (under no name), and as it is after each of its transforms, by their names.

    The readers raise ReadingFailed for a value that a transform cannot work with, and UnicodeError.
    """
    read = reader(one.source_field) if one.source_field is not None else template_reader(one.value or "")
    found = [("", read)]
    for step in one.transform:
        change = change_of(step.name, step.argument, given=step.given)
        found.append((step.name, _then(found[-1][1], step.name, change, or_null=one.on_error is None)))
    return found


def _value_reader(one: Property) -> Reader:
    return stages(one)[-1][1]


def _then(read: Reader, name: str, change: Change, *, or_null: bool) -> Reader:
    """Add one transform; what fails becomes null, or ReadingFailed."""
    takes_null = TRANSFORMS[name].takes_null

    def changed(fields: Fields) -> Any:
        value = read(fields)
        if value is None and not takes_null:
            return None
        try:
            return change(value)
        except UnicodeError:
            if or_null:
                return None
            raise
        except Exception as error:
            if or_null:
                return None
            reason = str(error) if isinstance(error, TransformFailed) else f"cannot work with {kind_of(value)}"
            raise ReadingFailed(f"the transform {name} {reason}") from None

    return changed
