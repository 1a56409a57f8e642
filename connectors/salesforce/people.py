"""From an activity to the people it is about: looked up by id, remembered, one record for each where the map asks."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from connectors.base import Record
from connectors.salesforce import statements
from connectors.salesforce.calls import Caller
from connectors.salesforce.plan import PERSONS, WHO, People, Plan
from connectors.salesforce.values import inner

AT_ONCE = 350
"""Ids of one query: an address holds not many more."""
MOST = 25
"""Rows of one activity: a message to a thousand recipients is about none of them."""
REMEMBERED = 100_000
"""People kept in memory during a reading."""
NOBODY = "no person is linked"

Fields = dict[str, Any]
Person = Mapping[str, Any]


class Persons:
    """Makes records of activities."""

    def __init__(self, caller: Caller, plan: Plan, people: People) -> None:
        self._caller, self._plan, self._people = caller, plan, people
        self._kept: OrderedDict[str, Person | None] = OrderedDict()

    def records(
        self, rows: Sequence[tuple[Fields, Mapping[str, Any] | None]], filtered: Counter[str], only: set[str] | None
    ) -> Iterator[Record]:
        """Records of activities; beside each its person as TYPEOF gave it. `only`: with these keys."""
        linked = self._linked([fields for fields, _ in rows])
        self._remember(rows)
        wanted = [one for fields, _ in rows for one, _ in linked[fields["Id"]][:MOST]]
        self._look_up(wanted)
        for fields, _ in rows:
            found = [(one, self._person(one, address)) for one, address in linked[fields["Id"]]]
            if not self._people.each:
                first = found[0][1] if found else None
                yield _record(fields["Id"], fields, first)
                continue
            yield from self._each(fields, found, filtered, only)

    def _each(
        self, fields: Fields, found: Sequence[tuple[str, Person | None]], filtered: Counter[str], only: set[str] | None
    ) -> Iterator[Record]:
        known = [(one, person) for one, person in found[:MOST] if person is not None]
        if not known:
            filtered[NOBODY] += 1
        if len(found) > MOST:
            filtered[f"more than {MOST} people are linked"] += len(found) - MOST
        for one, person in known:
            key = orjson.dumps([fields["Id"], one]).decode() if self._plan.each else str(fields["Id"])
            if only is not None and key not in only:
                continue
            if lacks(person, self._plan.identity):
                filtered[without(self._plan.identity)] += 1
                continue
            yield _record(key, fields, person)

    # Who is linked

    def _linked(self, rows: Sequence[Fields]) -> dict[str, list[tuple[str, str | None]]]:
        """By activity: the ids of people, the activity's own lookup first, each with the address that was used."""
        found: dict[str, dict[str, str | None]] = {row["Id"]: {} for row in rows}
        for row in rows:
            one = row.get(self._people.lookup or "")
            if one and is_person(one):
                found[row["Id"]][one] = None
        relation = self._people.relation
        if relation is not None and self._people.each:
            asked = [row["Id"] for row in rows if not relation.counted_by or (row.get(relation.counted_by) or 0) > 1]
            for start in range(0, len(asked), AT_ONCE):
                for link in self._query(statements.links(relation, asked[start : start + AT_ONCE]), relation.object):
                    one = link.get("RelationId")
                    if one and is_person(one):
                        found.get(str(link.get(relation.activity)), {}).setdefault(one, link.get(relation.address))
        return {one: list(people.items()) for one, people in found.items()}

    def _remember(self, rows: Sequence[tuple[Fields, Mapping[str, Any] | None]]) -> None:
        """Keep the people whom TYPEOF brought along."""
        for fields, person in rows:
            one = fields.get(self._people.lookup or "")
            if one and person is not None and (name := _type_of(person)) in self._people.shapes:
                alive = person.get("IsDeleted") is not True
                self._keep(one, self._people.shapes[name].of_json(person) if alive else None)

    def _look_up(self, ids: Sequence[str]) -> None:
        """Read the people who are not known yet; one that cannot be read is known as None."""
        for prefix, name in PERSONS.items():
            new = [one for one in dict.fromkeys(ids) if one.startswith(prefix) and one not in self._kept]
            shape = self._people.shapes[name]
            for start in range(0, len(new), AT_ONCE):
                some = new[start : start + AT_ONCE]
                rows = self._query(statements.persons(name, shape, some), name)
                found = {str(row.get("Id")): shape.of_json(row) for row in rows}
                for one in some:
                    self._keep(one, found.get(one))

    def _keep(self, id: str, person: Person | None) -> None:
        self._kept[id] = person
        self._kept.move_to_end(id)

    def _person(self, id: str, address: str | None) -> Person | None:
        found = self._kept.get(id)
        if found is None:
            return None
        whole = {"Id": id, "Type": PERSONS[id[:3]], **found}
        person = {name: whole.get(name) for name in self._people.names}
        if "Email" in person and not person["Email"]:
            person["Email"] = address or None
        return person

    def forget(self) -> None:
        """Let go of those who were not needed for longest, between two pages."""
        while len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)

    def _query(self, statement: str, what: str) -> Iterator[Mapping[str, Any]]:
        for sheet in self._caller.sheets(self._caller.query(statement, what, everything=False), what):
            yield from sheet.rows


def is_person(id: str) -> bool:
    """Whether an id is a contact's or a lead's."""
    return id[:3] in PERSONS and statements.is_id(id)


def lacks(person: Person, identity: Sequence[str]) -> bool:
    """Whether the identity of the map's rows is empty: such a row could not be delivered."""
    return bool(identity) and not inner(person, identity)


def without(identity: Sequence[str]) -> str:
    """Why an activity of such a person is left out."""
    return f"the person has no {'.'.join(identity)}"


def beginning(id: str) -> str:
    """The text with which all keys of one activity begin."""
    return f'["{id}",'


def _type_of(person: Mapping[str, Any]) -> str:
    attributes = person.get("attributes")
    return str(attributes.get("type")) if isinstance(attributes, Mapping) else ""


def _record(key: str, fields: Fields, person: Person | None) -> Record:
    return Record(key, {**fields, WHO: person}, fields.get("SystemModstamp"))
