"""What a person sees: tables, the summary of a run, and progress that never spoils a pipe."""

from __future__ import annotations

import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click
import orjson

from sync.log import mask
from sync.spans import count as count
from sync.summary import Summary

NUMBERS = ("read", "filtered", "unchanged", "sent", "accepted", "settled", "rejected", "gone", "calls", "retries")
SIDE_BY_SIDE = 3
"""Streams that fit beside each other on 80 columns."""
_ODD = re.compile(r"[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
"""Characters that a terminal may obey or hide: JSON has another way of writing them."""
_EVERY = 10.0
"""Seconds between progress lines where no terminal shows them in place."""


def say(text: str = "") -> None:
    """One line of result on standard output."""
    click.echo(mask(text))


def show_json(document: Any) -> None:
    """The one JSON document of `--json`."""
    text = orjson.dumps(document, option=orjson.OPT_INDENT_2, default=str).decode()
    click.echo(escaped(text))


def escaped(json_text: str) -> str:
    """JSON for a screen: characters that a terminal may obey or hide are written in JSON's other way."""
    return _ODD.sub(_escaped, json_text)


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"\\u{int.from_bytes(unit, 'big'):04x}" for unit in _units(found[0]))


def _units(text: str) -> list[bytes]:
    units = text.encode("utf-16-be", "surrogatepass")
    return [units[at : at + 2] for at in range(0, len(units), 2)]


def one_line(text: str) -> str:
    """Somebody else's text as a part of one line: a line break in it must not look like a line of ours."""
    return " ".join(mask(text).splitlines())


def value(value: Any, longest: int) -> str:
    """A value of a record as JSON on one line, cut where it is long: for screens whose purpose is to show it."""
    text = escaped(orjson.dumps(value, default=str).decode())
    return f"{text[:longest]}... ({len(text):,} characters)" if len(text) > longest else text


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]], numbers: Sequence[int] = ()) -> None:
    """A table in plain text; the columns in `numbers` are set to the right."""
    texts = [[one_line(_text(cell)) for cell in row] for row in rows]
    widths = [max([len(head), *(len(row[at]) for row in texts)]) for at, head in enumerate(heads)]
    for row in [list(heads), *texts]:
        cells = [c.rjust(widths[at]) if at in numbers else c.ljust(widths[at]) for at, c in enumerate(row)]
        click.echo("  ".join(cells).rstrip())


def _text(cell: Any) -> str:
    return "-" if cell is None else f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)


