"""`memsync serve`: the scheduler, with health, metrics and a status page."""

from __future__ import annotations

from pathlib import Path

import click

from sync.commands import options
from sync.commands.session import load_settings


@click.command(epilog="Example: memsync serve --parallel 4 --jitter 5m")
@click.option(
    "--parallel", type=click.IntRange(1, 64), default=2, show_default=True, help="Streams that run at the same time."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the status page; 0.0.0.0: every one.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes any free port.")
@click.option(
    "--jitter",
    type=options.Duration(),
    default="0s",
    show_default=True,
    help="Spread starts over this span; a stream's own delay is always the same.",
)
@options.mappings
@options.debug
def command(parallel: int, host: str, port: int, jitter: float, mappings: Path | None, debug: bool) -> int:
    """Run each stream on the `schedule:` of its map until stopped, and show how they are doing.

    Maps are read again when their files change. Runs that were missed are made up for once; a stream never
    overlaps itself. The page is at http://127.0.0.1:8080, beside /healthz, /readyz and /metrics.
    """
    from sync.commands.serving import Wanted, serve

    settings = load_settings()
    return serve(settings, mappings or Path(settings.memsync_mappings), Wanted(parallel, host, port, jitter))
