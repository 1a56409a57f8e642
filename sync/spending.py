"""What one run may send: the limits that were set, and the guards that apply to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sync.assemble import Plan
from sync.costs import Rate
from sync.guards import (
    HISTORY,
    UNCONFIRMED,
    Allowance,
    BudgetSpent,
    Cap,
    caps_of,
    guard_against_much_text,
    guard_against_unusual,
)
from sync.positions import INCREMENTAL
from sync.preview import PreviewWriter


def allowance_of(plan: Plan, count: Callable[[], int | None]) -> Allowance:
    """What the run may send; `count` says about how many records are due, where the source can tell.

    Raises BudgetSpent when a guard speaks before anything was read. A dry run is held up by --limit only.
    """
    caps = caps_of(plan.request.asked, plan.property_map.limits, rate_of(plan))
    if plan.request.dry_run:
        return Allowance([cap for cap in caps if not cap.status])
    guard = _guard(plan)
    if guard is not None and guard.texts and not any(cap.rows <= guard.rows for cap in caps):
        due = count()
        if due is not None and due > guard.rows:
            if not (plan.around.confirm and plan.around.confirm(_with_number(guard.question, due))):
                raise BudgetSpent(f"{guard.why}; about {due:,} records are due", UNCONFIRMED)
            guard = None
    return Allowance([*caps, *([guard] if guard else [])], plan.around.confirm)


def _with_number(question: str, due: int) -> str:
    return f"About {due:,} records are due. {question}"


def rate_of(plan: Plan) -> Rate:
    """Credits that a row of this stream costs."""
    return plan.around.settings.credit_rates[plan.property_map.destination.tier]


def _guard(plan: Plan) -> Cap | None:
    """The guard that applies: of much text where much is to be expected, of unusual numbers otherwise."""
    store, request = plan.around.store, plan.request
    if request.asked.yes or request.keys is not None or store is None:
        return None
    stream, limits = plan.property_map.stream, plan.property_map.limits
    runs = store.last_runs(stream, 5 * HISTORY)
    position = store.position(stream, INCREMENTAL)
    is_first = position is None or not position.complete
    if is_first or request.resend or plan.start.purpose.startswith("backfill"):
        return guard_against_much_text(limits, runs) if plan.compiled.text_names else None
    return guard_against_unusual(limits, runs)


def say_what_would_stop(plan: Plan, writer: PreviewWriter) -> None:
    """Note in a dry run where the real one would stop."""
    found = caps_of(plan.request.asked, plan.property_map.limits, rate_of(plan))
    guard = _guard(plan)
    for cap in [*(cap for cap in found if cap.status), *([guard] if guard else [])]:
        if (writer.work.rows_with_text if cap.texts else writer.work.rows) > cap.rows:
            plan.summary.note(f"the real run would be {cap.why}")


def calls_left(plan: Plan) -> int | None:
    """Calls that the plan's month has left, as far as this state store knows; None where the plan names no limit."""
    most, store = plan.around.destination.plan.per_month, plan.around.store
    if most is None:
        return None
    month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return max(0, most - (store.calls_since(month.timestamp()) if store else 0))
