"""Reading a stand-in Salesforce through the connector, as a stream does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from doubles.salesforce import Salesforce

from connectors.base import Page
from connectors.salesforce import Source, Variables
from connectors.salesforce.calls import Caller
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.login import login_of
from connectors.salesforce.transport import Transport

OLD = datetime(2024, 3, 4, 5, 6, 7, tzinfo=UTC)
"""A stamp long before every look back."""
QUICK = (1.0, 0.5, 5.0)
"""Seconds to connect, without a byte, and in all."""
FIELDS = ["Email", "LastName", "Title", "Description"]


def variables(org: Salesforce, **more: Any) -> Variables:
    """Client credentials at the stand-in, unless told otherwise."""
    usual = {"sf_login_url": org.url, "sf_client_id": org.client_id, "sf_client_secret": org.client_secret}
    return Variables(_env_file=None, **(more or usual))


@contextmanager
def stream(org: Salesforce, fields: list[str] | None = None, **more: Any) -> Iterator[SalesforceConnector]:
    """A connector for one stream; `waits` gathers what is waited."""
    waits = more.pop("waits", [])
    login = login_of(more.pop("variables", None) or variables(org))
    timeouts = more.pop("timeouts", (5.0, 10.0, 60.0))
    clock = more.pop("clock", org.now)
    source = Source.model_validate({"connector": "salesforce", "object": "Contact", **more})
    caller = Caller(
        login,
        waits.append,
        share=source.quota_share,
        transport=Transport(login, timeouts=timeouts),
        chance=lambda: 0.0,
        clock=clock,
    )
    connector = SalesforceConnector(source, login, fields or FIELDS, caller=caller)
    try:
        yield connector
    finally:
        connector.close()


def kept(since: Any) -> Any:
    """A cursor as the state store gives it back."""
    cursor = since[-1].cursor if isinstance(since, list) else since
    return None if cursor is None else json.loads(json.dumps(cursor))


def read(org: Salesforce, since: Any = None, fields: list[str] | None = None, **more: Any) -> list[Page]:
    """All pages of one reading by a fresh connector, as a new run has it."""
    until = more.pop("until", None)
    with stream(org, fields, **more) as connector:
        return list(connector.read(kept(since), until))


def keys(pages: list[Page]) -> list[str]:
    return [record.key for page in pages for record in page.records]


def records(pages: list[Page]) -> dict[str, dict[str, Any]]:
    return {record.key: dict(record.fields) for page in pages for record in page.records}


def gone(pages: list[Page]) -> dict[str, str]:
    return {key: word for page in pages for key, word in page.gone.items()}


def filtered(pages: list[Page]) -> dict[str, int]:
    found: dict[str, int] = {}
    for page in pages:
        for reason, number in page.filtered.items():
            found[reason] = found.get(reason, 0) + number
    return found


def notes(pages: list[Page]) -> list[str]:
    return list(dict.fromkeys(note for page in pages for note in page.notes))


def contacts(org: Salesforce, number: int, first: int = 0, at: datetime = OLD) -> list[str]:
    """Add people, all stamped alike."""
    rows = [
        {"LastName": f"Person {one}", "Email": f"p{one}@mail.example", "Description": 'Said:\r\n"hello"'}
        for one in range(first, first + number)
    ]
    return org.add("Contact", rows, at)
