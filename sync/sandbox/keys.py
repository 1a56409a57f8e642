"""Keys that a record gets besides its own: it is found, and written to, by them as well."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from sync.sandbox.answers import invalid, json_name
from sync.sandbox.applying import folded, owner_of, record_id
from sync.sandbox.batch import identity_of
from sync.sandbox.lookup import find_one, read_wanted

_NAMES = {"email": "email", "websiteUrl": "website", "website_url": "website", "recordId": "recordId"}
MOST = 50


def update_keys(connection: sqlite3.Connection, call: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a call that adds keys; a key that another record has is a conflict and stays where it is."""
    wanted = read_wanted(call)
    if wanted.entity_type is None:
        raise invalid("type", "expected the record's entity type")
    keys = call.get("keys")
    if not isinstance(keys, dict) or not 1 <= len(keys) <= MOST:
        raise invalid("keys", f"expected an object of 1 to {MOST} keys, found {json_name(keys)}")
    row = find_one(connection, wanted)
    registered, conflicts, rejected = 0, [], []
    for given, value in keys.items():
        name = str(_NAMES.get(given, given))
        identity = identity_of(value)
        if identity is None:
            rejected.append({"keyName": given, "reason": "expected a text"})
            continue
        owner = _owner(connection, wanted.entity_type, name, identity)
        if owner not in (None, row["record_id"]):
            conflicts.append({"keyName": given, "keyValue": identity, "existingRecordId": owner})
            continue
        _add(connection, row, name, folded(name, identity))
        registered += 1
    return {"recordId": row["record_id"], "registered": registered, "conflicts": conflicts, "rejected": rejected}


def _owner(connection: sqlite3.Connection, entity_type: str, name: str, identity: str) -> str | None:
    """The record that has a key, as its own or as a further one."""
    own = record_id(entity_type, name, identity)
    is_there = connection.execute("SELECT 1 FROM records WHERE record_id = ?", (own,)).fetchone()
    return owner_of(connection, entity_type, name, identity) or (own if is_there else None)


def _add(connection: sqlite3.Connection, row: sqlite3.Row, name: str, value: str) -> None:
    connection.execute("INSERT OR IGNORE INTO aliases VALUES (?, ?, ?, ?)", (row["type"], name, value, row["id"]))
    connection.execute("INSERT OR IGNORE INTO identities VALUES (?, ?, ?)", (name, value, row["id"]))
