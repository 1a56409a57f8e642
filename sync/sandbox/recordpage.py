"""One record on a page: keys, properties, memories."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from sync.sandbox.contents import PAGE, PropertyLine, list_keys, list_memories, list_properties
from sync.sandbox.markup import document, record_path, turner
from sync.sandbox.sentences import NOTICE
from sync.web.markup import chip, empty, moment, number, plural, shortened, table, text

_PROPERTY_HEADINGS = "<th>Property</th><th>Value</th><th>Collection</th><th>Source</th><th>Changed</th>"


def record_page(connection: sqlite3.Connection, record: sqlite3.Row, page: int, now: float) -> bytes:
    """The page of one record: keys, properties, memories."""
    properties = list_properties(connection, record["id"])
    memories = list_memories(connection, record["id"], page, PAGE)
    keys = "".join(f"<span>{text(name)} <code>{text(value)}</code></span>" for name, value in _keys(connection, record))
    body = (
        f'<p class="crumb"><a href="/records">← Records</a></p><h1>{text(record["label"] or record["identity"])}</h1>'
        f'<div class="meta">{chip("type", record["type"])}{keys}'
        f"<span>changed {moment(record['updated'], now)}</span></div>"
        f'<div class="head"><h2>Properties</h2><span class="hint">{number(len(properties))}</span></div>'
        f"{_properties(properties, now)}"
        f'<div class="head"><h2>Memories</h2><span class="hint">{plural(record["memories"], "sentence", "sentences")}'
        f"</span></div>{_memories(memories, now)}"
    )
    path = record_path(record["record_id"])
    return document("Record", "/records", body + turner(path, {}, page, PAGE, record["memories"]))


def _keys(connection: sqlite3.Connection, record: sqlite3.Row) -> list[tuple[str, str]]:
    return [*list_keys(connection, record["id"]), ("id", record["record_id"])]


def _properties(properties: Sequence[PropertyLine], now: float) -> str:
    if not properties:
        return empty("No properties", "<p>Every value of this record is empty.</p>")
    rows = [
        f'<tr><td class="lead-cell name"><code>{text(one.name)}</code></td>'
        f'<td class="wide"><span class="value">{text(one.value)}</span></td>'
        f'<td data-label="Collection" class="short">{shortened(one.collection, 40)}</td>'
        f'<td data-label="Source" class="short">{shortened(one.source, 40)}</td>'
        f'<td data-label="Changed" class="time">{moment(one.changed, now)}</td></tr>'
        for one in properties
    ]
    return table(_PROPERTY_HEADINGS, rows)


def _memories(memories: Sequence[sqlite3.Row], now: float) -> str:
    if not memories:
        return empty(
            "No memories",
            "<p>Mark a free-text property with <code>extractMemories: true</code> in its map"
            " and run the stream again.</p>",
        )
    lines = "".join(
        f'<li><p>{text(one["text"])}</p><p class="from"><code>{text(one["property"])}</code> ·'
        f" {text(one['collection_name'])} · {text(one['source'])} · {moment(one['created'], now)}</p></li>"
        for one in memories
    )
    return f'<p class="hint">{NOTICE}</p><div class="card"><ul class="memories">{lines}</ul></div>'
