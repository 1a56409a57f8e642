"""Rows to the sink in one call, with `http.client` and orjson alone: how everybody but memsync sends."""

from __future__ import annotations

import http.client
import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson

KEY = "sk_test_bench"
BATCH = "/api/v1/batch-memorize"
NAMES = ("email", "first_name", "company", "plan", "score", "notes")
PROPERTIES = {
    name: {"sourceField": name, "collectionId": "col_contacts", "collectionName": "Contacts", "extractMemories": False}
    for name in NAMES
}
MAPPING = {"entityType": "contact", "email": "email", "runName": "minimal", "properties": PROPERTIES}


def connect() -> http.client.HTTPConnection:
    """A connection to PERSONIZE_BASE_URL."""
    return http.client.HTTPConnection(urlsplit(os.environ["PERSONIZE_BASE_URL"]).netloc)


def send(target: http.client.HTTPConnection, rows: Sequence[Any]) -> None:
    """One call; dates and decimals, which JSON does not know, are written as ISO 8601 and as float."""
    envelope = {"source": "Postgres", "mapping": MAPPING, "rows": rows, "tier": "pro", "chunkSize": 1}
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    target.request("POST", BATCH, orjson.dumps(envelope, default=_plain), headers)
    answer = target.getresponse()
    answer.read()
    if answer.status != 200:
        raise SystemExit(f"HTTP {answer.status}")


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else float(value)
