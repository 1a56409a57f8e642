"""Under which names properties are kept: those that the collection defines, else those of the ready maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sync.discover.line import Line
from sync.discover.proposal import Proposal
from sync.discover.words import alike, property_name

READY: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "hubspot": {
        "contacts": {
            "company": "company_name",
            "jobtitle": "job_title",
            "lifecyclestage": "lifecycle_stage",
            "createdate": "created",
        },
        "companies": {
            "name": "company_name",
            "numberofemployees": "employees",
            "annualrevenue": "annual_revenue",
            "lifecyclestage": "lifecycle_stage",
            "description": "about",
        },
        "deals": {"dealname": "deal_name", "dealstage": "stage", "closedate": "closes"},
        "calls": {"": "call_notes"},
        "notes": {"": "note"},
        "tickets": {"hs_pipeline_stage": "stage", "hs_ticket_priority": "priority", "createdate": "created"},
    },
    "salesforce": {
        "Contact": {
            "Title": "job_title",
            "MailingCity": "city",
            "MailingCountry": "country",
            "Account.Name": "company_name",
            "LastActivityDate": "last_activity",
            "Description": "notes",
        },
        "Lead": {"Title": "job_title", "Company": "company_name", "Status": "lead_status", "Description": "notes"},
        "Account": {
            "Name": "name",
            "NumberOfEmployees": "employees",
            "BillingCity": "city",
            "BillingCountry": "country",
            "Description": "notes",
        },
        "Opportunity": {
            "Name": "name",
            "StageName": "stage",
            "Account.Name": "company_name",
            "Description": "notes",
        },
        "EmailMessage": {"": "email_text"},
        "Note": {"": "note"},
    },
}
"""What the ready maps in mappings/ call a field, where that is not the field's own name; without a field: the text of
an activity."""
_SAME: Mapping[str, Sequence[Sequence[str]]] = {
    "contact": (
        ("full_name", "name"),
        ("job_title", "jobtitle", "title", "position"),
        ("company_name", "company", "companyname", "organization", "organisation", "employer", "account_name"),
        ("phone", "phone_number", "telephone"),
    ),
    "company": (
        ("company_name", "name", "company", "companyname", "account_name", "organization", "organisation"),
        ("employees", "number_of_employees", "numberofemployees", "employee_count", "headcount"),
    ),
    "deal": (("deal_name", "dealname", "name"), ("stage", "deal_stage", "dealstage", "stage_name")),
    "ticket": (("subject", "title"), ("priority", "ticket_priority")),
    "": (
        ("email", "email_address", "mail"),
        ("country", "country_name"),
        ("annual_revenue", "annualrevenue"),
        ("lifecycle_stage", "lifecyclestage"),
    ),
}
"""Names of one thing, the usual one first, by the entity that has it."""
_NEAR: Sequence[Sequence[str]] = (
    ("phone", "mobile_phone", "mobilephone", "mobile"),
    ("country", "mailing_country", "billing_country"),
    ("city", "mailing_city", "billing_city"),
    ("notes", "note", "comments", "comment", "remarks"),
    ("created", "create_date", "createdate", "created_date", "created_at"),
)
"""Names that are taken for each other where a collection defines one of them, and only then."""


def named(made: Proposal) -> Proposal:
    """The proposal with its properties under their names in memory; those that a collection lacks are remarked on."""
    names: dict[int, str] = {}
    lines = made.lines
    for wishes in (_own, _ready, _same, _near):
        for at, line in enumerate(lines):
            wanted = () if at in names else tuple(wishes(line, made))
            taken = set(names.values())
            found = next((one for name in wanted for one in line.shelf.properties if alike(one, name)), None)
            if found is not None and found not in taken:
                names[at] = found
    unknown = [at for at in range(len(lines)) if at not in names]
    usual = {at: next(iter((*_ready(lines[at], made), *_same(lines[at], made), lines[at].name))) for at in unknown}
    for at in sorted(unknown, key=lambda at: usual[at] != lines[at].name):  # who has a name of its own keeps it
        taken = set(names.values())
        free = [one for one in (usual[at], lines[at].name) if not any(alike(one, other) for other in taken)]
        names[at] = free[0] if free else property_name(lines[at].name, "", taken)
    done = tuple(replace(line, name=names[at]) for at, line in enumerate(lines))
    split = len(made.facts)
    remarks = (*made.remarks, *_unknown([done[at] for at in unknown]))
    return replace(made, facts=done[:split], texts=done[split:], remarks=remarks)


def _own(line: Line, made: Proposal) -> Iterator[str]:
    yield line.name


def _ready(line: Line, made: Proposal) -> Iterator[str]:
    place = made.look.place
    of_object = READY.get(place.connector, {}).get(place.object or "", {})
    found = of_object.get(line.source or "") if line.source or line.extract else None
    if found is not None:
        yield found


def _same(line: Line, made: Proposal) -> Iterator[str]:
    for group in (*_SAME.get(made.identity.entity, ()), *_SAME[""]):
        if line.name in group:
            yield from group


def _near(line: Line, made: Proposal) -> Iterator[str]:
    for group in _NEAR:
        if line.name in group:
            yield from group


def _unknown(lines: Sequence[Line]) -> Iterator[str]:
    by_shelf: dict[str, list[str]] = {}
    for line in lines:
        if line.shelf.properties:
            by_shelf.setdefault(line.shelf.name, []).append(line.name)
    for shelf, some in by_shelf.items():
        yield f"{shelf} does not define these properties yet: {_listed(some, 12)}"


def _listed(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
