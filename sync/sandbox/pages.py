"""The pages: which one a path means, read only, under a strict policy."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from urllib.parse import unquote

from sync.sandbox.answers import HTML, Answer, Request
from sync.sandbox.batchpage import batch_page, batches_page
from sync.sandbox.contents import get_batch, get_record
from sync.sandbox.markup import document
from sync.sandbox.overviewpage import overview_page
from sync.sandbox.recordlist import records_page
from sync.sandbox.recordpage import record_page
from sync.sandbox.service import Service
from sync.web.markup import text
from sync.web.style import SECURITY


def answer_page(service: Service, url: str, request: Request) -> Answer:
    """Answer a request for a page; pages are read, never written."""
    if request.method not in ("GET", "HEAD"):
        return _html(405, document("Not allowed", "", _missing("Pages are read with GET only.")))
    service.intake.settle()
    with service.database.read() as connection:
        page = _find_page(service, connection, url, request)
    if page is None:
        return _html(404, document("Not found", "", _missing("There is no such page.")))
    return _html(200, page)


def _html(status: int, page: bytes) -> Answer:
    return Answer(status, page, HTML, SECURITY)


def _find_page(service: Service, connection: sqlite3.Connection, url: str, request: Request) -> bytes | None:
    section, _, name = request.path.strip("/").partition("/")
    now, page = service.clock(), _page_number(request.query)
    if not name:
        return _section(service, connection, url, section, request.query)
    if section == "records" and (record := get_record(connection, unquote(name))):
        return record_page(connection, record, page, now)
    if section == "batches" and (batch := get_batch(connection, unquote(name))):
        return batch_page(batch, now)
    return None


def _section(
    service: Service, connection: sqlite3.Connection, url: str, section: str, query: Mapping[str, str]
) -> bytes | None:
    if section == "":
        return overview_page(service, connection, url)
    if section == "records":
        return records_page(connection, query, _page_number(query), service.clock())
    return batches_page(connection, _page_number(query), service.clock()) if section == "batches" else None


def _page_number(query: Mapping[str, str]) -> int:
    given = query.get("page", "1")
    return max(1, int(given)) if given.isascii() and given.isdigit() and len(given) < 9 else 1


def _missing(message: str) -> str:
    return f'<h1>Nothing here</h1><p class="lead">{text(message)} <a href="/">Back to the overview</a></p>'
