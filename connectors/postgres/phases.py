"""The steps of a run and what is saved between them, as pure decisions.

A full read goes through the primary key; its horizon, taken first, tells the next run which rows
it may have missed. Every later run looks for late rows at or below the saved position (`late`, and
`nulls` where that is bounded), then for new ones above it (`new`), then for rows dated past the
start of the run (`ahead`), which no saved position passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connectors.base import SourceMisconfigured
from connectors.cursors import RESET
from connectors.postgres import conditions
from connectors.postgres.conditions import Clause
from connectors.postgres.cursor import Phase, Position, Progress, Server
from connectors.postgres.plan import Plan
from connectors.source import parse_instant

SWEEP_EVERY = timedelta(days=1)


def first_run(plan: Plan, server: Server, highest: str | None) -> Progress:
    """A full read; `highest` is the cursor value from which the next run goes on."""
    return Progress(plan.definition, plan.table, server, "full", saved=Position(highest))


def next_run(plan: Plan, done: Progress, server: Server) -> Progress:
    """A run that goes on from a complete one."""
    due = done.swept_at is None or _instant(server.started) - _instant(done.swept_at) >= SWEEP_EVERY
    sweeping = not plan.bounded or due
    begun = replace(done, server=server, phase="new", at=None, sweeping=sweeping)
    return replace(begun, phase=_order(plan, begun)[0])


def remaining(plan: Plan, progress: Progress) -> tuple[Phase, ...]:
    """The phases of a run from the present one on."""
    order = _order(plan, progress)
    return order[order.index(progress.phase) :] if progress.phase in order else order[-1:]


def _order(plan: Plan, progress: Progress) -> tuple[Phase, ...]:
    if progress.phase == "full":
        return ("full",)
    late: tuple[Phase, ...] = ("late",) if progress.sweeping else ("late", "nulls")
    if not plan.xmin:
        late = ("nulls",)
    elif progress.server.next == late_horizon(progress):
        # No transaction has finished since: there is no late row.
        late = ()
    ahead: tuple[Phase, ...] = ("ahead",) if progress.server.ceiling is not None and not plan.settle else ()
    return (*late, "new", *ahead)


def entered(progress: Progress, phase: Phase) -> Progress:
    """The same run at the beginning of a phase, unless it is in it already."""
    return progress if progress.phase == phase else replace(_settled(progress), phase=phase, at=None)


def finished(plan: Plan, progress: Progress) -> Progress:
    """The position for the next run: only now does the horizon move."""
    done = replace(_settled(progress), phase="done", at=None)
    if not plan.xmin:
        return done
    done = replace(done, horizon=progress.server.horizon)
    if not progress.sweeping:
        return done
    return replace(done, swept=progress.server.horizon, swept_at=progress.server.started)


def _settled(progress: Progress) -> Progress:
    return replace(progress, saved=progress.at) if progress.phase == "new" and progress.at else progress


def late_horizon(progress: Progress) -> int | None:
    """From which transaction on a row may have been missed: bounded runs overlook what a sweep must find."""
    return progress.swept if progress.sweeping else progress.horizon


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError:  # a cursor that was set by hand
        raise SourceMisconfigured(RESET) from None


# What the pages of a phase have in common, and where the next one begins


def rows_of_phase(plan: Plan, progress: Progress, start: datetime | None, until: datetime | None) -> list[Clause]:
    """The conditions of every page of the present phase."""
    ceiling = progress.server.ceiling
    found = [] if until is None else [conditions.before_instant(plan, until)]
    if progress.phase == "full":
        found += [] if start is None else [conditions.since_instant(plan, start)]
        found += [conditions.settled(plan, ceiling)] if plan.settle and ceiling is not None else []
    elif progress.phase in {"late", "nulls"}:
        found += _late_rows(plan, progress)
    elif ceiling is not None:
        found.append((conditions.beyond if progress.phase == "ahead" else conditions.not_beyond)(plan, ceiling))
    return found


def _late_rows(plan: Plan, progress: Progress) -> list[Clause]:
    horizon = progress.horizon if progress.phase == "nulls" else late_horizon(progress)
    written = [conditions.written_since(plan, horizon)] if plan.xmin and horizon is not None else []
    if progress.phase == "nulls":
        return [conditions.without_cursor(plan), *written]
    if progress.sweeping:
        return [conditions.up_to(plan, progress.saved), *written]
    return [conditions.up_to_within(plan, progress.saved), *written]


def rows_behind(plan: Plan, progress: Progress, at: Position | None) -> Sequence[Clause]:
    """The condition that the next page begins with, behind the last row read in this phase."""
    if ordered_by_key(progress):
        return [conditions.after_key(plan, at.key)] if at is not None and at.key else []
    if at is not None:
        return [conditions.after(plan, at)]
    if progress.phase == "ahead":
        return []
    if plan.xmin:
        return [conditions.after(plan, progress.saved)]
    return [conditions.within(plan, progress.saved.cursor)]


def ordered_by_key(progress: Progress) -> bool:
    """Whether this phase goes through the primary key, and not through the cursor column."""
    return progress.phase in {"full", "late", "nulls"}
