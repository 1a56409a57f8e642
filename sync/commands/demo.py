"""`memsync demo`: the whole job, to look at."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: memsync demo --folder /tmp/memsync-demo")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), default=Path("memsync-demo"), show_default=True
)
@click.option("--rows", type=click.IntRange(min=1300, max=3000), default=3000, show_default=True, help="Customers.")
def command(folder: Path, rows: int) -> int:
    """Run the whole job on embedded parts: a real Postgres, a first sync, changes, a second sync, read-back.

    Nothing leaves this machine. The folder it makes goes on working with the ordinary commands.
    """
    from sync.demo.story import run_demo

    run_demo(folder, rows)
    return 0
