"""From rows to what a page holds: records, what is gone, and what is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.base import Record
from connectors.salesforce import statements
from connectors.salesforce.calls import Caller
from connectors.salesforce.people import NOBODY, Persons, beginning, lacks, without
from connectors.salesforce.plan import WHO, Plan
from connectors.salesforce.results import Unusable, understood
from connectors.salesforce.values import inner

Fields = dict[str, Any]
Row = tuple[Fields, Mapping[str, Any] | None]
"""The fields of a record, and its person as TYPEOF gave it."""
_new = tuple.__new__  # a third of the time that the class's own constructor takes


@dataclass(slots=True)
class Batch:
    """What some rows became."""

    records: list[Record] = field(default_factory=list)
    filtered: Counter[str] = field(default_factory=Counter)
    gone: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Records:
    """Makes records, by one way for every kind of reading."""

    def __init__(self, caller: Caller, plan: Plan) -> None:
        self._plan = plan
        self._persons = Persons(caller, plan, plan.people) if plan.people else None

    def of_rest(self, rows: Sequence[Mapping[str, Any]]) -> Batch:
        """The records of a REST page."""
        with understood(self._plan.label):
            batch = self.of_rows(self._rows(rows))
            batch.notes += self._left_out(rows)
        return batch

    def _left_out(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """A remark where fields that were asked for are no members of records."""
        names = self._plan.shape.tree
        if rows and min(map(len, rows)) <= len(names):  # each has one member more, about itself
            absent = [name for name in names if not all(name in row for row in rows)]
            if absent:
                yield (
                    f"the server leaves {', '.join(absent)} out of records, though asked for: taken as empty. Where "
                    "they are not, find out why, then `memsync run STREAM --full`"
                )

    def of_rows(self, rows: Sequence[Row], only: set[str] | None = None) -> Batch:
        """The records of rows; `only`: those with these keys."""
        batch = Batch()
        if not statements.are_ids([row[0].get("Id") or "" for row in rows]):
            raise Unusable(
                f"{self._plan.label}: the server gave a record without an Id; expected 15 or 18 letters and digits "
                "in each. Nothing was lost: run again later"
            )
        alive = [row for row in rows if row[0].get("IsDeleted") is not True]
        if len(alive) < len(rows):
            batch.gone |= self._gone(fields for fields, _ in rows if fields.get("IsDeleted") is True)
        if self._persons is None and self._plan.stand is None:
            batch.records = [_new(Record, (row["Id"], row, row.get("SystemModstamp"))) for row, _ in alive]
        else:
            batch.records = list(self._about(alive, batch.filtered, only))
        return batch

    def _gone(self, deleted: Iterable[Fields]) -> dict[str, str]:
        words = {fields["Id"]: "merged" if fields.get("MasterRecordId") else "deleted" for fields in deleted}
        return {beginning(one) if self._plan.each else one: word for one, word in words.items()}

    def fetched(self, rows: Sequence[Mapping[str, Any]], only: set[str]) -> list[Record]:
        """The records of rows that were asked for by key."""
        with understood(self._plan.label):
            return self.of_rows(self._rows(rows), only).records

    def _rows(self, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
        people, of_json = self._plan.people, self._plan.shape.of_json
        relationship = people.relationship if people and people.by_typeof else None
        if not relationship:
            return [(of_json(row), None) for row in rows]
        persons = [row.get(relationship) for row in rows]
        return [
            (of_json(row), person if isinstance(person, dict) else None)
            for row, person in zip(rows, persons, strict=True)
        ]

    def _about(self, rows: Sequence[Row], filtered: Counter[str], only: set[str] | None) -> Iterator[Record]:
        """The records of rows that are about people."""
        if self._persons is not None:
            yield from self._persons.records(rows, filtered, only)
            self._persons.forget()
            return
        for fields, _ in rows:
            fields[WHO] = person = self._stood(fields)
            if lacks(person or {}, self._plan.identity):
                filtered[without(self._plan.identity) if person else NOBODY] += 1
                continue
            yield Record(fields["Id"], fields, fields.get("SystemModstamp"))

    def _stood(self, fields: Fields) -> Fields | None:
        """The person of a case or of a comment on one; None where nothing of one is known."""
        stand = self._plan.stand
        assert stand is not None  # noqa: S101
        person = dict(inner(fields, stand.prefix) or {})
        for name, path in stand.instead.items():
            if person.get(name) is None and (other := inner(fields, path)) is not None:
                person[name] = other
        return person if any(value is not None for value in person.values()) else None
