"""`memsync rejects`: rows that could not be delivered."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from sync.commands import options, screen
from sync.commands.refusal import Refused
from sync.commands.session import chosen_maps, load_settings, refuse_unknown, store_for
from sync.export.shapes import is_formula
from sync.stop import Stop

if TYPE_CHECKING:
    from state.values import StoredReject
    from sync.settings import Settings

_keys = click.option("--key", "keys", multiple=True, metavar="KEY", help="Only this primary key; may be repeated.")
READ_AGAIN = 20
"""Records that `show` reads and shows, unless more are asked for."""
LONGEST = 300
"""Characters of a value that are shown on a terminal."""
_code = click.option("--code", metavar="CODE", help="Only rejects with this reason.")


@click.group(epilog="Example: memsync rejects list customers")
def command() -> None:
    """Look at rows that could not be delivered, try them again, or take them off the list."""


def _rejects(settings: Settings, stream: str | None, keys: tuple[str, ...], code: str | None) -> list[StoredReject]:
    store = store_for(settings, must_exist=True)
    if store is None:
        if stream is not None:
            refuse_unknown(stream, [])
        return []
    with store:
        if stream is not None:
            refuse_unknown(stream, store.streams())
        found = store.rejects(stream)
    chosen = [r for r in found if (not keys or r.key in keys) and (code is None or r.code == code)]
    if found and not chosen:
        codes = screen.one_line(", ".join(sorted({r.code for r in found})))
        raise Refused(f"none of the {len(found):,} rejects matches; their reasons: {codes}")
    return chosen


@command.command("list", epilog="Example: memsync rejects list customers --code MISSING_IDENTIFIER")
@click.argument("stream", required=False)
@_keys
@_code
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values, for a spreadsheet.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Show at most so many.")
@options.as_json
def list_(stream: str | None, keys: tuple[str, ...], code: str | None, as_csv: bool, limit: int, as_json: bool) -> int:
    """List rejects with their reasons, and count them by reason."""
    found = _rejects(load_settings(), stream, keys, code)
    counts = Counter(r.code for r in found)
    if as_json:
        rejects = [_as_dict(r) for r in found]
        screen.show_json({"ok": True, "command": "rejects list", "counts": counts, "rejects": rejects})
    elif as_csv:
        click.echo(_csv(found), nl=False)
    elif not found:
        screen.say("No rejects.")
    else:
        heads = ["stream", "key", "reason", "times", "last (UTC)", "message"]
        newest = found[-limit:]
        rows = [[r.stream, r.key, r.code, r.attempts, screen.moment(r.last_at), r.message] for r in newest]
        screen.table(heads, rows, numbers=[3])
        screen.say()
        for reason, number in counts.most_common():
            screen.say(screen.one_line(f"{number:,} {reason}"))
        if len(found) > limit:
            screen.say(f"(the newest {limit} of {len(found):,} are shown; --limit N shows more)")
    return 0


def _as_dict(r: StoredReject) -> dict[str, Any]:
    return asdict(r) | {"first_at": screen.iso(r.first_at), "last_at": screen.iso(r.last_at)}


def _csv(found: list[StoredReject]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["stream", "key", "code", "attempts", "first_at", "last_at", "message"])
    for r in found:
        times = [screen.moment(r.first_at), screen.moment(r.last_at)]
        texts = [_harmless(text) for text in (r.stream, r.key, r.code, r.message)]
        writer.writerow([*texts[:3], r.attempts, *times, texts[3]])
    return buffer.getvalue()


def _harmless(text: str) -> str:
    """The text as a spreadsheet takes it for text, never for a formula."""
    text = screen.one_line(text)
    return f"'{text}" if is_formula(text) else text


@command.command(epilog="Example: memsync rejects show customers --key 1234")
@click.argument("stream")
@_keys
@_code
@click.option("--limit", type=click.IntRange(min=1), default=READ_AGAIN, show_default=True, help="At most so many.")
@options.common
def show(
    stream: str, keys: tuple[str, ...], code: str | None, limit: int, mappings: Path | None, as_json: bool, debug: bool
) -> int:
    """Read the records of rejects again and show them as they are now (their values, on this screen only)."""
    from sync.maps.compile import compile_map
    from sync.request import open_source

    settings = load_settings()
    property_map = chosen_maps(mappings, settings, [stream])[0]
    every = _rejects(settings, stream, keys, code)
    found = every[-limit:]
    connector = open_source(property_map, None, compile_map(property_map, b"").source_fields)
    try:
        records = {record.key: dict(record.fields) for record in connector.fetch([r.key for r in found])}
    finally:
        connector.close()
    if as_json:
        shown = [_as_dict(r) | {"record": records.get(r.key)} for r in found]
        screen.show_json({"ok": True, "command": "rejects show", "total": len(every), "rejects": shown})
        return 0
    for r in found:
        screen.say(screen.one_line(f"{r.stream} {r.key}: {r.code}: {r.message}"))
        for name, value in (records.get(r.key) or {"(gone)": "no longer in the source, or outside `where`"}).items():
            text = orjson.dumps(value, default=str).decode()
            cut = f"{text[:LONGEST]}... ({len(text):,} characters; --json shows all)" if len(text) > LONGEST else text
            screen.say(f"  {screen.one_line(name)}: {cut}")
    if not found:
        screen.say("No rejects.")
    if len(every) > limit:
        screen.say(f"(the newest {limit} of {len(every):,} are shown; --limit N shows more)")
    return 0


@command.command(epilog="Example: memsync rejects retry customers --code TRANSFORM_FAILED")
@click.argument("stream")
@_keys
@_code
@options.wait
@options.common
def retry(
    stream: str, keys: tuple[str, ...], code: str | None, wait: float, mappings: Path | None, as_json: bool, debug: bool
) -> int:
    """Read the records of rejects again, map them and send them; what is delivered leaves the list."""
    from sync.commands.running import run_all
    from sync.request import Request

    settings = load_settings()
    maps = chosen_maps(mappings, settings, [stream])
    found = [r.key for r in _rejects(settings, stream, keys, code)]
    if not found and not as_json:
        screen.say("No rejects.")
        return 0
    return run_all(maps, Request("rejects retry", wait=wait, keys=found), settings, as_json=as_json, debug=debug)


@command.command(epilog="Example: memsync rejects drop customers --key 1234")
@click.argument("stream")
@_keys
@_code
@options.yes
@options.as_json
def drop(stream: str, keys: tuple[str, ...], code: str | None, yes: bool, as_json: bool) -> int:
    """Take rejects off the list without delivering them."""
    from sync.hold import hold

    settings = load_settings()
    found = [r.key for r in _rejects(settings, stream, keys, code)]
    if found:
        options.ask(f"Drop {len(found):,} rejects of {stream} without delivering them?", yes=yes)
    store = store_for(settings, must_exist=True) if found else None
    if store is not None:
        with store, hold(store, stream, Stop()) as lease:
            store.drop_rejects(lease, found)
    if as_json:
        screen.show_json({"ok": True, "command": "rejects drop", "stream": stream, "dropped": len(found)})
    else:
        screen.say(f"{stream}: {screen.count(len(found), 'reject')} dropped")
    return 0
