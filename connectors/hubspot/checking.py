"""Looking at everything that a run would need, before it runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from connectors.base import SourceMisconfigured, SourceRefused
from connectors.hubspot.api import Api, Portal
from connectors.hubspot.chores import without_archived
from connectors.hubspot.faults import RequestRefused, TokenRefused
from connectors.hubspot.metadata import KEY
from connectors.hubspot.paths import remark_on
from connectors.hubspot.plan import Plan
from connectors.hubspot.records import withheld


def meet(api: Api) -> Portal:
    """The account; nothing of it where the token may read records, but not the account's details."""
    try:
        return api.account()
    except TokenRefused:
        raise
    except (SourceRefused, SourceMisconfigured):
        return Portal(None, None)


def probe(api: Api, plan: Plan, portal: Portal, version: str, *, archived: bool = True) -> list[str]:
    """Ask for one record in each way that a run will; returns remarks. Raises what stands in the way."""
    page = api.page(plan.type, (KEY,), None, limit=1)
    api.search(plan.type, plan.filters, limit=1, properties=[KEY])
    some = [one["id"] for one in page.results[:1]]
    if archived:
        try:
            api.page(plan.type, (KEY,), None, archived=True, limit=1)
        except (RequestRefused, SourceRefused) as error:
            raise without_archived(error) from None
    for beside in (plan.person, plan.aside):
        if beside is not None:
            others = api.page(beside.type, (KEY,), None, limit=1)
            api.batch(beside.type, [one["id"] for one in others.results] or ["1"], (KEY,))
            api.links(plan.type, beside.type.name, some or ["1"])
    return [*_remarks(plan, portal, version), *_bodies(api, plan)]


def _bodies(api: Api, plan: Plan) -> Iterator[str]:
    """What a look at some records shows: e-mails come without their text where a scope is missing."""
    bodies = [name for name in plan.requested if name in plan.type.bodies]
    if plan.type.name == "emails" and bodies:
        yield from withheld(plan, api.page(plan.type, bodies, None).results)


def _remarks(plan: Plan, portal: Portal, version: str) -> Iterator[str]:
    if portal.id is None:
        yield "the token may not ask which account it belongs to, so that a change of accounts is not noticed"
    remark = remark_on(version, datetime.now(UTC).date(), associating=plan.person is not None)
    if remark:
        yield remark
    if plan.reads_all:
        yield "cursorField: null: every run lists all records"
