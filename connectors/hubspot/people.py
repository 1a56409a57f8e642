"""From an activity to the people it is about: one record per activity and associated contact or company."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from connectors.base import Record, SourceMisconfigured
from connectors.hubspot.api import ASSOCIATION_LIMIT, BATCH_LIMIT, Api, Link
from connectors.hubspot.objects import ObjectType
from connectors.hubspot.plan import Beside, Plan
from connectors.hubspot.values import Shape

MOST = 25
"""Rows of one activity: an e-mail to a thousand recipients is about none of them."""
REMEMBERED = 50_000
"""Associated records kept in memory during a reading."""
_PRIMARY = "Primary"

Person = Mapping[str, Any]


class People:
    """Finds associated records, and remembers those it has seen."""

    def __init__(self, api: Api, plan: Plan, person: Beside) -> None:
        self._api, self._plan, self._person = api, plan, person
        self._others = Shelf(api, person)
        self._aside = Shelf(api, plan.aside) if plan.aside else None

    def rows(self, records: Sequence[Record], filtered: Counter[str], only: set[str] | None = None) -> list[Record]:
        """One record per pair, its key the JSON list of both ids; `only`: these pairs, whatever their number."""
        rows: list[Record] = []
        for start in range(0, len(records), ASSOCIATION_LIMIT):
            some = records[start : start + ASSOCIATION_LIMIT]
            links = self._api.links(self._plan.type, self._person.type.name, [one.key for one in some])
            self._others.fetch([link.id for linked in links.values() for link in linked[: None if only else MOST]])
            asides = self._beside(some, links)
            for record in some:
                rows += self._pairs(record, links.get(record.key, []), asides.get(record.key), filtered, only)
        return rows

    def _pairs(
        self,
        record: Record,
        linked: Sequence[Link],
        aside: Person | None,
        filtered: Counter[str],
        only: set[str] | None,
    ) -> list[Record]:
        name, rows = self._person.name, []
        people = [(link.id, self._others.get(link.id)) for link in (linked if only else linked[:MOST])]
        known = [(other, person) for other, person in people if person is not None]
        if not known:
            filtered[f"no {name} is associated"] += 1
        filtered[f"more than {MOST} {self._person.type.name} are associated"] += max(0, len(linked) - MOST)
        for other, person in known:
            key = orjson.dumps([record.key, other]).decode()
            if only is not None and key not in only:
                continue
            if only is None and self._is_nobody(person):
                filtered[f"the {name} has no {self._plan.identity}"] += 1
                continue
            fields = {**record.fields, name: person}
            if self._plan.aside is not None:
                fields[self._plan.aside.name] = aside
            rows.append(Record(key, fields, record.version))
        return rows

    def _is_nobody(self, person: Person) -> bool:
        """Whether the identity of the map's rows is empty: such a row could not be delivered."""
        path = (self._plan.identity or "").partition(".")[2]
        return bool(path) and path in person and not person[path]

    def _beside(self, records: Sequence[Record], links: Mapping[str, Sequence[Link]]) -> dict[str, Person]:
        """The first record of the other object, where the map reads from it: the primary one, else the oldest."""
        if self._aside is None or self._plan.aside is None:
            return {}
        ids = [one.key for one in records if links.get(one.key)]
        found = self._api.links(self._plan.type, self._plan.aside.type.name, ids) if ids else {}
        first = {
            key: next((one for one in linked if _PRIMARY in one.labels), linked[0]).id for key, linked in found.items()
        }
        self._aside.fetch(list(first.values()))
        return {key: person for key, other in first.items() if (person := self._aside.get(other)) is not None}


class Shelf:
    """Associated records of one object by id, the least recently used ones forgotten."""

    def __init__(self, api: Api, beside: Beside) -> None:
        self._api, self._beside = api, beside
        self._kept: OrderedDict[str, Person | None] = OrderedDict()

    def fetch(self, ids: Sequence[str]) -> None:
        """Read what is not known yet; one that is no longer there is known as None."""
        wanted = dict.fromkeys(ids)
        for one in wanted.keys() & self._kept.keys():
            self._kept.move_to_end(one)
        new = [one for one in wanted if one not in self._kept]
        room = max(REMEMBERED, len(wanted)) - len(new)
        while len(self._kept) > room:
            self._kept.popitem(last=False)
        for start in range(0, len(new), BATCH_LIMIT):
            some = new[start : start + BATCH_LIMIT]
            found = self._api.batch(self._beside.type, some, self._beside.requested)
            require_given(found, self._beside.named, self._beside.type, self._api)
            people = {result["id"]: person_of(result, self._beside.shape) for result in found}
            self._kept.update((one, people.get(one)) for one in some)

    def get(self, id: str) -> Person | None:
        """A record that was fetched."""
        return self._kept.get(id)


def require_given(results: Sequence[Mapping[str, Any]], names: Sequence[str], of: ObjectType, api: Api) -> None:
    """Raise SourceMisconfigured where no record has a property, not even empty: its values in memory would be lost.

    A property that is still defined may be left out by servers where it is empty.
    """
    absent = [name for name in names if results and not any(name in one["properties"] for one in results)]
    absent = [name for name in absent if name not in api.still_defined(of)]
    if absent:
        raise SourceMisconfigured(
            f"{of.name}: HubSpot gives {', '.join(absent)} of no record: the property was deleted or renamed "
            "meanwhile, or the token may not read it. Nothing was sent of these records: `memsync validate` says more"
        )


def person_of(result: Mapping[str, Any], shape: Shape) -> Person:
    """The fields of an associated record; a contact's first further address stands in for a missing one."""
    fields = shape.fields(result)
    if "email" in fields and not fields["email"]:
        more = str(result["properties"].get("hs_additional_emails") or "").split(";")
        fields["email"] = more[0].strip() or None
    return fields
