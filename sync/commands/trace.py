"""`memsync trace`: one record end to end."""

from __future__ import annotations

from pathlib import Path

import click

from sync.commands import options
from sync.commands.session import chosen_maps, load_settings


@click.command(epilog="Example: memsync trace customers 42 -n")
@click.argument("stream")
@click.argument("key")
@click.option("-n", "--dry-run", is_flag=True, help="Send nothing, change no state.")
@options.resend
@options.wait
@options.common
def command(
    stream: str,
    key: str,
    dry_run: bool,
    resend: bool,
    wait: float,
    mappings: Path | None,
    as_json: bool,
    debug: bool,
) -> int:
    """Follow one record: read it, map it, send it if it changed, follow its event, and see what memory holds.

    KEY is its primary key. Values of the record are shown, on this screen and nowhere else.
    """
    from sync.commands.tracing import trace

    settings = load_settings()
    property_map = chosen_maps(mappings, settings, [stream])[0]
    return trace(property_map, key, settings, dry_run=dry_run, resend=resend, wait=wait, as_json=as_json, debug=debug)
