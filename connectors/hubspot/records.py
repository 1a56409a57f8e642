"""From ids to records: values by batch read, persons by associations, what was merged away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.base import Record
from connectors.hubspot.api import BATCH_LIMIT, Api
from connectors.hubspot.metadata import MERGED
from connectors.hubspot.objects import EMAIL_READ
from connectors.hubspot.people import People, require_given
from connectors.hubspot.plan import Plan
from connectors.hubspot.values import ids_in

VANISHED = "no longer there when it was read"
OUTSIDE = "outside `where`"
WITHHELD = 10
"""E-mails without a single body: fewer may be a coincidence."""
_new = tuple.__new__  # a third of the time that the class's own constructor takes


@dataclass(slots=True)
class Batch:
    """What reading some ids brought."""

    records: list[Record] = field(default_factory=list)
    filtered: Counter[str] = field(default_factory=Counter)
    gone: dict[str, str] = field(default_factory=dict)
    """Ids that are no longer there, with what became of them."""
    ids: list[str] = field(default_factory=list)
    """Of all records that were read, also those left out."""
    notes: list[str] = field(default_factory=list)


class Records:
    """Makes records of ids or of list results, by one way for first and later readings."""

    def __init__(self, api: Api, plan: Plan, people: People | None) -> None:
        self._api, self._plan, self._people = api, plan, people

    def by_ids(self, ids: Sequence[str], *, counted: bool = True) -> Batch:
        """The records with these ids as they are now; not `counted`: those left out were counted by another run."""
        batch = Batch()
        results: list[dict[str, Any]] = []
        for start in range(0, len(ids), BATCH_LIMIT):
            some = ids[start : start + BATCH_LIMIT]
            found = self._api.batch(self._plan.type, some, self._plan.requested)
            self.require_given(found)
            wanted = set(some)
            found = [one for one in found if one["id"] in wanted]  # a merged id may give its winner
            results += found
            batch.filtered[VANISHED] += len(wanted) - len(found)
        self._fill(batch, results)
        if not counted:
            batch.filtered.clear()
        return batch

    def of_results(self, results: Sequence[Mapping[str, Any]]) -> Batch:
        """The records of list pages that brought their values along."""
        batch = Batch()
        self._fill(batch, results)
        return batch

    def _fill(self, batch: Batch, results: Sequence[Mapping[str, Any]]) -> None:
        batch.ids += [one["id"] for one in results]
        batch.gone |= _merged(results)
        batch.notes += withheld(self._plan, results)
        meant = [one for one in results if self._is_meant(one)] if self._plan.presence else results
        batch.filtered[OUTSIDE] += len(results) - len(meant)
        fields = self._plan.shape.fields
        records = [
            _new(
                Record,
                (one["id"], fields(one), stamp if (stamp := one.get("updatedAt")).__class__ is str else _version(one)),
            )
            for one in meant
        ]
        if self._people is None:
            batch.records += records
        else:
            batch.records += self._people.rows(records, batch.filtered)

    def require_given(self, results: Sequence[Mapping[str, Any]]) -> None:
        """Raise SourceMisconfigured where no record of an answer has a property of the map: asked of each answer."""
        require_given(results, self._plan.named, self._plan.type, self._api)

    def _is_meant(self, result: Mapping[str, Any]) -> bool:
        """Whether `where` is met, as far as that shows in the record itself."""
        properties = result["properties"]
        return all(bool(properties.get(name)) is wanted for name, wanted in (self._plan.presence or {}).items())

    def name_of(self, id: str) -> str:
        """How a record is named as gone or present: the beginning of its keys where there may be several."""
        return id if self._people is None else beginning(id)


def withheld(plan: Plan, results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A remark where e-mails come without a single body."""
    bodies = [name for name in plan.requested if name in plan.type.bodies]
    if plan.type.name != "emails" or not bodies or len(results) < WITHHELD:
        return
    if not any(one["properties"].get(name) for one in results for name in bodies):
        yield (
            f"HubSpot gives e-mails without their bodies: grant the token the scope {EMAIL_READ}, then "
            "`memsync run STREAM --full`"
        )


def _merged(results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The ids that these records swallowed."""
    gone: dict[str, str] = {}
    for name in MERGED:
        for one in results:
            if texts := one["properties"].get(name):
                gone |= {loser: "merged" for loser in ids_in(texts) if loser != one["id"]}
    return gone


def _version(one: Mapping[str, Any]) -> str | None:
    stamp = one.get("updatedAt") or one.get("createdAt")
    return stamp if isinstance(stamp, str) else None


def beginning(id: str) -> str:
    """The text with which all keys of one activity begin."""
    return f'["{id}",'
