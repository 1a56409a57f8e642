"""Looking at everything that a run would need, before it runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from connectors.base import SourceMisconfigured, SourceRefused
from connectors.hubspot.api import Api, Portal
from connectors.hubspot.faults import TokenRefused
from connectors.hubspot.metadata import KEY
from connectors.hubspot.paths import remark_on
from connectors.hubspot.plan import Plan


def meet(api: Api) -> Portal:
    """The account; nothing of it where the token may read records, but not the account's details."""
    try:
        return api.account()
    except TokenRefused:
        raise
    except (SourceRefused, SourceMisconfigured):
        return Portal(None, None)


def probe(api: Api, plan: Plan, portal: Portal, version: str) -> list[str]:
    """Ask for one record in each way that a run will; returns remarks. Raises what stands in the way."""
    page = api.page(plan.type, (KEY,), None, limit=1)
    api.search(plan.type, plan.filters, limit=1, properties=[KEY])
    some = [str(one["id"]) for one in page.results[:1]]
    for beside in (plan.person, plan.aside):
        if beside is not None:
            others = api.page(beside.type, (KEY,), None, limit=1)
            api.batch(beside.type, [str(one["id"]) for one in others.results] or ["1"], (KEY,))
            api.links(plan.type, beside.type.name, some or ["1"])
    return list(_remarks(plan, portal, version))


def _remarks(plan: Plan, portal: Portal, version: str) -> Iterator[str]:
    if portal.id is None:
        yield "the token may not ask which account it belongs to, so that a change of accounts is not noticed"
    remark = remark_on(version, datetime.now(UTC).date(), associating=plan.person is not None)
    if remark:
        yield remark
    if plan.reads_all:
        yield "cursorField: null: every run lists all records"
