"""`memsync backfill`: read a range once, apart from the cursor."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from sync.commands import options
from sync.commands.session import chosen_maps, load_settings
from sync.shards import Shard


@click.command(epilog="Example: memsync backfill customers --since 2024-01-01 --until 2025-01-01")
@click.argument("stream")
@click.option("--since", type=options.Instant(), metavar="T", help="Read what is stamped at or after T.")
@click.option("--until", type=options.Instant(), metavar="T", help="Read what is stamped before T.")
@click.option(
    "--shard",
    type=options.ShardOf(),
    metavar="I/N",
    help="Only part I (from 0) of N parts of the records, by primary key; the parts may run side by side.",
)
@options.dry_run
@options.resend
@options.spending
@options.wait
@options.common
def command(
    stream: str,
    since: datetime | None,
    until: datetime | None,
    shard: Shard | None,
    dry_run: bool,
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
    """Read a range of a stream once, apart from its cursor; started again after a stop, it goes on where it was."""
    if since is not None and until is not None and since >= until:
        raise click.UsageError(f"--since {since.isoformat()} is not before --until {until.isoformat()}")
    from sync.commands.running import run_all
    from sync.guards import Asked
    from sync.request import Request

    settings = load_settings()
    asked = Asked(None, max_rows, max_calls, max_credits, yes)
    request = Request("backfill", dry_run, resend=resend, asked=asked, wait=wait, since=since, until=until, shard=shard)
    return run_all(chosen_maps(mappings, settings, [stream]), request, settings, as_json=as_json, debug=debug)
