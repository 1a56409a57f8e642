"""A small chart of rows per run, as SVG inside the page."""

from __future__ import annotations

from collections.abc import Sequence

from state.values import StoredRun
from sync.guards import BUDGET
from sync.spans import count
from sync.web.markup import number, text

WIDTH, HEIGHT, PLACES = 180, 32, 30
_STEP = WIDTH / PLACES


def rows_chart(runs: Sequence[StoredRun]) -> str:
    """A bar for each of the last runs, from the left on, the newest last; what did not end well is a red one."""
    shown = [run for run in reversed(runs[:PLACES]) if run.finished_at is not None or run.status == "killed"]
    if not shown:
        return '<span class="none">no run yet</span>'
    sent = [_sent(run) for run in shown]
    top = max(sent)
    bars = "".join(_bar(place, rows, top, run) for place, (run, rows) in enumerate(zip(shown, sent, strict=True)))
    which = "the only run" if len(shown) == 1 else f"the last {len(shown)} runs"
    words = f"rows sent by {which}: {number(sent[-1])} by the newest, {number(top)} at most"
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{text(words)}">{bars}</svg>'
    )


def _bar(place: int, rows: int, top: int, run: StoredRun) -> str:
    well = run.status in ("ok", "rejects", BUDGET)
    height = max(1.5 if well else 6.0, HEIGHT * rows / top if top else 0.0)
    kind = "" if well and rows else ' class="zero"' if well else ' class="bad"'
    box = f'x="{place * _STEP:.1f}" y="{HEIGHT - height:.1f}" width="{_STEP - 1.5:.1f}" height="{height:.1f}"'
    return f"<rect {box}{kind}><title>{text(run.status)}, {count(rows, 'row')}</title></rect>"


def _sent(run: StoredRun) -> int:
    found = run.summary.get("sent")
    return found if isinstance(found, int) else 0
