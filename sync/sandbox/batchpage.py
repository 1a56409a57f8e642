"""Batches on a page: as a list, and one with its errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import orjson

from sync.sandbox.contents import PAGE, count_all, list_batches
from sync.sandbox.event import event_status
from sync.sandbox.markup import batch_path, document, turner
from sync.web.markup import chip, empty, head, moment, number, plural, shortened, table, text

_BATCH_HEADINGS = (
    '<th>Batch</th><th>Status</th><th>Source</th><th class="num">Rows</th><th class="num">Errors</th><th>Accepted</th>'
)


def batches_page(connection: sqlite3.Connection, page: int, now: float) -> bytes:
    """The list of batches."""
    total = count_all(connection).batches
    rows = list_batches(connection, page, PAGE)
    body = '<h1>Batches</h1><p class="lead">Every batch call that was accepted, newest first.</p>'
    body += head("Accepted", plural(total, "batch", "batches")) + batch_table(rows, now)
    return document("Batches", "/batches", body + turner("/batches", {}, page, PAGE, total))


def batch_table(rows: Sequence[sqlite3.Row], now: float) -> str:
    """Batches as a table, or what to do when there are none."""
    if not rows:
        return empty("No batches", "<p>Type <code>memsync run</code> to send one.</p>")
    return table(_BATCH_HEADINGS, [_batch_row(row, now) for row in rows])


def _batch_row(row: sqlite3.Row, now: float) -> str:
    name = row["run_name"] or row["event_id"]
    again = " · same content as before" if row["duplicate_of"] else ""
    errors = f'<span class="bad">{number(row["failed"])}</span>' if row["failed"] else '<span class="none">0</span>'
    return (
        f'<tr><td class="lead-cell"><a class="who" href="{batch_path(row["event_id"])}">{text(name)}</a>'
        f'<span class="sub">{text(row["type"])}{again}</span></td>'
        f'<td data-label="Status">{chip(event_status(row, now))}</td>'
        f'<td data-label="Source" class="short">{shortened(row["source"], 40)}</td>'
        f'<td data-label="Rows" class="num">{number(row["rows"])}</td>'
        f'<td data-label="Errors" class="num">{errors}</td>'
        f'<td data-label="Accepted" class="time">{moment(row["accepted"], now)}</td></tr>'
    )


def batch_page(row: sqlite3.Row, now: float) -> bytes:
    """The page of one batch: what it said of itself, and the rows that could not be stored."""
    errors = orjson.loads(row["errors"])
    body = (
        '<p class="crumb"><a href="/batches">← Batches</a></p>'
        f'<h1>{text(row["run_name"] or row["event_id"])}</h1><div class="meta">{chip(event_status(row, now))}'
        f"<span>{plural(row['rows'], 'row', 'rows')} of type {text(row['type'])} from {text(row['source'])}</span>"
        f"<span>{moment(row['accepted'], now)}</span><code>{text(row['event_id'])}</code></div>"
    )
    if row["duplicate_of"]:
        path = batch_path(row["duplicate_of"])
        body += (
            f'<p class="lead">The same content came before, as <a href="{path}">{text(row["duplicate_of"])}</a>.</p>'
        )
    lines = [
        f'<tr><td class="lead-cell">{text(one.get("email") or one.get("identifier") or "no identity")}</td>'
        f'<td data-label="Code">{chip("failed", one["code"])}</td>'
        f'<td class="wide">{text(one["message"])}</td></tr>'
        for one in errors
    ]
    body += head("Rows not stored", plural(len(errors), "row", "rows"))
    body += table("<th>Row</th><th>Code</th><th>Message</th>", lines) if lines else empty("None", "<p>All fine.</p>")
    return document("Batch", "/batches", body, refresh=not row["applied"])
