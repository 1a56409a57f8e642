"""The status page: what runs, what is due, what is wrong. Names and numbers only, no contents of rows."""

from __future__ import annotations

from collections.abc import Sequence

from sync.guards import BUDGET, UNCONFIRMED
from sync.log import mask
from sync.serve.board import Picture, StreamView
from sync.serve.chart import rows_chart
from sync.spans import span
from sync.web.markup import chip, empty, frame, head, moment, number, plural, shortened, table, text

REFRESH = 15
"""Seconds after which the page loads itself again."""
FOOTER = "Served by memsync on this machine. Names, numbers and reasons only: the contents of records are not shown."
LONGEST = 300
"""Characters of a message."""
LOOK_AT = ("failed", "killed", "quota", UNCONFIRMED)
"""How runs end that a person has to look at."""


def status_page(picture: Picture) -> bytes:
    """The page for a picture."""
    running = [view for view in picture.streams if view.state.running]
    body = (
        f"<h1>{_headline(picture)}</h1><p class='lead'>{_lead(picture, len(running))}</p>{_notices(picture)}"
        f"{_stats(picture, len(running))}{head('Streams', 'rows sent per run, newest on the right')}"
        f"{_streams(picture)}{_hints(picture)}{_troubles(picture)}{_waiting(picture)}{_rejects(picture)}"
    )
    return frame("memsync", "Status", body, FOOTER, refresh=REFRESH)


def _headline(picture: Picture) -> str:
    bad = [view for view in picture.streams if view.status in LOOK_AT or view.late]
    if picture.trouble:
        return "Not ready"
    return plural(len(bad), "stream needs", "streams need") + " attention" if bad else "All streams are well"


def _lead(picture: Picture, running: int) -> str:
    waits = f", {number(picture.queued)} in the queue" if picture.queued else ""
    return f"{plural(len(picture.streams), 'stream', 'streams')}, {number(running)} running now{waits}."


def _notices(picture: Picture) -> str:
    told = [*([picture.trouble] if picture.trouble else []), *picture.map_problems]
    return "".join(f'<p class="notice" role="alert">{shortened(mask(one), LONGEST)}</p>' for one in told)


def _stats(picture: Picture, running: int) -> str:
    rejects = sum(sum(view.state.rejects.values()) for view in picture.streams)
    waiting = sum(view.state.unsettled_rows for view in picture.streams)
    scheduled = sum(view.map.schedule is not None for view in picture.streams)
    late = sum(view.late is not None for view in picture.streams)
    return (
        '<div class="stats">'
        + _stat(
            "Streams", number(len(picture.streams)), f"{number(scheduled)} on a schedule, {number(running)} running"
        )
        + _stat("Late", number(late), "less fresh than their schedules promise")
        + _stat("Rejected rows", number(rejects), "memsync rejects list" if rejects else "none")
        + _stat("Waiting on the server", number(waiting), "rows accepted, not settled yet")
        + "</div>"
    )


def _stat(name: str, value: str, note: str) -> str:
    return (
        f'<div class="stat"><div class="name">{text(name)}</div><div class="value">{value}</div>'
        f'<div class="note">{text(note)}</div></div>'
    )


def _streams(picture: Picture) -> str:
    if not picture.streams:
        return empty(
            "No property map is loaded", "<p>Put a map into the folder of mappings; it is found by itself.</p>"
        )
    heads = "".join(f"<th>{name}</th>" for name in ("Stream", "Status", "Last run", "Next run", "Lag", "Rows per run"))
    numbers = '<th class="num">Waiting</th><th class="num">Rejects</th>'
    return table(heads + numbers, [_row(view, picture.at) for view in picture.streams])


def _row(view: StreamView, now: float) -> str:
    state, source = view.state, view.map.source
    last = state.runs[0].started_at if state.runs else None
    what = source.object or "a query"
    shown = chip("late", "late") if view.late and view.status in ("ok", "rejects", "never", BUDGET) else ""
    return (
        f'<tr><td class="lead-cell name"><span class="who">{text(view.name)}</span>'
        f'<span class="sub">{text(source.connector)} · {shortened(what, 60)}</span></td>'
        f'<td data-label="Status">{chip(view.status)} {shown}</td>'
        f'<td class="time" data-label="Last run">{moment(last, now) if last else _none("never")}</td>'
        f'<td class="time" data-label="Next run">{_next(view, now)}</td>'
        f'<td class="time" data-label="Lag">{span(view.lag) if view.lag is not None else _none("-")}</td>'
        f'<td class="graph" data-label="Rows per run">{rows_chart(state.runs)}</td>'
        f'<td class="num" data-label="Waiting">{number(state.unsettled_rows)}</td>'
        f'<td class="num" data-label="Rejects">{_count(sum(state.rejects.values()))}</td></tr>'
    )


