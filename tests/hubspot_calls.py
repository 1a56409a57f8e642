"""Calls to the stand-in for HubSpot, for its own tests: an account with a client, and the requests they repeat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from doubles.hubspot import HubSpot

START = 1_714_979_289_123
OLD, NEW = "v3", "2026-09"
PATHS = {
    OLD: ("/crm/v3/objects", "/crm/v4/associations", "/crm/v3/properties", "/crm-object-schemas/v3/schemas"),
    NEW: (
        "/crm/objects/2026-09",
        "/crm/associations/2026-09",
        "/crm/properties/2026-09",
        "/crm-object-schemas/2026-09/schemas",
    ),
}


class Clock:
    """Seconds since 1970 that move when a test says so."""

    def __init__(self, now: float = START / 1000) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@contextmanager
def account(**options: object) -> Iterator[tuple[HubSpot, httpx.Client]]:
    """A running stand-in, and a client that has its token."""
    with HubSpot(**options) as crm, httpx.Client(base_url=crm.url, headers=bearer(crm.token), timeout=20) as client:
        yield crm, client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def people(count: int) -> list[dict]:
    return [{"email": f"person{number}@x.example", "firstname": f"N{number}"} for number in range(count)]


def search(client: httpx.Client, object: str = "contacts", root: str = "/crm/v3/objects", **body: object) -> dict:
    answer = client.post(f"{root}/{object}/search", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def where(name: str, operator: str, **rest: object) -> list[dict]:
    """Filter groups of one filter."""
    return [{"filters": [{"propertyName": name, "operator": operator, **rest}]}]


def found(client: httpx.Client, object: str = "contacts", **body: object) -> list[str]:
    """Ids of all pages of a search, in the order they came."""
    after, ids = "0", []
    while True:
        page = search(client, object, limit=200, after=after, **body)
        ids += [one["id"] for one in page["results"]]
        if "paging" not in page:
            return ids
        after = page["paging"]["next"]["after"]


def listed(client: httpx.Client, object: str = "contacts", **query: object) -> list[list[str]]:
    """Ids page by page of the list endpoint."""
    pages, query = [], {"limit": 100, **query}
    while True:
        page = client.get(f"/crm/v3/objects/{object}", params=query).json()
        pages.append([one["id"] for one in page["results"]])
        if "paging" not in page:
            return pages
        query["after"] = page["paging"]["next"]["after"]


def read(client: httpx.Client, ids: list[str], object: str = "contacts", **more: object) -> httpx.Response:
    body = {"inputs": [{"id": one} for one in ids], "properties": [], "propertiesWithHistory": [], **more}
    return client.post(f"/crm/v3/objects/{object}/batch/read", json=body)


def links(client: httpx.Client, one: str, other: str, inputs: list[dict], root: str = "/crm/v4/associations") -> dict:
    answer = client.post(f"{root}/{one}/{other}/batch/read", json={"inputs": inputs})
    assert answer.status_code in (200, 207), answer.text
    return answer.json()


def linked(page: dict) -> list[str]:
    """Ids of the associated records of one answer, doubles included."""
    return [str(one["toObjectId"]) for result in page["results"] for one in result["to"]]
