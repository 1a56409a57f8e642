"""The paths of the API in both of its forms: `v3` with its relatives, and versions named by a date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

LEGACY = "v3"
V4_ENDS = date(2027, 3, 30)
V3_ENDS = date(2027, 9, 30)

_LEGACY: Mapping[str, str] = {
    "list": "/crm/v3/objects/{object}",
    "search": "/crm/v3/objects/{object}/search",
    "batch": "/crm/v3/objects/{object}/batch/read",
    "properties": "/crm/v3/properties/{object}",
    "associations": "/crm/v4/associations/{object}/{other}/batch/read",
    "schemas": "/crm-object-schemas/v3/schemas",
    "account": "/account-info/v3/details",
}
_DATED: Mapping[str, str] = {
    "list": "/crm/objects/{version}/{object}",
    "search": "/crm/objects/{version}/{object}/search",
    "batch": "/crm/objects/{version}/{object}/batch/read",
    "properties": "/crm/properties/{version}/{object}",
    "associations": "/crm/associations/{version}/{object}/{other}/batch/read",
    "schemas": "/crm-object-schemas/{version}/schemas",
    "account": "/account-info/{version}/details",
}
_SOON = 180
"""Days before its end from which on a version is spoken of."""


def path_of(purpose: str, version: str, object: str = "", other: str = "") -> str:
    """The path for a purpose; names of objects hold nothing that would have to be quoted."""
    table = _LEGACY if version == LEGACY else _DATED
    return table[purpose].format(version=version, object=object, other=other)


def remark_on(version: str, today: date, *, associating: bool) -> str:
    """What a person should know of the version in use; empty while it is far from its end."""
    if version != LEGACY:
        return ""
    what, end = ("v4 associations", V4_ENDS) if associating else ("v3", V3_ENDS)
    if (end - today).days > _SOON:
        return ""
    if today >= end:
        return f"HubSpot's support of {what} ended on {end.isoformat()}: set HUBSPOT_API_VERSION=2026-09"
    return (
        f"nothing to do today: HubSpot supports {what} until {end.isoformat()}; before that day, set "
        "HUBSPOT_API_VERSION=2026-09 and run `memsync validate`"
    )
