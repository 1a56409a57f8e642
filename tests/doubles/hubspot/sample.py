"""Plausible records, the same for the same seed: people, their companies, deals and what was said to them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

FIRST = (
    "Ada Ben Chloe Dmitri Elena Farid Grace Hugo Ines Jonas Kemi Lars Mina Noor Omar Priya Quinn Rosa Sven Tala".split()
)
LAST = "Abara Brandt Costa Dubois Eriksen Fischer Garcia Haddad Ito Jensen Kovac Lindqvist Moreau Nowak Okafor".split()
JOBS = ["Head of Operations", "Sales Manager", "CTO", "Buyer", "Founder", "Data Analyst", "Office Manager", ""]
WORDS = "Amber Birch Cobalt Delta Ember Falcon Granite Harbor Iris Juniper Kestrel Lumen Maple North Onyx".split()
TRADES = ["Logistics", "Foods", "Software", "Build", "Hotels", "Bank"]
INDUSTRIES = ["COMPUTER_SOFTWARE", "BANKING", "CONSTRUCTION", "HOSPITALITY", "FOOD_PRODUCTION"]
CITIES = [("Berlin", "Germany"), ("Lyon", "France"), ("Porto", "Portugal"), ("Austin", "United States")]
STAGES = ["appointmentscheduled", "qualifiedtobuy", "contractsent", "closedwon", "closedlost"]
TOPICS = ["the renewal", "the pilot", "onboarding", "the integration with their ERP", "pricing", "the security review"]
SAID = [
    "They want {topic} settled before the end of the quarter.",
    "{name} is worried about {topic} and asked for a reference customer.",
    "Budget for {topic} is approved; legal needs two more weeks.",
    "The team likes the product, but {topic} is still open.",
    "Prefers to be called in the morning, never on Fridays.",
    "A competitor offered {topic} at a lower price; {name} values support more.",
    "Asked us to send the summary of {topic} in writing.",
    "Moved offices last month &amp; is hiring three people.",
]


CARS = "2-1001"
"""The type id of the custom object."""
MAKES = ["Volvo EX30", "Skoda Enyaq", "Renault 5", "Ford Transit", "Fiat Ducato"]


class Crm(Protocol):
    """What is filled: see `server.HubSpot`."""

    def define(self, object: str, *properties: str | Mapping, label: str = "") -> str: ...
    def add(self, object: str, rows: Sequence[Mapping], at: Callable[[int], int]) -> list[str]: ...
    def associate(self, object: str, id: str, other: str, other_id: str, label: str | None = None) -> None: ...


def fill(crm: Crm, counts: Mapping[str, int], *, now: int, seed: int = 1, days: int = 90) -> None:
    """So many records of each type, changed within the last days before `now` (epoch milliseconds)."""
    chance = random.Random(seed)
    span = days * 86_400_000
    if counts.get("cars"):
        crm.define(CARS, "model", "plate", {"name": "remarks", "textDisplayHint": "multi_line"}, label="cars")
    ids: dict[str, list[str]] = {}
    for name, make in _MAKERS.items():
        rows = [make(chance, number) for number in range(counts.get(name, 0))]
        ids[name] = (
            crm.add(CARS if name == "cars" else name, rows, lambda _: now - 60_000 - chance.randrange(span))
            if rows
            else []
        )
    for name in ids:
        _link(crm, chance, name, ids)


def _link(crm: Crm, chance: random.Random, object: str, ids: Mapping[str, Sequence[str]]) -> None:
    """Contacts get a primary company; all others a contact each, some of them two or none, and notes a company too."""
    if object == "companies":
        return
    if object == "contacts":
        for one in ids[object] if ids["companies"] else ():
            crm.associate(object, one, "companies", chance.choice(ids["companies"]), "Primary")
        return
    kind = CARS if object == "cars" else object
    for one in ids[object] if ids["contacts"] else ():
        for _ in range(chance.choices((1, 2, 0), (90, 6, 4))[0]):
            crm.associate(kind, one, "contacts", chance.choice(ids["contacts"]))
    for one in ids[object] if object == "notes" and ids["companies"] else ():
        crm.associate(kind, one, "companies", chance.choice(ids["companies"]))


def _contact(chance: random.Random, number: int) -> dict:
    first, last = chance.choice(FIRST), chance.choice(LAST)
    city, country = chance.choice(CITIES)
    return {
        "email": f"{first}.{last}.{number}@example.com".lower(),
        "firstname": first,
        "lastname": last,
        "jobtitle": chance.choice(JOBS),
        "phone": f"+49 30 555 {chance.randrange(10_000):04d}",
        "city": city,
        "country": country,
        "lifecyclestage": chance.choice(["subscriber", "lead", "opportunity", "customer"]),
        "annualrevenue": chance.choice(["", "1,234", "25000", "1200000.50"]),
        "message": _sentences(chance, 2) if chance.random() < 0.3 else None,
        "hubspot_owner_id": chance.choice(["7", "8"]),
    }


def _company(chance: random.Random, number: int) -> dict:
    name = f"{chance.choice(WORDS)} {chance.choice(TRADES)}"
    city, country = chance.choice(CITIES)
    return {
        "name": name,
        "domain": f"{name.replace(' ', '-').lower()}-{number}.example",
        "industry": chance.choice(INDUSTRIES),
        "city": city,
        "country": country,
        "numberofemployees": str(chance.randrange(5, 5000)),
        "description": _sentences(chance, 3),
    }


def _deal(chance: random.Random, number: int) -> dict:
    stage = chance.choice(STAGES)
    return {
        "dealname": f"{chance.choice(WORDS)} {chance.choice(TOPICS)}",
        "amount": str(chance.randrange(1, 200) * 500),
        "dealstage": stage,
        "pipeline": "default",
        "closedate": f"2026-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}T00:00:00Z",
        "description": _sentences(chance, 2),
        "closed_lost_reason": _sentences(chance, 1) if stage == "closedlost" else None,
    }


def _ticket(chance: random.Random, number: int) -> dict:
    return {
        "subject": f"Question on {chance.choice(TOPICS)}",
        "content": _sentences(chance, 3),
        "hs_pipeline": "0",
        "hs_pipeline_stage": chance.choice("1234"),
        "hs_ticket_priority": chance.choice(["LOW", "MEDIUM", "HIGH"]),
    }


def _car(chance: random.Random, number: int) -> dict:
    plate = f"{chance.choice('BHMK')}-{chance.choice('ACEX')}{chance.choice('BDFZ')} {number + 1000}"
    return {"model": chance.choice(MAKES), "plate": plate, "remarks": _sentences(chance, 1)}


def _activity(**fields: Callable[[random.Random], str]) -> Callable[[random.Random, int], dict]:
    def make(chance: random.Random, number: int) -> dict:
        happened = {"hs_timestamp": f"2026-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}T09:30:00Z"}
        return happened | {name: value(chance) for name, value in fields.items()}

    return make


def _sentences(chance: random.Random, count: int) -> str:
    topic, name = chance.choice(TOPICS), chance.choice(FIRST)
    return " ".join(one.format(topic=topic, name=name) for one in chance.sample(SAID, count)).replace("&amp;", "&")


def _html(chance: random.Random) -> str:
    """A body as the editor writes it: paragraphs, a list, entities, hard spaces."""
    topic, name = chance.choice(TOPICS), chance.choice(FIRST)
    first, *others = (one.format(topic=topic, name=name) for one in chance.sample(SAID, 3))
    points = "".join(f"<li>{one}</li>" for one in others)
    return f'<div dir="auto"><p>{first}</p><p>Next&nbsp;steps:</p><ul>{points}</ul></div>'


def _title(chance: random.Random) -> str:
    return f"About {chance.choice(TOPICS)}"


def _direction(chance: random.Random) -> str:
    return chance.choice(["EMAIL", "INCOMING_EMAIL"])


def _text(chance: random.Random) -> str:
    return _sentences(chance, 3) + "\n\nOn Mon, Ada wrote:\n> earlier words"


_MAKERS: dict[str, Callable[[random.Random, int], dict]] = {
    "companies": _company,
    "contacts": _contact,
    "deals": _deal,
    "tickets": _ticket,
    "notes": _activity(hs_note_body=_html),
    "calls": _activity(hs_call_title=_title, hs_call_body=_html),
    "emails": _activity(
        hs_email_direction=_direction, hs_email_subject=_title, hs_email_text=_text, hs_email_html=_html
    ),
    "meetings": _activity(hs_meeting_title=_title, hs_meeting_body=_html),
    "tasks": _activity(hs_task_subject=_title, hs_task_body=_html),
    "communications": _activity(hs_communication_body=_html),
    "cars": _car,
}
OBJECTS = tuple(_MAKERS)
