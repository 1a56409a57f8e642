"""Plausible sample data: companies, people, deals, cases and what was said, the same for the same seed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from .org import Salesforce

_FIRST = "Ada Bruno Chiara David Elif Farid Greta Hugo Ines Jonas Keiko Lena Mateo Nora Omar Petra Quentin Rosa".split()
_LAST = (
    "Albers Brandt Costa Demir Eriksen Fischer Garcia Haddad Ivanov Jansen Kowalski Lindqvist Moreau Nakamura".split()
)
_COMPANY = "Amber Birch Cobalt Delta Ember Falcon Granite Harbor Iris Juniper Kestrel Lumen Meridian Nimbus".split()
_TRADE = "Analytics Bikes Ceramics Design Energy Foods Garden Health Imaging Logistics Metals Optics Robotics".split()
_TITLES = "Head of Operations|Purchasing Manager|Chief Engineer|Founder|Data Analyst|Office Manager".split("|")
_SAID = (
    "Prefers a call in the morning, before the team meets.",
    "Asked for references from other companies of their size.",
    'Said: "we had a bad experience with onboarding", so start small.',
    "Is moving to the new plant in spring; budget is fixed until then.",
    "Runs marathons; next one in Hamburg.",
    "Wants invoices by post, not by e-mail.",
    "Überlegt noch, ob die Schnittstelle zum ERP nötig ist.",
    "The pilot went well: 3 of 4 goals reached.",
)
_ASKED = "Cannot log in|Invoice is wrong|Export stops half-way|Question about the contract|Feature request".split("|")
_DONE = "Call|Follow-up|Demo|Send proposal|Lunch|Review".split("|")
_STAGES = "Prospecting|Qualification|Negotiation|Closed Won|Closed Lost".split("|")
_TIES = 40


@dataclass(frozen=True)
class Amounts:
    """How many records of each kind."""

    contacts: int = 1000
    accounts: int = 200
    leads: int = 100
    opportunities: int = 100
    cases: int = 100
    tasks: int = 500
    events: int = 100
    emails: int = 100
    notes: int = 50

    @classmethod
    def around(cls, contacts: int, given: dict[str, int | None]) -> "Amounts":
        """Amounts in proportion to the number of contacts, except where one is given."""
        usual = cls()
        scaled = {each.name: getattr(usual, each.name) * contacts // usual.contacts for each in fields(cls)}
        return cls(**{**scaled, **{name: count for name, count in given.items() if count is not None}})


class Sample:
    """Fills an org; stamps lie in the two years before now, many of them alike, as after imports."""

    def __init__(self, org: Salesforce, seed: int = 1) -> None:
        self.org = org
        self.random = random.Random(seed)
        self.newest: datetime = org.now() - timedelta(hours=1)

    def fill(self, amounts: Amounts) -> None:
        """Add everything."""
        accounts = self._add("Account", (self._account(number) for number in range(amounts.accounts)))
        contacts = self._add("Contact", (self._person(number, accounts) for number in range(amounts.contacts)))
        leads = self._add("Lead", (self._lead(number) for number in range(amounts.leads)))
        deals = self._add("Opportunity", (self._deal(number, accounts) for number in range(amounts.opportunities)))
        cases = self._add("Case", (self._case(number, contacts, accounts) for number in range(amounts.cases)))
        who, what = [*contacts, *leads], [*accounts, *deals, *cases]
        self._add("Task", (self._task(who, what) for _ in range(amounts.tasks)))
        self._add("Event", (self._event(who, what) for _ in range(amounts.events)))
        self._add("CaseComment", ({"ParentId": case, "CommentBody": self._words(2)} for case in cases))
        self._emails(amounts.emails, contacts, cases)
        self._add("Note", (self._note(who) for _ in range(amounts.notes)))

    def _add(self, name: str, rows: Iterator[dict[str, Any]]) -> list[str]:
        stamped = []
        for number, row in enumerate(rows):
            if number % _TIES == 0:
                moment = self.newest - timedelta(seconds=self.random.randrange(63_000_000))
            stamped.append(row | dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), moment))
        return self.org.add(name, stamped) if stamped else []

    def _words(self, most: int) -> str:
        return "\n".join(self.random.sample(_SAID, self.random.randint(1, most)))

    def _maybe(self, value: Any, share: float = 0.8) -> Any:
        return value if self.random.random() < share else None

    def _one(self, ids: Sequence[str]) -> str | None:
        return self.random.choice(ids) if ids else None

    def _account(self, number: int) -> dict[str, Any]:
        name = f"{self.random.choice(_COMPANY)} {self.random.choice(_TRADE)} {number + 1}"
        return {
            "Name": name,
            "Industry": self.random.choice(["Agriculture", "Banking", "Energy", "Healthcare", "Technology"]),
            "Website": f"https://{name.lower().replace(' ', '-')}.example",
            "BillingCity": self.random.choice(["Berlin", "Lyon", "Porto", "Leeds"]),
            "NumberOfEmployees": self.random.randrange(2, 5000),
            "AnnualRevenue": self.random.randrange(1, 900) * 10_000,
            "Description": self._maybe(self._words(2), 0.5),
        }

    def _name(self, number: int) -> dict[str, Any]:
        first, last = self.random.choice(_FIRST), self.random.choice(_LAST)
        address = f"{first}.{last}{number}@mail.example".lower()
        return {"FirstName": first, "LastName": last, "Email": self._maybe(address, 0.97)}

    def _person(self, number: int, accounts: Sequence[str]) -> dict[str, Any]:
        return self._name(number) | {
            "AccountId": self._maybe(self._one(accounts), 0.95),
            "Title": self._maybe(self.random.choice(_TITLES)),
            "Phone": self._maybe(f"+49 30 {self.random.randrange(10**6, 10**7)}"),
            "MailingStreet": self._maybe(f"Hauptstraße {number % 300 + 1}\n2. Etage"),
            "MailingCity": self.random.choice(["Berlin", "Lyon", "Porto", "Leeds"]),
            "Description": self._maybe(self._words(3), 0.6),
        }

    def _lead(self, number: int) -> dict[str, Any]:
        company = f"{self.random.choice(_COMPANY)} {self.random.choice(_TRADE)}"
        more = {"Status": "Open", "Description": self._maybe(self._words(2), 0.5), "Rating": "Warm"}
        return self._name(900_000 + number) | {"Company": company, **more}

    def _deal(self, number: int, accounts: Sequence[str]) -> dict[str, Any]:
        return {
            "Name": f"Deal {number + 1}",
            "AccountId": self._one(accounts),
            "StageName": self.random.choice(_STAGES),
            "Amount": self.random.randrange(10, 2000) * 100,
            "CloseDate": self._day(),
            "NextStep": self._maybe(self.random.choice(_DONE)),
            "Description": self._maybe(self._words(2), 0.5),
        }

    def _day(self) -> str:
        return (self.newest - timedelta(days=self.random.randrange(700))).date().isoformat()

    def _case(self, number: int, contacts: Sequence[str], accounts: Sequence[str]) -> dict[str, Any]:
        more = {"Description": self._words(2), "Status": self.random.choice(["New", "Working", "Closed"])}
        subject, contact = self.random.choice(_ASKED), self._maybe(self._one(contacts), 0.9)
        number_text = f"{number + 1:08d}"
        return {"CaseNumber": number_text, "Subject": subject, "ContactId": contact, "Origin": "Email", **more}

    def _task(self, who: Sequence[str], what: Sequence[str]) -> dict[str, Any]:
        return {
            "Subject": self.random.choice(_DONE),
            "WhoId": self._maybe(self._one(who), 0.9),
            "WhatId": self._maybe(self._one(what), 0.6),
            "Status": self.random.choice(["Not Started", "Completed"]),
            "Priority": "Normal",
            "ActivityDate": self._day(),
            "Description": self._maybe(self._words(3), 0.8),
        }

    def _event(self, who: Sequence[str], what: Sequence[str]) -> dict[str, Any]:
        start = f"{self._day()}T09:00:00"
        activity = {"ActivityDateTime": start, "StartDateTime": start, "DurationInMinutes": 30}
        kept = {"Subject", "WhoId", "WhatId", "ActivityDate", "Description"}
        return {name: value for name, value in self._task(who, what).items() if name in kept} | activity

    def _emails(self, count: int, contacts: Sequence[str], cases: Sequence[str]) -> None:
        sent = [self._email(cases) for _ in range(count)]
        ids = self._add("EmailMessage", iter(sent))
        relations = []
        for id_, message in zip(ids, sent, strict=True):
            about = {"EmailMessageId": id_, "RelationType": "FromAddress", "RelationAddress": message["FromAddress"]}
            relations.append(about | {"RelationId": self._one(contacts), "RelationObjectType": "Contact"})
        self._add("EmailMessageRelation", iter(relations))

    def _email(self, cases: Sequence[str]) -> dict[str, Any]:
        text = self._words(3)
        return {
            "ParentId": self._maybe(self._one(cases), 0.5),
            "Subject": self.random.choice(_ASKED),
            "TextBody": text,
            "HtmlBody": f"<p>{text}</p>",
            "FromAddress": f"writer{self.random.randrange(10_000)}@mail.example",
            "ToAddress": "support@acme.example",
            "Incoming": True,
            "Status": "1",
        }

    def _note(self, who: Sequence[str]) -> dict[str, Any]:
        return {"ParentId": self._one(who), "Title": self.random.choice(_DONE), "Body": self._words(3)}
