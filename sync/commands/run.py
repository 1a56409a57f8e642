"""`memsync run`: one incremental run."""

from __future__ import annotations

import gc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from sync.commands import github, options, screen
from sync.commands.notices import telling_runs, telling_that_none_began
from sync.commands.session import chosen_maps, load_settings, surroundings
from sync.exits import exit_of, most_serious
from sync.guards import Asked
from sync.maps.model import PropertyMap
from sync.request import Request
from sync.run import run_stream
from sync.settings import Settings
from sync.stop import Stopped
from sync.summary import Summary


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
    settings = load_settings()
    maps = chosen_maps(mappings, settings, streams)
    asked = Asked(limit, max_rows, max_calls, max_credits, yes)
    request = Request(command="run", dry_run=dry_run, full=full, resend=resend, asked=asked, wait=wait)
    return run_all(maps, request, settings, as_json=as_json, debug=debug)


def run_all(maps: list[PropertyMap], request: Request, settings: Settings, *, as_json: bool, debug: bool) -> int:
    """Run streams one after the other, show their summaries, and return the most serious exit code."""
    _collect_garbage_less_often()
    shown = screen.Progress(dry_run=request.dry_run)
    summaries: list[Summary] = []
    with (
        telling_that_none_began(settings, request, maps),
        surroundings(settings, dry_run=request.dry_run, debug=debug, progress=shown.show) as around,
        telling_runs(settings, request, around) as tell,
    ):
        for one in maps:
            if around.stop.is_set:
                break
            summaries.append(run_stream(one, request, around))
            _hold_against_schedule(one, summaries[-1])
            tell(summaries[-1])
        shown.clear()
    codes = [summary.exit for summary in summaries]
    if around.stop.is_set:
        codes.append(exit_of(Stopped(), around.stop.signal))
    code = most_serious(codes)
    if as_json:
        document = {"ok": code == 0, "command": request.command, "dry_run": request.dry_run, "exit": code}
        screen.show_json(document | {"streams": [summary.as_dict() for summary in summaries]})
    else:
        screen.show_summaries(summaries, dry_run=request.dry_run)
    github.report(request.command, summaries, dry_run=request.dry_run)
    return code


def _hold_against_schedule(property_map: PropertyMap, summary: Summary) -> None:
    """Enter whether what a dry run expects ends before the stream is due again."""
    if summary.estimate is None or property_map.schedule is None:
        return
    from sync.serve.timing import StreamTrigger  # the scheduler's library is nothing that a run needs

    now = datetime.now(UTC)
    following = StreamTrigger(property_map.schedule).after(now)
    ends = now + timedelta(seconds=summary.estimate["seconds"])
    summary.estimate |= {"next_run": following.isoformat(timespec="seconds"), "fits_before_next_run": ends < following}


def _collect_garbage_less_often() -> None:
    """Rows are freed as soon as they are sent: looking for cycles among them doubled the cost of mapping a page."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
