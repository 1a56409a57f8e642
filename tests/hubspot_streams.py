"""Reading a stand-in HubSpot through the connector, as a stream does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from doubles.hubspot import HubSpot

from connectors.base import Page
from connectors.hubspot import Source, Variables
from connectors.hubspot.account import account_of
from connectors.hubspot.calls import Caller
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.pace import Budget, Pace
from connectors.hubspot.transport import Transport

OLD = 1_700_000_000_000
"""A stamp long before every look back."""
QUICK = (1.0, 0.5, 2.0)
"""Seconds to connect, without a byte, and in all."""


class Clock:
    """The time of a test: it goes on by what is waited."""

    def __init__(self, now: float = 1_780_000_000.0) -> None:
        self.now, self.waits = now, []

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@contextmanager
def stream(crm: HubSpot, fields: list[str] | None = None, **more: Any) -> Iterator[HubSpotConnector]:
    """A connector for one stream; `version` chooses the paths, `clock` and `pause` what time is."""
    version, clock, pause = more.pop("version", "v3"), more.pop("clock", None), more.pop("pause", lambda _: None)
    token = more.pop("token", crm.token)
    account = account_of(Variables(hubspot_access_token=token, hubspot_base_url=crm.url, hubspot_api_version=version))
    settings = {"clock": clock, "pause": clock.pause} if clock else {"pause": pause}
    pace = Pace(clock=clock) if clock else Pace(Budget(10**6, 1.0), Budget(10**6, 10.0))
    caller = Caller(account, transport=Transport(account, timeouts=QUICK), pace=pace, chance=lambda: 0.0, **settings)
    connector = HubSpotConnector(
        Source.model_validate({"connector": "hubspot", **more}), account, fields, caller=caller
    )
    try:
        yield connector
    finally:
        connector.close()


def read(crm: HubSpot, since: Any = None, fields: list[str] | None = None, **more: Any) -> list[Page]:
    """All pages of one reading by a fresh connector, as a new run has it."""
    until = more.pop("until", None)
    kept = None if since is None else json.loads(json.dumps(since[-1].cursor if isinstance(since, list) else since))
    with stream(crm, fields, **more) as connector:
        return list(connector.read(kept, until))


def keys(pages: list[Page]) -> list[str]:
    return [record.key for page in pages for record in page.records]


def gone(pages: list[Page]) -> dict[str, str]:
    return {key: word for page in pages for key, word in page.gone.items()}


def filtered(pages: list[Page]) -> dict[str, int]:
    return {reason: number for page in pages for reason, number in page.filtered.items()}


def notes(pages: list[Page]) -> list[str]:
    return list(dict.fromkeys(note for page in pages for note in page.notes))


def people(number: int, first: int = 0) -> list[dict[str, str]]:
    return [{"email": f"p{n}@x.example", "firstname": f"P{n}"} for n in range(first, first + number)]
