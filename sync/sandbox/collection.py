"""The collections that a sandbox has: system ones with stable ids, and those it is started with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2s
from typing import Any


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection: where properties belong."""

    id: str
    name: str
    entity_type: str
    properties: tuple[tuple[str, str], ...] = ()
    """Property name and type."""


SEEDED = (
    Collection(
        "col_contacts",
        "Contacts",
        "Contact",
        (
            ("full_name", "text"),
            ("job_title", "text"),
            ("company_name", "text"),
            ("phone", "text"),
            ("country", "text"),
        ),
    ),
    Collection(
        "col_companies",
        "Companies",
        "Company",
        (("company_name", "text"), ("industry", "text"), ("employees", "number"), ("country", "text")),
    ),
    Collection("col_notes", "Notes", "Contact", (("notes", "text"), ("last_contacted", "date"))),
    Collection("col_deals", "Deals", "Deal", (("deal_name", "text"), ("amount", "number"), ("stage", "text"))),
    Collection("col_tickets", "Tickets", "Ticket", (("subject", "text"), ("priority", "text"), ("is_open", "boolean"))),
)


def collections_named(names: tuple[str, ...]) -> tuple[Collection, ...]:
    """The seeded collections and one for each further name; the same name has the same id in every sandbox."""
    known = {collection.name.lower() for collection in SEEDED}
    added = [name.strip() for name in dict.fromkeys(names) if name.strip() and name.strip().lower() not in known]
    return SEEDED + tuple(Collection(_id(name), name, "Custom") for name in added)


def _id(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:40] or "custom"
    return f"col_{slug}_{blake2s(name.encode(), digest_size=2).hexdigest()}"


def as_action(collection: Collection) -> dict[str, Any]:
    """A collection in the shape in which GET /collections lists it."""
    properties = [
        {"propertyName": name, "systemName": name, "type": kind, "update": True, "status": "Active"}
        for name, kind in collection.properties
    ]
    payload = {
        "collectionName": collection.name,
        "collectionId": collection.id,
        "entityType": collection.entity_type,
        "properties": properties,
    }
    return {"id": collection.id, "type": "collection", "payload": payload}
