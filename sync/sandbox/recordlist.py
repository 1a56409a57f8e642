"""Records on a page: found with a form, shown as a list."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sync.sandbox.contents import PAGE, Found, find_records, list_types
from sync.sandbox.markup import document, link, record_path, turner
from sync.web.markup import chip, empty, head, moment, number, plural, shortened, table, text

SHOWN = 3
"""Properties of a record that a list shows."""

_RECORD_HEADINGS = '<th>Record</th><th>Type</th><th>Properties</th><th class="num">Memories</th><th>Changed</th>'


def records_page(connection: sqlite3.Connection, query: Mapping[str, str], page: int, now: float) -> bytes:
    """The list of records that a search finds; all of them without one."""
    words, entity_type = query.get("q", "").strip()[:200], query.get("type", "")
    found = find_records(connection, words, entity_type, page, PAGE)
    body = '<h1>Records</h1><p class="lead">One for each identity that was sent, the one changed last first.</p>'
    body += head("Found" if words or entity_type else "Stored", plural(found.total, "record", "records")) + search_form(
        connection, query
    )
    body += record_table(found, query, now)
    body += turner("/records", {"q": words, "type": entity_type}, page, PAGE, found.total)
    return document("Records", "/records", body)


def search_form(connection: sqlite3.Connection, query: Mapping[str, str]) -> str:
    """The form that searches records, filled in as it was sent."""
    chosen = query.get("type", "")
    options = "".join(
        f'<option value="{text(name)}"{" selected" if name.lower() == chosen.lower() else ""}>'
        f"{text(name)} ({number(count)})</option>"
        for name, count in list_types(connection)
    )
    return (
        '<form class="find" method="get" action="/records"><input type="search" name="q" aria-label="Identity or name"'
        f' placeholder="Identity or name" value="{text(query.get("q", ""))}"><select name="type" aria-label="Type">'
        f'<option value="">All types</option>{options}</select><button>Search</button></form>'
    )


def record_table(found: Found, query: Mapping[str, str], now: float) -> str:
    """Records as a table, or what to do when there are none."""
    if found.rows:
        return table(_RECORD_HEADINGS, [_row(record, found.properties[record["id"]], now) for record in found.rows])
    if query.get("q") or query.get("type"):
        link_all = (
            f'<p>Try a shorter part of the identity or name, or <a href="{link("/records", {})}">show all</a>.</p>'
        )
        return empty("No record matches", link_all)
    return empty(
        "No records yet", "<p>Type <code>memsync run</code>. Records appear as soon as their batch is completed.</p>"
    )


def _row(record: sqlite3.Row, properties: Sequence[tuple[str, Any]], now: float) -> str:
    sub = f'<span class="sub">{text(record["identity"])}</span>' if record["label"] else ""
    memories = record["memories"]
    count = number(memories) if memories else '<span class="none">0</span>'
    return (
        f'<tr><td class="lead-cell"><a class="who" href="{record_path(record["record_id"])}">'
        f"{shortened(record['label'] or record['identity'], 80)}</a>{sub}</td>"
        f'<td data-label="Type">{chip("type", record["type"])}</td>'
        f'<td class="wide">{_facts(record, properties)}</td>'
        f'<td data-label="Memories" class="num">{count}</td>'
        f'<td data-label="Changed" class="time">{moment(record["updated"], now)}</td></tr>'
    )


def _facts(record: sqlite3.Row, properties: Sequence[tuple[str, Any]]) -> str:
    told = {record["label"], record["identity"]}
    untold = [(name, value) for name, value in properties if value not in told]
    telling, left = untold[:SHOWN], len(untold) - SHOWN
    shown = "".join(f"<span><b>{shortened(name, 40)}</b>{shortened(value, 60)}</span>" for name, value in telling)
    more = f'<span class="none">+{number(left)}</span>' if left > 0 else ""
    return f'<span class="facts">{shown}{more}</span>' if properties else '<span class="none">–</span>'
