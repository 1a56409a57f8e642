"""Pieces of the sandbox's pages beside those that all pages share; in each every value is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from sync.web.markup import frame, number

TABS = (("/", "Overview"), ("/records", "Records"), ("/batches", "Batches"))
FOOTER = "A local stand-in for Personize memory. No AI runs here, nothing leaves this machine."


def document(title: str, tab: str, body: str, *, refresh: bool = False) -> bytes:
    """A whole page around a body that is markup already."""
    return frame("memsync sandbox", title, body, FOOTER, TABS, tab, refresh=3 if refresh else 0)


def link(path: str, parameters: Mapping[str, Any]) -> str:
    """A path with its query, for an attribute."""
    given = {name: value for name, value in parameters.items() if value not in ("", None)}
    return escape(f"{path}?{urlencode(given)}" if given else path)


def record_path(record_id: str) -> str:
    """The path of a record's page, for an attribute."""
    return f"/records/{quote(record_id, safe='')}"


def batch_path(event_id: str) -> str:
    """The path of a batch's page, for an attribute."""
    return f"/batches/{quote(event_id, safe='')}"


def turner(path: str, parameters: Mapping[str, Any], page: int, size: int, total: int) -> str:
    """Which rows are shown of how many, with links to the pages before and after."""
    if not total:
        return ""
    first, last = (page - 1) * size + 1, min(page * size, total)
    shown = f"{number(first)}–{number(last)} of {number(total)}" if first <= total else f"none of {number(total)}"
    back = f'<a rel="prev" href="{link(path, {**parameters, "page": page - 1})}">← Newer</a>'
    on = f'<a rel="next" href="{link(path, {**parameters, "page": page + 1})}">Older →</a>'
    turns = (back if page > 1 else "") + (on if last < total else "")
    return f'<div class="pages"><span>{shown}</span><span class="turn">{turns}</span></div>'
