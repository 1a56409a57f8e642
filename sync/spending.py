"""What one run may send: the limits that were set, and the guards that apply to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sync.assemble import Plan
from sync.costs import Rate
from sync.guards import (
    UNCONFIRMED,
    Allowance,
    BudgetSpent,
    Cap,
    caps_of,
    guard_against_much_text,
    guard_against_unusual,
    is_established,
    open_runs,
    somebody_agreed,
)
from sync.preview import PreviewWriter

EVERY = 1000
"""More runs than a history keeps."""


def allowance_of(plan: Plan, count: Callable[[], int | None]) -> Allowance:
    """What the run may send; `count` says about how many records are due, where the source can tell.

    Raises BudgetSpent when a guard speaks before anything was read. A dry run is held up by --limit only.
    """
    summary, confirm = plan.summary, plan.around.confirm
    caps = caps_of(plan.request.asked, plan.property_map.limits, rate_of(plan))
    summary.agreed = plan.request.asked.yes
    guard = _guard(plan)
    due = _too_many(guard, caps, count)
    if plan.request.dry_run:
        if guard is not None and due is not None:
            summary.note(f"the real run would be {guard.why}; about {due:,} records are due")
        return Allowance([cap for cap in caps if not cap.status])
    if guard is not None and due is not None:
        if not (confirm and confirm(f"About {due:,} records are due. {guard.question}")):
            raise BudgetSpent(f"{guard.why}; about {due:,} records are due", UNCONFIRMED)
        guard, summary.agreed = None, True
    return Allowance([*caps, *([guard] if guard else [])], confirm)


def _too_many(guard: Cap | None, caps: Sequence[Cap], count: Callable[[], int | None]) -> int | None:
    """How many records are due, where that alone is more than a guard of text lets pass; None otherwise."""
    if guard is None or not guard.ahead or any(cap.rows <= guard.rows for cap in caps):
        return None
    due = count()
    return due if due is not None and due > guard.rows else None


def rate_of(plan: Plan) -> Rate:
    """Credits that a row of this stream costs."""
    return plan.around.settings.credit_rates[plan.property_map.destination.tier]


def _guard(plan: Plan) -> Cap | None:
    """The guard that applies: of much text where much is to be expected, of unusual numbers otherwise."""
    store, request, limits = plan.around.store, plan.request, plan.property_map.limits
    if request.asked.yes or request.keys is not None:
        return None
    runs = store.last_runs(plan.property_map.stream, EVERY) if store else []
    unended = open_runs(runs, request.command)
    if somebody_agreed(unended):
        return None
    is_known = is_established(runs) and not request.resend
    if is_known and request.command == "run":
        return guard_against_unusual(limits, runs, unended)
    if not plan.compiled.text_names:
        return None
    guard = guard_against_much_text(limits, unended)
    # Text that was delivered is not sent again: how many records are due says nothing then.
    return guard and replace(guard, ahead=not is_known)


def say_what_would_stop(plan: Plan, writer: PreviewWriter) -> None:
    """Note in a dry run where the real one would stop."""
    found = caps_of(plan.request.asked, plan.property_map.limits, rate_of(plan))
    guard = _guard(plan)
    for cap in [*(cap for cap in found if cap.status), *([guard] if guard else [])]:
        told = any(note.startswith(f"the real run would be {cap.why}") for note in plan.summary.notes)
        if not told and (writer.work.rows_with_text if cap.texts else writer.work.rows) > cap.rows:
            plan.summary.note(f"the real run would be {cap.why}")


def calls_left(plan: Plan) -> int | None:
    """Calls that the plan's month has left, as far as this state store knows; None where the plan names no limit."""
    most, store = plan.around.destination.plan.per_month, plan.around.store
    if most is None:
        return None
    month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return max(0, most - (store.calls_since(month.timestamp()) if store else 0))
