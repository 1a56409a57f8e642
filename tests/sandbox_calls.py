"""Calls that the sandbox's tests make: a client with a key, a clock that is set by hand, and batches."""

from __future__ import annotations

from typing import Any

import httpx

KEY = {"Authorization": "Bearer sk_test_sandbox"}


class HandClock:
    """A clock that moves when it is told to."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def client(url: str, **settings: Any) -> httpx.Client:
    # Loading certificates takes longer than most of these tests, and loopback has none.
    return httpx.Client(base_url=url, headers=KEY, timeout=20, verify=False, trust_env=False, **settings)


def mapping(**changes: Any) -> dict[str, Any]:
    given = {
        "entityType": "contact",
        "email": "email",
        "runName": "customers",
        "properties": {
            "full_name": _property("name", "col_contacts", "Contacts"),
            "job_title": _property("title", "col_contacts", "Contacts"),
            "seats": _property("seats", "col_contacts", "Contacts"),
            "notes": {**_property("notes", "col_notes", "Notes"), "extractMemories": True},
        },
    }
    return {name: value for name, value in {**given, **changes}.items() if value is not None}


def _property(field: str, collection: str, name: str) -> dict[str, Any]:
    return {"sourceField": field, "collectionId": collection, "collectionName": name}


def batch(*rows: Any, **changes: Any) -> dict[str, Any]:
    return {"source": "Postgres", "mapping": mapping(), "rows": list(rows), **changes}


def person(number: int, **fields: Any) -> dict[str, Any]:
    return {"email": f"person{number}@example.com", "name": f"Person {number}", "seats": number, **fields}


def send(http: httpx.Client, *rows: Any, **changes: Any) -> dict[str, Any]:
    answer = http.post("/api/v1/batch-memorize", json=batch(*rows, **changes))
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def search(http: httpx.Client, **call: Any) -> dict[str, Any]:
    answer = http.post("/api/v1/search", json=call)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def record(http: httpx.Client, email: str) -> dict[str, Any]:
    """The property values of the record with this address."""
    data = search(http, email=email, returnRecords=True)
    assert data["totalMatched"] == 1
    return {name: one["value"] for name, one in data["records"][data["recordIds"][0]].items()}
