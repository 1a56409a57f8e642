"""The shapes of HubSpot's answers, as its public OpenAPI documents give them, and a check against them.

A shape is a type, a list of one shape, a mapping of members ("name?" may be absent), `Each` of a mapping's values,
or `Or` of several. A member that a shape does not know is a fault, as is a value of another type.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


class Each(NamedTuple):
    """A mapping of any names to values of one shape."""

    shape: object


class Or(NamedTuple):
    """One of several shapes; None stands for null, a text for itself."""

    shapes: tuple


MOMENT = "an ISO 8601 moment"
TEXT = Or((str, None))
NEXT = {"next?": {"after": str, "link?": str}}
DETAIL = {"message": str, "code?": str, "in?": str, "subCategory?": str, "context?": Each([str])}
ERROR = {
    "status?": str,
    "message": str,
    "category": str,
    "correlationId": str,
    "subCategory?": str,
    "context?": Each([str]),
    "errors?": [DETAIL],
    "links?": Each(str),
}
BATCH_ERROR = {
    "status": str,
    "category": str,
    "message": str,
    "subCategory?": str,
    "context": Each([str]),
    "errors": [DETAIL],
    "links": Each(str),
}
LIMIT = {
    "status": "error",
    "message": str,
    "errorType": str,
    "correlationId": str,
    "policyName?": Or(("SECONDLY", "TEN_SECONDLY_ROLLING", "DAILY")),
    "groupName?": str,
}

HISTORY = {"value": str, "timestamp": MOMENT, "sourceType": str, "sourceId?": str, "sourceLabel?": str}
OBJECT = {
    "id": str,
    "properties": Each(TEXT),
    "propertiesWithHistory?": Each([HISTORY]),
    "createdAt": MOMENT,
    "updatedAt": MOMENT,
    "archived": bool,
    "archivedAt?": MOMENT,
}
LINKED = OBJECT | {"associations?": Each({"results": [{"id": str, "type": str}], "paging?": NEXT})}
LIST = {"results": [LINKED], "paging?": NEXT}
SEARCH = {"total": int, "results": [OBJECT], "paging?": NEXT}
_BATCH = {"status": "COMPLETE", "startedAt": MOMENT, "completedAt": MOMENT, "requestedAt?": MOMENT}
_ERRORS = {"numErrors?": int, "errors?": [BATCH_ERROR]}
BATCH_READ = {**_BATCH, "results": [OBJECT], **_ERRORS}

_LINK_TYPE = {"category": Or(("HUBSPOT_DEFINED", "USER_DEFINED")), "typeId": int, "label": TEXT}


def associations(to_object_id: type) -> dict:
    """Of an associations batch read: the id is a number on v4, and text, as declared, on date versions."""
    to = {"toObjectId": to_object_id, "associationTypes": [_LINK_TYPE]}
    return {**_BATCH, "results": [{"from": {"id": str}, "to": [to], "paging?": NEXT}], **_ERRORS}


_OPTION = {"label": str, "value": str, "displayOrder?": int, "hidden": bool, "description?": str}
PROPERTY = {
    "name": str,
    "label": str,
    "type": str,
    "fieldType": str,
    "groupName": str,
    "description": str,
    "options": [_OPTION],
    "displayOrder?": int,
    "calculated?": bool,
    "externalOptions?": bool,
    "hasUniqueValue?": bool,
    "hidden?": bool,
    "hubspotDefined?": bool,
    "formField?": bool,
    "referencedObjectType?": str,
    "modificationMetadata?": {"archivable": bool, "readOnlyDefinition": bool, "readOnlyValue": bool},
    "dataSensitivity?": Or(("non_sensitive", "sensitive", "highly_sensitive")),
    "updatedAt?": MOMENT,
}
PROPERTY_V3 = PROPERTY | {"textDisplayHint?": str, "numberDisplayHint?": str, "currencyPropertyName?": str}


def properties(shape: dict) -> dict:
    return {"results": [shape]}


def schemas(shape: dict) -> dict:
    """Custom types with their properties, in one page."""
    one = {
        "id": str,
        "name": str,
        "objectTypeId": str,
        "fullyQualifiedName": str,
        "labels": {"singular?": str, "plural?": str},
        "primaryDisplayProperty?": str,
        "requiredProperties": [str],
        "searchableProperties": [str],
        "secondaryDisplayProperties": [str],
        "properties": [shape],
        "associations": [dict],
        "allowsSensitiveProperties": bool,
        "archived": bool,
        "createdAt?": MOMENT,
        "updatedAt?": MOMENT,
    }
    return {"results": [one]}


OWNER = {
    "id": str,
    "type": Or(("PERSON", "QUEUE")),
    "email?": str,
    "firstName?": str,
    "lastName?": str,
    "userId?": int,
    "createdAt": MOMENT,
    "updatedAt": MOMENT,
    "archived": bool,
}
OWNERS = {"results": [OWNER], "paging?": NEXT}
ACCOUNT = {
    "portalId": int,
    "accountType": Or(("APP_DEVELOPER", "DEVELOPER_TEST", "SANDBOX", "STANDARD")),
    "timeZone": str,
    "companyCurrency": str,
    "additionalCurrencies": [str],
    "utcOffset": str,
    "utcOffsetMilliseconds": int,
    "uiDomain": str,
    "dataHostingLocation": str,
}
USAGE = {
    "results": [
        {
            "name": str,
            "usageLimit": int,
            "currentUsage": int,
            "collectedAt": MOMENT,
            "fetchStatus": Or(("CACHED", "FAILURE", "NOTFOUND", "SUCCESS", "TIMEOUT")),
            "resetsAt?": MOMENT,
        }
    ]
}


def faults(shape: object, value: object, where: str = "the answer") -> list[str]:
    """Where a value is not of a shape; nothing when it is."""
    if isinstance(shape, Or):
        return [] if any(not faults(one, value) for one in shape.shapes) else [f"{where} is {value!r}"]
    if isinstance(shape, dict | Each):
        return _mapping_faults(shape, value, where)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{where} is no list"]
        return [one for number, item in enumerate(value) for one in faults(shape[0], item, f"{where}[{number}]")]
    return [] if _is(shape, value) else [f"{where} is {value!r}"]


def _mapping_faults(shape: dict | Each, value: object, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where} is no object"]
    if isinstance(shape, Each):
        return [one for name, item in value.items() for one in faults(shape.shape, item, f"{where}.{name}")]
    members = {name.removesuffix("?"): inner for name, inner in shape.items()}
    found = [f"{where}.{name} is absent" for name in shape if not name.endswith("?") and name not in value]
    found += [f"{where}.{name} is unknown" for name in value if name not in members]
    for name in members.keys() & value.keys():
        found += faults(members[name], value[name], f"{where}.{name}")
    return found


def _is(shape: object, value: object) -> bool:
    if shape is MOMENT:
        return isinstance(value, str) and _MOMENT.fullmatch(value) is not None
    if isinstance(shape, type):
        return type(value) is shape
    return value == shape
