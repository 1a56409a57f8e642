"""Which field of an object tells that a record changed."""

from __future__ import annotations

from connectors.base import SourceMisconfigured
from connectors.salesforce import Source
from connectors.salesforce.metadata import ObjectInfo, near

STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate", "LoginTime")
"""Fields that move when a record changes, the best first."""


def cursor_of(source: Source, info: ObjectInfo) -> str | None:
    """The field that moves when a record changes; None: every run reads everything."""
    name = source.cursor_field
    if source.reads_all:
        return None
    if name is None:
        usable = (one for one in STAMPS if one in info.fields and info.fields[one].filterable)
        return next(usable, None)
    found = info.fields.get(name)
    if found is None:
        raise SourceMisconfigured(
            f"cursorField {name}: {info.name} has no such field, or the user may not see it (field-level security)"
            f"{near(name, info.fields)}"
        )
    if found.type != "datetime" or not found.filterable or found.calculated:
        kind = (
            "a formula"
            if found.calculated
            else f"of type {found.type}" + ("" if found.filterable else ", not filterable")
        )
        raise SourceMisconfigured(
            f"cursorField {name}: it is {kind}; expected a stored date and time that moves with every change, such as "
            "SystemModstamp"
        )
    return name
