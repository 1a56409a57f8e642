"""Finding records by a key: the four ways in which a call may name one."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sync.sandbox.answers import Refused, invalid, json_name
from sync.sandbox.applying import folded

_KEYS = {
    "email": "email",
    "websiteUrl": "website",
    "website_url": "website",
    "recordId": "recordId",
    "record_id": "recordId",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The record or records that a call names: by type, by key, by both."""

    entity_type: str | None
    key_name: str | None = None
    key_value: str = ""

    def condition(self) -> tuple[str, list[Any]]:
        """The same as SQL over `records r`, with its values."""
        parts: list[str] = []
        values: list[Any] = []
        if self.entity_type is not None:
            parts.append("r.type = ?")
            values.append(self.entity_type)
        if self.key_name is not None:
            found = "SELECT record FROM identities WHERE name = ? AND value = ?"
            values += [self.key_name, folded(self.key_name, self.key_value)]
            if self.key_name == "recordId":
                # A record's own id is given out by searches, so it is taken as a key too.
                found += " UNION SELECT id FROM records WHERE record_id = ?"
                values.append(self.key_value)
            parts.append(f"r.id IN ({found})")
        return " AND ".join(parts) or "1", values


def read_wanted(call: Mapping[str, Any]) -> Wanted:
    """Read type and key from a call; raises Refused on two keys or on a key that is no text."""
    entity_type = _optional_text(call, "type")
    given = [(name, _text(call, spelt)) for spelt, name in _KEYS.items() if call.get(spelt) is not None]
    if call.get("customKeyName") is not None or call.get("customKeyValue") is not None:
        given.append((_text(call, "customKeyName"), _text(call, "customKeyValue")))
    if len(given) > 1:
        raise invalid("identity", "expected one key, found " + ", ".join(name for name, _ in given))
    return Wanted(entity_type, *given[0]) if given else Wanted(entity_type)


def find_one(connection: sqlite3.Connection, wanted: Wanted) -> sqlite3.Row:
    """The one record that a call names, the one changed last where several types share the key; raises Refused."""
    if wanted.key_name is None:
        parameters = "email, website_url, record_id, or customKeyName with customKeyValue"
        raise Refused(400, "MISSING_PARAMS", f"expected one of {parameters}", details=[{"parameter": "identity"}])
    condition, values = wanted.condition()
    row: sqlite3.Row | None = connection.execute(
        f"SELECT r.* FROM records r WHERE {condition} ORDER BY r.updated DESC, r.id DESC LIMIT 1", values
    ).fetchone()
    if row is None:
        raise Refused(404, "RECORD_NOT_FOUND", f"no record has this {wanted.key_name}")
    return row


def read_flag(call: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """A boolean of a call."""
    value = call.get(name, default)
    if not isinstance(value, bool):
        raise invalid(name, f"expected true or false, found {json_name(value)}")
    return value


def read_count(call: Mapping[str, Any], name: str, *, default: int | None, low: int, high: int) -> int:
    """A whole number of a call, within its limits; raises Refused when it is missing without a default."""
    value = call.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        found = value if isinstance(value, int) and not isinstance(value, bool) else json_name(value)
        raise invalid(name, f"expected a whole number from {low} to {high}, found {found}")
    return value


def _text(call: Mapping[str, Any], name: str) -> str:
    value = call.get(name)
    if not isinstance(value, str) or not value.strip():
        raise invalid(name, f"expected a text, found {'an empty one' if value == '' else json_name(value)}")
    return value.strip()


def _optional_text(call: Mapping[str, Any], name: str) -> str | None:
    return None if call.get(name) is None else _text(call, name)