def _none(words: str) -> str:
    return f'<span class="none">{words}</span>'


def _count(rows: int) -> str:
    return f'<span class="bad">{number(rows)}</span>' if rows else "0"


def _next(view: StreamView, now: float) -> str:
    if view.map.schedule is None:
        return _none("no schedule")
    if view.next_run is None:
        return _none("-")
    return f"in {span(view.next_run - now)}" if view.next_run > now else "now"


def _hints(picture: Picture) -> str:
    lines = []
    names = [view.name for view in picture.streams if view.map.schedule is None]
    if names:
        lines.append(
            f"Without a schedule, so never run here: {shortened(', '.join(names), LONGEST)}. Add for example "
            '<code>schedule: {cron: "0 * * * *"}</code> to their maps.'
        )
    lines += [
        f"{text(view.name)}: {shortened(mask(_message(view)), LONGEST)}"
        for view in picture.streams
        if view.status == BUDGET and _message(view)
    ]
    if picture.others:
        lines.append(f"The state store knows {plural(picture.others, 'stream', 'streams')} without a map.")
    return "".join(f'<p class="hint plan">{line}</p>' for line in lines)


def _troubles(picture: Picture) -> str:
    rows = [line for view in picture.streams for line in _trouble(view)]
    return head("What is wrong") + table("<th>Stream</th><th>Reason</th>", rows) if rows else ""


def _trouble(view: StreamView) -> Sequence[str]:
    message = "" if view.status == BUDGET else _message(view)
    told = [message] if message else []
    told += ["its process was killed; the next run goes on"] if view.status == "killed" else []
    told += [f"late: {view.late}"] if view.late else []
    name = f'<td class="lead-cell name"><span class="who">{text(view.name)}</span></td>'
    return [f'<tr>{name}<td class="wide">{shortened(mask(one), LONGEST)}</td></tr>' for one in told]


def _message(view: StreamView) -> str:
    """Why the newest run did not end well, where it did not."""
    return str(view.state.runs[0].summary.get("message") or "") if view.state.runs else ""


def _waiting(picture: Picture) -> str:
    views = [view for view in picture.streams if view.state.unsettled_events or view.state.due_again]
    if not views:
        return ""
    heads = '<th>Stream</th><th class="num">Events</th><th class="num">Rows</th><th>Oldest</th>'
    rows = [_waiting_row(view, picture.at) for view in views]
    return head("Waiting on the server") + table(heads + '<th class="num">Due again</th>', rows)


def _waiting_row(view: StreamView, now: float) -> str:
    state = view.state
    oldest = moment(state.oldest_unsettled, now) if state.oldest_unsettled is not None else _none("-")
    return (
        f'<tr><td class="lead-cell name"><span class="who">{text(view.name)}</span></td>'
        f'<td class="num" data-label="Events">{number(state.unsettled_events)}</td>'
        f'<td class="num" data-label="Rows">{number(state.unsettled_rows)}</td>'
        f'<td class="time" data-label="Oldest">{oldest}</td>'
        f'<td class="num" data-label="Due again">{number(state.due_again)}</td></tr>'
    )


def _rejects(picture: Picture) -> str:
    found = [(view.name, code, rows) for view in picture.streams for code, rows in sorted(view.state.rejects.items())]
    if not found:
        return ""
    rows = [
        f'<tr><td class="lead-cell name"><span class="who">{text(name)}</span></td>'
        f'<td class="mono" data-label="Reason">{shortened(mask(code), 100)}</td>'
        f'<td class="num" data-label="Rows">{number(count)}</td></tr>'
        for name, code, count in found
    ]
    hint = "<code>memsync rejects list STREAM</code>"
    return head("Rejects", hint) + table('<th>Stream</th><th>Reason</th><th class="num">Rows</th>', rows)
