"""The paths of both versions, what each is called in counts, and who answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from . import associations, metadata, reading, searching, writing
from .account import Account, Call
from .answers import Answer

Handler = Callable[[Account, Call], Answer]
DATE = "2026-09"


class Route(NamedTuple):
    """One method on one path."""

    kind: str
    method: str
    pattern: re.Pattern
    version: str
    handler: Handler


_OBJECTS = [
    # kind, method, path below the objects' root, handler
    ("search", "POST", "{type}/search", searching.search),
    ("batch_read", "POST", "{type}/batch/read", reading.batch_read),
    ("merge", "POST", "{type}/merge", writing.merge_objects),
    ("erase", "POST", "{type}/gdpr-delete", writing.erase_object),
    ("list", "GET", "{type}", reading.list_objects),
    ("create", "POST", "{type}", writing.create_object),
    ("get", "GET", "{type}/{id}", reading.get_object),
    ("change", "PATCH", "{type}/{id}", writing.change_object),
    ("archive", "DELETE", "{type}/{id}", writing.archive_object),
]
_LINKS = [
    ("associate", "PUT", "{from}/{from_id}/associations/{default}/{to}/{to_id}", associations.put_association),
    ("associate", "PUT", "{from}/{from_id}/associations/{to}/{to_id}", associations.put_association),
    ("associate", "DELETE", "{from}/{from_id}/associations/{to}/{to_id}", associations.delete_association),
]
_ASSOCIATIONS = [("associations", "POST", "{from}/{to}/batch/read", associations.read_associations)]
_PROPERTIES = [
    ("properties", "GET", "{type}", metadata.list_properties),
    ("properties", "GET", "{type}/{property}", metadata.get_property),
]
_SCHEMAS = [("schemas", "GET", "", metadata.list_schemas), ("schemas", "GET", "/{type}", metadata.get_schema)]
_OWNERS = [("owners", "GET", "", metadata.list_owners)]
_ACCOUNT = [
    ("account", "GET", "details", metadata.details),
    ("usage", "GET", "api-usage/daily/private-apps", metadata.usage),
]
_ROOTS = [
    # version, root, what is below it
    ("v3", "/crm/v3/objects/", _OBJECTS),
    ("v4", "/crm/v4/objects/", _LINKS),
    ("v4", "/crm/v4/associations/", _ASSOCIATIONS),
    ("v3", "/crm/v3/properties/", _PROPERTIES),
    ("v3", "/crm-object-schemas/v3/schemas", _SCHEMAS),
    ("v3", "/crm/v3/schemas", _SCHEMAS),
    ("v3", "/crm/v3/owners", _OWNERS),
    ("v3", "/account-info/v3/", _ACCOUNT),
    (DATE, f"/crm/objects/{DATE}/", _OBJECTS),
    (DATE, f"/crm/objects/{DATE}/", _LINKS),
    (DATE, f"/crm/associations/{DATE}/", _ASSOCIATIONS),
    (DATE, f"/crm/properties/{DATE}/", _PROPERTIES),
    (DATE, f"/crm-object-schemas/{DATE}/schemas", _SCHEMAS),
    (DATE, f"/crm/owners/{DATE}", _OWNERS),
    (DATE, f"/account-info/{DATE}/", _ACCOUNT),
]


def _pattern(path: str) -> re.Pattern:
    """A path with {names}; ids are digits in the middle of paths, so that words there are no ids."""
    shapes = {"default": "default", "from_id": "[0-9]+", "to_id": "[0-9]+"}
    parts = re.sub(r"\{(\w+)\}", lambda found: f"(?P<{found[1]}>{shapes.get(found[1], '[^/]+')})", path)
    return re.compile(parts + "/?")


ROUTES = [
    Route(kind, method, _pattern(root + path), version, handler)
    for version, root, entries in _ROOTS
    for kind, method, path, handler in entries
]


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a request and the names in its path."""
    for route in ROUTES:
        if route.method == method and (found := route.pattern.fullmatch(path)):
            return route, found.groupdict()
    return None
