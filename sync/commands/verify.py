"""`memsync verify`: does memory hold what was delivered?"""

from __future__ import annotations

from pathlib import Path

import click

from sync.commands import options, screen
from sync.commands.session import chosen_maps, load_settings, shared_pace, surroundings
from sync.memory.records import LARGEST_BUDGET, USUAL_BUDGET


@click.command(epilog="Example: memsync verify customers --sample 50")
@click.argument("stream")
@click.option("--sample", "size", type=click.IntRange(min=1), default=20, show_default=True, metavar="N")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed compares other records.")
@options.wait
@click.option("--by", type=click.Choice(["search", "digest"]), default="search", show_default=True)
@click.option(
    "--token-budget",
    type=click.IntRange(1, LARGEST_BUDGET),
    default=USUAL_BUDGET,
    show_default=True,
    help="Tokens of each digest, for --by digest.",
)
@click.option("--show-values", is_flag=True, help="Show the values that differ, on this screen only.")
@options.common
def command(
    stream: str,
    size: int,
    seed: int,
    wait: float,
    by: str,
    token_budget: int,
    show_values: bool,
    mappings: Path | None,
    as_json: bool,
    debug: bool,
) -> int:
    """Read a sample of delivered records back from memory and compare every plain property with the source."""
    from sync.commands.verifying import Wanted, show, verify_sample

    settings = load_settings()
    property_map = chosen_maps(mappings, settings, [stream])[0]
    shown = screen.Progress()
    wanted = Wanted(size, seed, wait, by, token_budget)
    with surroundings(settings, dry_run=True, debug=debug, progress=shown.show) as around:
        found = verify_sample(property_map, shared_pace(around), wanted)
        shown.clear()
    return show(found, as_json=as_json, show_values=show_values)
