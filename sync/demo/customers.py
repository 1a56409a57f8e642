"""Sample customers: invented, believable, and the same every time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

FIRST = (
    "Amina Anders Beatriz Ben Carla Chen Chidi Clara Daniel Diana Elif Emma Erik Fatima Felix Giulia Hana Henry "
    "Ines Ivan Jamal Jana Jonas Julia Kenji Lars Leila Linh Lucas Maria Mateo Maya Nadia Noah Nora Olga Omar Paula "
    "Priya Rafael Ravi Rosa Samir Sara Sofia Tariq Tomas Vera Yara Zoe"
).split()
LAST = (
    "Abadi Almeida Andersson Bauer Becker Bianchi Brown Castillo Costa Diaz Dubois Evans Ferreira Fischer Garcia "
    "Haddad Hansen Hoffmann Ito Ivanova Jensen Johnson Kaya Keller Khan Kim Kowalski Kumar Larsen Lindqvist Lopez "
    "Martin Mensah Meyer Moreau Mueller Nakamura Nguyen Novak Okafor Olsen Patel Pereira Petrov Rahman Romano Rossi "
    "Sato Schmidt Silva Singh Smith Tanaka Torres Vargas Wagner Walker Weber Wong Yilmaz"
).split()
COMPANIES = (
    "Alder Logistics,Bluefin Analytics,Brightwater Foods,Cobalt Robotics,Copperleaf Energy,Dovetail Studio,"
    "Eastgate Clinics,Fernway Travel,Granite Insurance,Harbor & Pine,Juniper Learning,Kestrel Aviation,"
    "Lantern Media,Maplewood Homes,Northwind Cycles,Oakline Furniture,Pinecrest Bank,Quarry Software,"
    "Redwood Textiles,Silverline Telecom,Tidewater Shipping,Umbra Security,Violet Health,Willowbrook Schools"
).split(",")
TITLES = (
    "Account Manager,Chief Executive,Customer Success Lead,Data Engineer,Finance Director,Head of Marketing,"
    "Head of Sales,IT Manager,Office Manager,Operations Lead,Product Manager,Support Engineer"
).split(",")
PLANS = ("free", "team", "business", "enterprise")
NOTES = (
    "Prefers a call in the morning and dislikes long e-mails.",
    "Asked for a security review before the renewal in {month}.",
    "Is moving {seats} people over from another vendor and worries about the import.",
    "Wants single sign-on; their identity provider is already set up.",
    "Was unhappy with the reply time of support in {month} and escalated twice.",
    "Their budget for next year is approved; the decision falls in {month}.",
    "Mentioned that the mobile app is what their field team uses most.",
    "Compares us with one competitor, mainly on price and on reports.",
    "Would be a good reference: results were presented to their board in {month}.",
    "Asked for invoices in euros and a purchase order number on each of them.",
    "Plans to open a second site with about {seats} people.",
    "Found the weekly digest useful and shared it with the whole team.",
)
MONTHS = "January February March April May June September October November".split()
BEGIN = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


class Customer(NamedTuple):
    """One row of the table `customers`, in the order of its columns."""

    id: int
    email: str | None
    first_name: str
    last_name: str
    company: str
    job_title: str
    plan: str
    score: float
    signed_up: date
    notes: str | None
    updated_at: datetime


def customers(number: int) -> Iterator[Customer]:
    """So many customers, the same ones each time; two in five have notes."""
    chance = random.Random(20260105)  # noqa: S311  # nosec B311 - sample data, no secret
    for id_ in range(1, number + 1):
        yield _customer(id_, chance)


def _customer(id_: int, chance: random.Random) -> Customer:
    first, last, company = chance.choice(FIRST), chance.choice(LAST), chance.choice(COMPANIES)
    domain = "".join(letter for letter in company.lower() if letter.isalpha())
    return Customer(
        id=id_,
        email=f"{first}.{last}{id_}@{domain}.example".lower(),
        first_name=first,
        last_name=last,
        company=company,
        job_title=chance.choice(TITLES),
        plan=chance.choice(PLANS),
        score=round(chance.uniform(0, 100), 2),
        signed_up=date(2022, 1, 1) + timedelta(days=chance.randrange(1460)),
        notes=_notes(chance) if chance.random() < 0.4 else None,
        updated_at=BEGIN + timedelta(minutes=id_),
    )


def _notes(chance: random.Random) -> str:
    told: dict[str, Any] = {"month": chance.choice(MONTHS), "seats": chance.randrange(5, 200)}
    return " ".join(note.format(**told) for note in chance.sample(NOTES, chance.randrange(1, 4)))