def iso(seconds: float | None) -> str | None:
    """A point in time for `--json`: ISO 8601 in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def short(text: str | None) -> str:
    """A point in time as `iso` gives it, for a table headed UTC."""
    return "-" if text is None else text[:19].replace("T", " ")


def cursor(document: Mapping[str, Any] | None) -> str:
    """A cursor as a person reads it: its connector says how, in `shown`."""
    if document is None:
        return "-"
    return str(document.get("shown") or orjson.dumps(dict(document)).decode())


def moment(seconds: float | None) -> str:
    """A point in time as people read it, in UTC."""
    return "-" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def show_summaries(summaries: Sequence[Summary], *, dry_run: bool) -> None:
    """The numbers of runs side by side, then what a person should know about each."""
    begun = [summary for summary in summaries if summary.read or not summary.message]
    for start in range(0, len(begun), SIDE_BY_SIDE):
        part = begun[start : start + SIDE_BY_SIDE]
        rows = [["status", *(s.status for s in part)]]
        names = {"sent": "would send"} if dry_run else {}
        rows += [[names.get(name, name), *(_text(getattr(s, name)) for s in part)] for name in NUMBERS]
        for name in ("failed", "waiting", "duplicates_possible"):
            if any(getattr(s, name) for s in part):
                rows.append([name, *(_text(getattr(s, name)) for s in part)])
        rows += [["seconds", *(f"{s.seconds:.1f}" for s in part)], ["exit", *(str(s.exit) for s in part)]]
        table(["stream", *(s.stream for s in part)], rows, range(1, len(part) + 1))
        click.echo()
    for summary in summaries:
        if summary.message:
            click.echo(one_line(f"memsync: {summary.stream}: {summary.message}"), err=True)
        for line in remarks(summary, dry_run=dry_run):
            say(one_line(f"{summary.stream}: {line}"))


def remarks(summary: Summary, *, dry_run: bool = False) -> list[str]:
    """What a person should know about a run, besides its numbers."""
    lines = list(summary.notes)
    if not (summary.read or summary.gone or summary.message):
        lines.append("nothing was due")
    for reason, rows in sorted(summary.reasons.items()):
        lines.append(f"{rows:,} rejected: {reason}" + ("" if dry_run else f" (memsync rejects list {summary.stream})"))
    lines += [f"{records:,} left out: {reason}" for reason, records in sorted(summary.left_out.items())]
    gone = Counter(summary.gone_keys.values())
    lines += [
        f"{records:,} gone: {reason} (memory still has {them(records)}; --json names {them(records)})"
        for reason, records in gone.items()
    ]
    if summary.failed > summary.filed:
        again = summary.failed - summary.filed
        told = rows_that(again, "was", "were")
        lines.append(f"{told} taken and then failed by the server; the next run sends {them(again)} again")
    if summary.filed:
        now = "is a reject" if summary.filed == 1 else "are rejects"
        told = f"{count(summary.filed, 'row')} that the server failed {now} now"
        lines.append(f"{told} (memsync rejects list {summary.stream})")
    if summary.waiting:
        told = rows_that(summary.waiting, "is", "are")
        lines.append(f"{told} accepted and not settled yet; the next run follows {them(summary.waiting)}")
    if summary.duplicates_possible:
        lines.append(
            f"{count(summary.duplicates_possible, 'row')} may have been sent twice, after answers that did not arrive"
        )
    if summary.estimate:
        lines += expectations(summary.estimate)
    if dry_run and not summary.message:
        lines.append("dry run: nothing was stored and no state was changed")
    return lines


def rows_that(number: int, one: str, several: str) -> str:
    """`1 row was`, `2 rows were`."""
    return f"{count(number, 'row')} {one if number == 1 else several}"


def them(number: int) -> str:
    """`it` or `them`."""
    return "it" if number == 1 else "them"


def expectations(e: Mapping[str, Any]) -> list[str]:
    """What a dry run says of the real one: work, cost, time, and whether that fits."""
    credits_ = f"{e['credits']:,}" + (f" to {e['credits_most']:,}" if e["credits_most"] > e["credits"] else "")
    if not e["calls"]:
        return []
    effort = f"{count(e['calls'], 'call')}, and as many or more to follow them"
    effort += f", {count(e['calls_to_rekey'], 'call')} to give records their new key" if e["calls_to_rekey"] else ""
    rates = "an estimate: rows with text at the tier's lowest rate, to all rows at its highest"
    cost = f"{credits_} credits ({rates})"
    lines = [f"a real run would take {effort}, {cost} and {_time(e['seconds'])} at the plan's pace"]
    if e["rows_to_extract"]:
        characters = f"{e['characters_to_extract']:,} characters"
        lines.append(f"text of {count(e['rows_to_extract'], 'row')} would be extracted: {characters}")
    if e["fits_this_month"] is False:
        lines.append(
            f"that is more than the {count(e['calls_left_this_month'], 'call')} that the plan's month has left, as far "
            "as this state store knows: the run would stop with exit code 6 and go on in another month"
        )
    if e.get("fits_before_next_run") is False:
        lines.append(f"it would not end before the stream is due again ({short(e['next_run'])} UTC), which is left out")
    return lines


def _time(seconds: float) -> str:
    return f"{seconds / 60:.1f} minutes" if seconds >= 60 else f"{seconds:.0f} seconds"


class Progress:
    """Shows how a run is getting on: in place on a terminal, as a line every 10 s elsewhere, on standard error."""

    def __init__(self, *, dry_run: bool = False) -> None:
        self._dry_run = dry_run
        self._live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")
        self._every = 0.1 if self._live else _EVERY
        self._began = self._last = time.monotonic()

    def show(self, summary: Summary) -> None:
        """Show a run's numbers, if the last time is long enough ago."""
        self.tell(lambda seconds: progress_line(summary, seconds, dry_run=self._dry_run))

    def tell(self, line_after: Callable[[float], str]) -> None:
        """Show a line made from the seconds so far, likewise."""
        now = time.monotonic()
        if now - self._last < self._every:
            return
        self._last = now
        line = line_after(now - self._began)
        click.echo(f"\r\x1b[2K{line}\r" if self._live else line, err=True, nl=not self._live)

    def clear(self) -> None:
        """Leave the line free for what follows."""
        if self._live:
            click.echo("\r\x1b[2K", err=True, nl=False)


def progress_line(summary: Summary, seconds: float, *, dry_run: bool = False) -> str:
    """One line: what is done, how fast, and how long it will take where that is known."""
    done = summary.filtered + summary.unchanged + summary.sent + summary.rejected
    rate = done / seconds if seconds > 0 else 0.0
    parts = [f"{summary.stream}: read {summary.read:,}", f"{'would send' if dry_run else 'sent'} {summary.sent:,}"]
    parts += [f"{name} {getattr(summary, name):,}" for name in ("unchanged", "rejected") if getattr(summary, name)]
    if summary.waiting:
        parts.append(f"waiting for {summary.waiting:,} to settle")
    elif rate:
        parts.append(f"{rate:,.0f} rows/s")
        if summary.due and summary.due > done:
            parts.append(f"{span((summary.due - done) / rate)} left")
    return "  ".join(parts)


def span(seconds: float) -> str:
    """A span of time for people."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
