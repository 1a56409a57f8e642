"""What running streams takes: one after the other, shown as they go on, and summed up."""

from __future__ import annotations

import gc
from datetime import UTC, datetime, timedelta

from sync.codes import most_serious
from sync.commands import github, screen
from sync.commands.notices import telling_runs, telling_that_none_began
from sync.commands.session import surroundings
from sync.exits import exit_of
from sync.maps.model import PropertyMap
from sync.request import Request
from sync.run import run_stream
from sync.settings import Settings
from sync.stop import Stopped
from sync.summary import Summary


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
