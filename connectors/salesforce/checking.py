"""Looking at everything that a run would need, before it runs, and what a person should know of it."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.base import SourceMisconfigured
from connectors.salesforce import Source, statements
from connectors.salesforce.calls import Caller, fits_address
from connectors.salesforce.cursor import Part
from connectors.salesforce.faults import TookTooLong
from connectors.salesforce.login import SOAP_ENDS
from connectors.salesforce.parts import MOST_ROWS
from connectors.salesforce.plan import Plan
from connectors.salesforce.values import stamp

_PAGE, _SMALL_PAGE, _BULK_PAGE = 2_000, 200, 50_000


def check_version(caller: Caller) -> None:
    """Raise SourceMisconfigured where the org does not have the version of the API."""
    wanted, versions = caller.login.version, caller.versions()
    if versions and wanted not in versions:
        raise SourceMisconfigured(
            f"{caller.login.variable('SF_API_VERSION')}: this org does not have version {wanted}; it has "
            f"{versions[0]} to {versions[-1]}"
        )


def probe(caller: Caller, source: Source, plan: Plan) -> list[str]:
    """Ask for one record in the way that a run will; returns remarks. Raises what stands in the way."""
    statement = statements.probe(plan)
    if fits_address(statement):
        caller.query(statement, plan.label)
    part = Part(end=stamp(caller.now()), low=None if plan.start is None else stamp(plan.start))
    try:
        total = caller.query(statements.count(plan, part), plan.label).total
    except (TookTooLong, SourceMisconfigured):  # the probe was answered, so the condition is sound
        total = None
    return list(_remarks(caller, source, plan, total))


def _remarks(caller: Caller, source: Source, plan: Plan, total: int | None) -> Iterator[str]:
    if caller.login.kind == "SOAP password":
        yield SOAP_ENDS
    for name in caller.login.unused:
        yield f"{name} is set and not needed: the login is by {caller.login.kind}"
    if apart := caller.clocks_apart():
        yield apart
    yield "the records could not be counted in time" if total is None else _size(source, plan, total)
    if (usage := caller.transport.usage) is not None:
        yield f"{usage[0]:,} of the org's {usage[1]:,} API calls in 24 hours are used"
    if plan.cursor is None:
        yield f"{plan.object} has no field that moves with changes: every run reads all records"
    elif plan.cursor not in ("SystemModstamp", "LastModifiedDate"):
        yield f"{plan.cursor} does not move when a record is changed: only new records of {plan.object} are found"
    yield from _still(source, plan)
    if not plan.deleted:
        yield f"{plan.object} shows no deleted records: `refresh` finds what is no longer there"
    if not fits_address(statements.probe(plan)):
        yield "the list of fields is too long for REST: Bulk reads even small changes"


def _size(source: Source, plan: Plan, total: int) -> str:
    page = _SMALL_PAGE if len(plan.long_texts) > 1 else _PAGE
    if source.api == "bulk" or (source.api == "auto" and total > source.bulk_threshold):
        return (
            f"about {total:,} records: the first run reads them by Bulk, in about {5 + -(-total // _BULK_PAGE)} calls"
        )
    calls = max(1, -(-total // page) + total // MOST_ROWS)
    why = f" ({page} at once, because of {' and '.join(plan.long_texts[:2])})" if page == _SMALL_PAGE else ""
    much = "one call" if calls == 1 else f"about {calls:,} calls"
    return f"about {total:,} records: the first run reads them by REST, in {much}{why}"


def _still(source: Source, plan: Plan) -> Iterator[str]:
    """Values that change without moving the record's stamp."""
    still = [f"formulas ({', '.join(plan.formulas)})"] if plan.formulas else []
    still += [f"fields of other records ({', '.join(plan.parents)})"] if plan.parents else []
    if still and source.refresh == "never":
        yield (
            f"a change of {' and of '.join(still)} does not move the record's stamp: with `refresh: weekly` they are "
            "read again"
        )
