"""`memsync state`: explicit changes of a stream's state."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sync.commands import options, screen
from sync.commands.refusal import Refused
from sync.commands.session import load_settings, refuse_unknown, store_for
from sync.positions import FULL, INCREMENTAL
from sync.stop import Stop

if TYPE_CHECKING:
    from state.store import Store
    from state.values import Lease

_FORMAT = 1


@click.group(epilog="Example: memsync state export customers > contacts.json")
def command() -> None:
    """Change, save or load what is remembered about a stream."""


@contextmanager
def _held(stream: str) -> Iterator[tuple[Store, Lease]]:
    from sync.hold import hold

    store = store_for(load_settings())
    assert store is not None  # noqa: S101  # it was not asked to exist
    with store, hold(store, stream, Stop()) as lease:
        yield store, lease


@command.command(epilog="Example: memsync state reset customers")
@click.argument("stream")
@options.yes
@options.as_json
def reset(stream: str, yes: bool, as_json: bool) -> int:
    """Forget cursor, fingerprints, rejects and open events: the next run reads and sends everything again."""
    with _existing(stream) as store:
        counts = store.counts(stream)
    options.ask(
        f"Forget the cursor and {counts['delivered']:,} delivered rows of {stream}? The next run sends everything "
        "again, and texts are extracted (and paid for) again.",
        yes=yes,
    )
    with _held(stream) as (store, lease):
        store.reset(lease)
    _done(as_json, {"command": "state reset", "stream": stream}, f"{stream}: forgotten; the next run starts over")
    return 0


@command.command("set", epilog="""Example: memsync state set customers '{"v": 1, ...}'""")
@click.argument("stream")
@click.argument("cursor")
@options.yes
@options.as_json
def set_(stream: str, cursor: str, yes: bool, as_json: bool) -> int:
    """Set the incremental cursor: `positions.incremental.cursor` as `memsync status STREAM --json` shows it."""
    try:
        document = json.loads(cursor)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"CURSOR is not JSON: {error}; see `memsync status {stream} --json`") from None
    if not isinstance(document, dict):
        raise click.UsageError(f"CURSOR must be a JSON object; see `memsync status {stream} --json`")
    if isinstance(document.get("cursor"), dict):
        document = document["cursor"]  # the whole position was pasted
    with _existing(stream) as store:
        position = store.position(stream, INCREMENTAL)
    if position is None:
        raise Refused(f"{stream} has no cursor yet, so there is none to change; run it first")
    if position.cursor is not None and document.get("v") != position.cursor.get("v"):
        raise click.UsageError(
            f"CURSOR is no cursor of {stream}; expected one as `memsync status {stream} --json` shows it"
        )
    options.ask(f"Move the cursor of {stream}? What lies between is read again, or never.", yes=yes)
    with _held(stream) as (store, lease):
        store.set_position(lease, INCREMENTAL, replace(position, cursor=document), drop=FULL)
    _done(as_json, {"command": "state set", "stream": stream}, f"{stream}: cursor set")
    return 0


@command.command(epilog="Example: memsync state export customers > contacts.json")
@click.argument("stream")
@options.as_json
def export(stream: str, as_json: bool) -> int:  # it is JSON either way
    """Print everything that is remembered about a stream as JSON: keys and hashes, no contents of records."""
    with _existing(stream) as store:
        content = store.export(stream)
    screen.show_json({"memsync_state": _FORMAT, "stream": stream, "tables": content})
    return 0


@command.command("import", epilog="Example: memsync state import customers contacts.json")
@click.argument("stream")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@options.yes
@options.as_json
def import_(stream: str, file: Path, yes: bool, as_json: bool) -> int:
    """Replace what is remembered about a stream by what `memsync state export` printed."""
    content = _read_export(file, stream)
    options.ask(f"Replace everything that is remembered about {stream}?", yes=yes)
    with _held(stream) as (store, lease):
        try:
            store.restore(lease, content)
        except ValueError as problem:
            raise Refused(f"{file}: is damaged ({problem}); export it again") from None
    _done(as_json, {"command": "state import", "stream": stream}, f"{stream}: imported from {file}")
    return 0


def _read_export(file: Path, stream: str) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if document["memsync_state"] != _FORMAT or not isinstance(document["tables"], dict):
            raise KeyError
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        raise Refused(f"{file}: is not what `memsync state export` prints (format {_FORMAT})") from None
    if document.get("stream") != stream:
        raise Refused(f"{file}: holds the stream {document.get('stream')!r}, not {stream!r}")
    tables: dict[str, Any] = document["tables"]
    return tables


@contextmanager
def _existing(stream: str) -> Iterator[Store]:
    store = store_for(load_settings(), must_exist=True)
    if store is None:
        refuse_unknown(stream, [])
        return
    with store:
        refuse_unknown(stream, store.streams())
        yield store


def _done(as_json: bool, document: dict[str, Any], line: str) -> None:
    if as_json:
        screen.show_json({"ok": True, "exit": 0, **document})
    else:
        screen.say(line)
