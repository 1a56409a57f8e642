"""The page on `/`: what the sandbox is, how much it holds, how much of the plan is used."""

from __future__ import annotations

import sqlite3

from sync.sandbox.batchpage import batch_table
from sync.sandbox.contents import Counts, count_all, find_records, list_batches
from sync.sandbox.markup import document
from sync.sandbox.options import MEGABYTE, SandboxOptions
from sync.sandbox.recordlist import record_table, search_form
from sync.sandbox.sentences import NOTICE
from sync.sandbox.service import Service
from sync.web.markup import empty, head, number, plural, text

ON_OVERVIEW = 6


def overview_page(service: Service, connection: sqlite3.Connection, url: str) -> bytes:
    """The page on `/`; `url` is where clients find the sandbox."""
    now = service.clock()
    counts = count_all(connection)
    body = (
        "<h1>Local memory service</h1>"
        '<p class="lead">Answers the same HTTP calls as Personize memory, from one file on this machine, so that maps'
        f" can be tried without an account. {NOTICE}</p>{_stats(service, counts)}"
    )
    if service.options.sink:
        body += head("Sink mode") + empty("Nothing is stored", "<p>Calls, rows and bytes are counted only.</p>")
    elif not counts.batches:
        body += head("Start here") + _first_steps(url)
    else:
        batches = list_batches(connection, 1, ON_OVERVIEW)
        found = find_records(connection, "", "", 1, ON_OVERVIEW)
        body += head("Batches", f'<a href="/batches">All {number(counts.batches)}</a>') + batch_table(batches, now)
        body += head("Records", f'<a href="/records">All {number(counts.records)}</a>' if counts.records else "")
        body += (search_form(connection, {}) if counts.records else "") + record_table(found, {}, now)
    return document("Overview", "/", body, refresh=counts.waiting > 0)


def _stats(service: Service, counts: Counts) -> str:
    use, options = service.limits.use(), service.options
    waiting = f"{plural(counts.waiting, 'batch', 'batches')} on the way" if counts.waiting else ""
    return (
        '<div class="stats">'
        + _stat("Records", number(counts.records), waiting or f"in {plural(counts.batches, 'batch', 'batches')}")
        + _stat("Memories", number(counts.memories), "sentences of marked text")
        + _use("Calls this minute", use.minute, options.per_minute)
        + _use("Calls this month", use.month, options.per_month)
        + f'</div><p class="hint plan">{_plan(options)}</p>'
    )


def _plan(options: SandboxOptions) -> str:
    plan = options.limits
    words = f"Plan {plan.name}: {number(plan.rows_per_call)} rows and {plan.body_bytes // MEGABYTE} MB a call,"
    delay = f"after {options.delay:g} s" if options.delay else "at once"
    return f"{words} {plan.concurrent} calls at the same time. Batches are completed {delay}."


def _stat(name: str, value: str, note: str) -> str:
    return (
        f'<div class="stat"><div class="name">{text(name)}</div><div class="value">{value}</div>'
        f'<div class="note">{text(note)}</div></div>'
    )


def _use(name: str, used: int, limit: int | None) -> str:
    if limit is None:
        return _stat(name, number(used), "no limit set")
    full = ' class="full"' if used >= limit else ""
    note = "limit reached: further calls get 429" if used >= limit else f"of {number(limit)}"
    bar = f'<progress max="{limit}" value="{min(used, limit)}"{full} aria-label="{text(name)}"></progress>'
    return (
        f'<div class="stat"><div class="name">{text(name)}</div><div class="value">{number(used)}</div>'
        f'{bar}<div class="note">{note}</div></div>'
    )


def _first_steps(url: str) -> str:
    lines = f"export PERSONIZE_BASE_URL={text(url)}\nexport PERSONIZE_SECRET_KEY=sk_test_sandbox"
    return empty(
        "Nothing has been sent yet",
        "<p>Point memsync at this sandbox, then run a stream. What it delivers shows up here.</p>"
        f'<ol class="steps"><li><b>1. In a terminal</b><pre>{lines}</pre></li>'
        "<li><b>2. See what would be sent, then send it</b><pre>memsync run --dry-run\nmemsync run</pre></li></ol>",
    )
