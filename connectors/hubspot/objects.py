"""The objects that HubSpot has by itself: names, stamps, scopes, and where people's words are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.base import SourceMisconfigured

CONTACTS_READ = "crm.objects.contacts.read"
EMAIL_READ = "sales-email-read"
ACTIVITIES = frozenset({"notes", "calls", "emails", "meetings", "tasks", "communications"})
SINGULAR = {"contacts": "contact", "companies": "company"}
"""What an associated object is called in the paths of a map."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One type of records."""

    name: str
    """As it stands in paths."""
    label: str
    scopes: tuple[str, ...]
    """What a token needs to read it."""
    modified: str = "hs_lastmodifieddate"
    """The stamp that moves when a record changes."""
    created: str = "hs_createdate"
    bodies: frozenset[str] = frozenset()
    """Properties that hold people's words."""
    titles: frozenset[str] = frozenset()
    """Short headlines: words too, but not worth extracting from."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _activity(name: str, label: str, bodies: str, titles: str = "", scope: str | None = None) -> ObjectType:
    scopes = (CONTACTS_READ, scope) if scope else (CONTACTS_READ,)
    return ObjectType(name, label, scopes, bodies=_words(bodies), titles=_words(titles))


STANDARD: Mapping[str, ObjectType] = {
    one.name: one
    for one in (
        ObjectType(
            "contacts", "Contacts", (CONTACTS_READ,), "lastmodifieddate", "createdate", bodies=_words("message")
        ),
        ObjectType(
            "companies",
            "Companies",
            ("crm.objects.companies.read",),
            created="createdate",
            bodies=_words("description about_us"),
        ),
        ObjectType(
            "deals",
            "Deals",
            ("crm.objects.deals.read",),
            created="createdate",
            bodies=_words("description closed_lost_reason closed_won_reason hs_next_step"),
        ),
        ObjectType(
            "tickets",
            "Tickets",
            ("tickets",),
            created="createdate",
            bodies=_words("content"),
            titles=_words("subject"),
        ),
        _activity("notes", "Notes", "hs_note_body"),
        _activity("calls", "Calls", "hs_call_body hs_call_summary", "hs_call_title"),
        _activity("emails", "Emails", "hs_email_text hs_email_html", "hs_email_subject", EMAIL_READ),
        _activity("meetings", "Meetings", "hs_meeting_body hs_internal_meeting_notes", "hs_meeting_title"),
        _activity("tasks", "Tasks", "hs_task_body", "hs_task_subject"),
        _activity("communications", "Communications", "hs_communication_body"),
    )
}
TYPE_IDS = {
    "0-1": "contacts",
    "0-2": "companies",
    "0-3": "deals",
    "0-5": "tickets",
    "0-46": "notes",
    "0-48": "calls",
    "0-49": "emails",
    "0-47": "meetings",
    "0-27": "tasks",
    "0-18": "communications",
}
_CUSTOM = ("crm.objects.custom.read", "crm.schemas.custom.read")


def object_type(name: str) -> ObjectType:
    """The type with this name or type id; what is not known by itself is taken for a custom object's."""
    known = STANDARD.get(TYPE_IDS.get(name, name)) or STANDARD.get(name.lower())
    if known is not None:
        return known
    if not _NAME.fullmatch(name):
        raise SourceMisconfigured(
            f"{name!r} cannot be an object of HubSpot: expected a name such as contacts, or a type id such as 2-123456"
        )
    return ObjectType(name, name, _CUSTOM)
