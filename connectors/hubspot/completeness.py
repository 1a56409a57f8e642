"""Whether a walk over the list came to its end, by what the search knows."""

from __future__ import annotations

from typing import Any

from connectors.base import SourceMisconfigured, SourceRefused
from connectors.hubspot.answers import Result
from connectors.hubspot.api import PARTIAL_PAUSES, Api
from connectors.hubspot.chores import DEEP
from connectors.hubspot.metadata import KEY
from connectors.hubspot.plan import EARLIEST, Plan
from connectors.hubspot.values import milliseconds

_MOST_PAGES = 50
"""Of archived records, looked through for an explanation."""
_DAY = DEEP.days * 86_400_000


def shortfall(api: Api, plan: Plan, listed: int, begun: int) -> int:
    """How many records the search knows of, where a list gave fewer; 0 where it did not, or where that is explained.

    What was made since `begun` may be missing, and so may what was archived lately: an index lags. Else the search is
    asked again a few times.
    """
    archived: int | None = None
    for pause in (*PARTIAL_PAUSES, None):
        total = _total(api, plan, [])
        if listed >= total:
            return 0
        if plan.dated:
            made = {
                "propertyName": plan.created,
                "operator": "BETWEEN",
                "value": str(EARLIEST),
                "highValue": str(begun),
            }
            total = min(total, _total(api, plan, [made]))
        archived = _archived_lately(api, plan, begun - _DAY) if archived is None else archived
        if listed + archived >= total:
            return 0
        if pause is not None:
            api.caller.pause(pause)
    return total


def _total(api: Api, plan: Plan, filters: list[Any]) -> int:
    return api.search(plan.type, filters, limit=1, properties=[KEY]).total


def _archived_lately(api: Api, plan: Plan, since: int) -> int:
    found, after = 0, None
    try:
        for _ in range(_MOST_PAGES):
            page = api.page(plan.type, (KEY,), after, archived=True)
            found += sum(_archived_at(one) >= since for one in page.results)
            after = page.after
            if after is None:
                break
    except (SourceMisconfigured, SourceRefused):  # explains nothing
        return 0
    return found


def _archived_at(one: Result) -> int:
    text = one.get("archivedAt")
    return (milliseconds(text) if isinstance(text, str) else None) or 0
