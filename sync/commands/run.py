"""`memsync run`: one incremental run."""

from __future__ import annotations

from pathlib import Path

import click

from sync.commands import options
from sync.commands.session import chosen_maps, load_settings


@click.command(epilog="Example: memsync run customers --dry-run")
@click.argument("streams", nargs=-1, metavar="[STREAM]...")
@options.dry_run
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Send at most N rows of each stream.")
@click.option("--full", is_flag=True, help="Read from the start; the cursor is kept until that is done.")
@options.resend
@options.spending
@options.wait
@options.common
def command(
    streams: tuple[str, ...],
    dry_run: bool,
    limit: int | None,
    full: bool,
    resend: bool,
    max_rows: int | None,
    max_calls: int | None,
    max_credits: int | None,
    yes: bool,
    wait: float,
    mappings: Path | None,
    as_json: bool,
    debug: bool,
) -> int:
    """One incremental run of the named streams, or of all: read what changed, send it, follow it to its end."""
    from sync.commands.running import run_all
    from sync.guards import Asked
    from sync.request import Request

    settings = load_settings()
    maps = chosen_maps(mappings, settings, streams)
    asked = Asked(limit, max_rows, max_calls, max_credits, yes)
    request = Request(command="run", dry_run=dry_run, full=full, resend=resend, asked=asked, wait=wait)
    return run_all(maps, request, settings, as_json=as_json, debug=debug)
