"""HubSpot behind the calls that every connector answers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import orjson

from connectors.base import Cursor, Field, ObjectName, Page, Reading, Record, SourceRefused
from connectors.hubspot import Source, checking
from connectors.hubspot.account import Account
from connectors.hubspot.api import BATCH_LIMIT, Api, Portal
from connectors.hubspot.calls import Caller
from connectors.hubspot.cursor import decode
from connectors.hubspot.metadata import KEY, field_of
from connectors.hubspot.objects import STANDARD, object_type
from connectors.hubspot.people import People
from connectors.hubspot.plan import EARLIEST, Plan
from connectors.hubspot.preparing import known_properties, prepare
from connectors.hubspot.reader import Reader
from connectors.hubspot.records import Records


class HubSpotConnector:
    """Reads one object of one HubSpot account; nothing is contacted before the first call."""

    def __init__(
        self,
        source: Source,
        account: Account,
        fields: Sequence[str] | None = None,
        *,
        pause: Callable[[float], None] = time.sleep,
        caller: Caller | None = None,
    ) -> None:
        self._source, self._account, self._fields = source, account, fields
        self._caller = caller or Caller(account, pause)
        self._api = Api(self._caller, account.version)
        self._plan: Plan | None = None
        self._portal: Portal | None = None

    @property
    def calls(self) -> Counter[str]:
        """Requests sent so far, by kind."""
        return Counter(self._caller.made)

    def check(self) -> Reading:
        """Prove that the stream can be read: account, properties, list, search, associations."""
        self._plan = None
        plan, portal = self._planned(), self._met()
        notes = checking.probe(
            self._api, plan, portal, self._account.version, archived=self._source.archived != "never"
        )
        return Reading((KEY,), None if plan.reads_all else plan.modified, None, tuple(notes))

    def objects(self) -> Sequence[ObjectName]:
        """HubSpot's own objects, and the custom ones where the token may see them."""
        self._met()  # a token that is no longer good has no objects at all
        found = [ObjectName(one.name, one.label) for one in STANDARD.values()]
        try:
            schemas = self._api.schemas()
        except SourceRefused:
            return found
        return [*found, *(ObjectName(one.name, one.label) for one in schemas if not one.archived)]

    def fields(self, object: str) -> Sequence[Field]:
        """The properties of an object, with those that hold people's words told apart."""
        of = object_type(object or self._source.object or "")
        return tuple(field_of(one, of) for one in known_properties(self._api, of).values())

    def described(self) -> Sequence[Field]:
        """The properties of the stream's object; sensitive ones too, where the map names one."""
        plan = self._planned()
        return tuple(field_of(one, plan.type) for one in plan.known.values())

    def read(self, since: Cursor | None, until: datetime | None = None) -> Iterator[Page]:
        """Yield what changed after `since`; every page's cursor is safe to go on from."""
        plan, portal = self._planned(), self._met()
        yield from Reader(self._source, self._api, plan, portal, self._records(plan), until).read(since)

    def fetch(self, keys: Sequence[str]) -> Iterator[Record]:
        """Yield these records as they are now; those gone, or outside `where` by now, are left out."""
        plan = self._planned()
        by_id: dict[str, set[str]] = {}
        for key in keys:
            one = _id_of(key, paired=plan.person is not None)
            if one is not None:
                by_id.setdefault(one, set()).add(key)
        ids = list(by_id)
        for start in range(0, len(ids), BATCH_LIMIT):
            some = self._matching(plan, ids[start : start + BATCH_LIMIT])
            yield from self._records_with(plan, some, set().union(*(by_id[one] for one in some)))

    def _records_with(self, plan: Plan, ids: Sequence[str], keys: set[str]) -> Iterator[Record]:
        if not ids:
            return
        records = Records(self._api, plan, None).by_ids(ids).records
        if plan.person is not None:
            records = People(self._api, plan, plan.person).rows(records, Counter(), only=keys)
        yield from records

    def _matching(self, plan: Plan, ids: Sequence[str]) -> list[str]:
        """Those of at most 100 ids that meet `where`, as the search knows them."""
        if plan.presence is not None:  # shows in the records themselves
            return list(ids)
        chosen = {"propertyName": KEY, "operator": "IN", "values": list(ids)}
        found = {one["id"] for one in self._api.search(plan.type, [chosen, *plan.filters], properties=[KEY]).results}
        return [one for one in ids if one in found]

    def count(self, since: Cursor | None) -> int | None:
        """About how many records are due: what the search announces; None where a walk is under way."""
        plan = self._planned()
        progress = decode(since) if since is not None else None
        if progress is not None and progress.phase == "walk":
            return None
        filters: list[Any] = list(plan.filters)
        low = plan.start if progress is None else max(progress.end - plan.lookback, plan.start or 0, EARLIEST)
        if low is not None:
            filters.append({"propertyName": plan.modified, "operator": "GTE", "value": str(low)})
        return self._api.search(plan.type, filters, limit=1, properties=[KEY]).total

    def close(self) -> None:
        """Let go of connections."""
        self._caller.close()

    # Help

    def _met(self) -> Portal:
        if self._portal is None:
            self._portal = checking.meet(self._api)
        return self._portal

    def _planned(self) -> Plan:
        if self._plan is None:
            self._met()
            self._plan = prepare(self._api, self._source, self._fields)
        return self._plan

    def _records(self, plan: Plan) -> Records:
        return Records(self._api, plan, People(self._api, plan, plan.person) if plan.person else None)


def _id_of(key: str, *, paired: bool) -> str | None:
    """The record's id in a key; None for a key of another kind: after a change of the map an old one may be."""
    if not paired:
        return key if key.isdecimal() else None
    try:
        parts = orjson.loads(key)
    except orjson.JSONDecodeError:
        return None
    return str(parts[0]) if isinstance(parts, list) and len(parts) == 2 else None
