"""Records as they go over the wire: all values text or null, stamps in ISO 8601."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .catalog import ObjectType
from .stamps import iso
from .standard import EMAIL_CONTENT
from .store import Row


class Wanted:
    """Which properties an answer shows: the defaults when none are named; unknown names are passed over silently."""

    def __init__(self, kind: ObjectType, names: Iterable[str], scopes: Collection[str] | None) -> None:
        readable = {name: one for name, one in kind.properties.items() if readable_with(one, scopes, kind)}
        asked = [name for name in names if name]
        self.kind = kind
        self.names = [name for name in asked or kind.defaults if name in readable and name not in kind.system]
        self.withheld: Collection[str] = ()
        if kind.name == "emails" and scopes is not None and "sales-email-read" not in scopes:
            self.withheld = EMAIL_CONTENT


def readable_with(definition: dict, scopes: Collection[str] | None, kind: ObjectType) -> bool:
    """Sensitive properties show only with a scope of their own."""
    if definition["dataSensitivity"] == "non_sensitive" or scopes is None:
        return True
    extra = definition["dataSensitivity"]
    return kind.scope.replace(".read", f".{extra}.read") in scopes or f"tickets.{extra}" in scopes


def record(row: Row, wanted: Wanted, history: Collection[str] = ()) -> dict:
    """One record as list, search and batch read answer it."""
    made: dict = {"id": str(row.id), "properties": _values(row, wanted)}
    if history:
        made["propertiesWithHistory"] = {
            name: _history(row, name) for name in history if name in wanted.kind.properties
        }
    made |= {"createdAt": iso(row.created), "updatedAt": iso(row.modified), "archived": row.archived is not None}
    if row.archived is not None:
        made["archivedAt"] = iso(row.archived)
    return made


def _values(row: Row, wanted: Wanted) -> dict[str, str | None]:
    values = {name: row.properties.get(name) for name in wanted.names}
    for name in wanted.withheld:
        if name in values:
            values[name] = None
    kind = wanted.kind
    system = {kind.created: iso(row.created), kind.modified: iso(row.modified), "hs_object_id": str(row.id)}
    return values | system


def _history(row: Row, name: str) -> list[dict]:
    value = row.properties.get(name)
    return [] if value is None else [{"value": value, "timestamp": iso(row.modified), "sourceType": "CRM_UI"}]
