"""Strict reading of requests: an unknown member or a wrong type is a 400, as Jackson on the other side has it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping

from .answers import invalid


def document(body: bytes) -> dict:
    """The request's JSON object."""
    try:
        found = json.loads(body)
    except ValueError:
        raise invalid("Invalid input JSON on line 1, column 1") from None
    if not isinstance(found, dict):
        raise invalid("Invalid input JSON: expected an object")
    return found


def members(found: object, where: str, *, required: Collection[str] = (), allowed: Collection[str] = ()) -> dict:
    """The object at `where`, which has all required members and no others than the allowed ones."""
    if not isinstance(found, dict):
        raise invalid(f"Invalid input JSON: {where} must be an object")
    for name in found:
        if name not in required and name not in allowed:
            raise invalid(f'Invalid input JSON: unrecognized field "{name}" in {where}')
    for name in required:
        if found.get(name) is None:
            raise invalid(f"Some required fields were not set: [{name}]", context={"properties": [name]})
    return found


def text(found: Mapping, name: str) -> str | None:
    value = found.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid(f"Invalid input JSON: {name} must be a string")
    return value


def items(found: Mapping, name: str, *, of: type = str) -> list:
    """The list of that name, empty when absent; its members are all of one type."""
    value = found.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, of) for one in value):
        raise invalid(f"Invalid input JSON: {name} must be a list of {of.__name__}")
    return value


def whole(value: object, name: str, *, low: int, high: int, default: int, read: Callable = int) -> int:
    """A whole number between two bounds, which may be absent."""
    if value is None:
        return default
    try:
        number = read(value)
    except (TypeError, ValueError):
        raise invalid(f"{name} is not a whole number") from None
    if not low <= number <= high:
        raise invalid(f"Invalid {name}: it must be between {low} and {high}")
    return number


def json_number(value: object) -> int:
    """A number that is one in JSON too; true and "10" are not."""
    if type(value) is not int:
        raise TypeError
    return value


def flag(value: str | None, name: str) -> bool:
    """A query parameter that is true or false, false when absent."""
    if value not in (None, "true", "false"):
        raise invalid(f"{name} must be true or false")
    return value == "true"


def record_id(value: str | None) -> int:
    if value is None or not value.isascii() or not value.isdigit() or len(value) > 18:
        raise invalid("The id of an object must be a number", errors=[{"message": "id is not a valid long"}])
    return int(value)
