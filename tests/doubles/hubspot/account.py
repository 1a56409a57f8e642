"""What the handlers work on: options, catalog and records of one account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .answers import Answer, Refused
from .catalog import Catalog, ObjectType
from .options import Options
from .permissions import missing_scope
from .stamps import iso
from .store import Store


@dataclass
class Account:
    """One HubSpot account."""

    options: Options
    catalog: Catalog
    store: Store
    owners: list[dict] = field(default_factory=list)
    used_today: int = 0
    searches: dict[tuple, list[int]] = field(default_factory=dict)
    """The last searches and the ids they found: their pages belong together as long as the index stays."""

    def now(self) -> int:
        """Epoch milliseconds."""
        return int(self.options.clock() * 1000)

    def due(self) -> float | None:
        """When what is written now becomes searchable; None is at once."""
        return self.options.clock() + self.options.index_lag if self.options.index_lag else None

    def require(self, *scopes: str) -> None:
        """Refuse unless the token has one of these scopes."""
        granted = self.options.scopes
        if granted is not None and not set(scopes) & set(granted):
            raise Refused(missing_scope(self.options.wording, scopes))

    def reads(self, name: str) -> ObjectType:
        """The type of that name, readable with the token."""
        kind = self.catalog.known(name)
        self.require(kind.scope)
        return kind

    def writes(self, name: str) -> ObjectType:
        kind = self.catalog.known(name)
        self.require(kind.write_scope)
        return kind


class Call(NamedTuple):
    """A routed request."""

    version: str
    """"v3" (associations: "v4") or a date such as "2026-09"."""
    names: Mapping[str, str]
    """Parts of the path."""
    query: Mapping[str, Sequence[str]]
    body: bytes

    def parameter(self, name: str) -> str | None:
        values = self.query.get(name)
        return values[-1] if values else None

    def listed(self, name: str) -> list[str]:
        """A parameter that is one list with commas, or repeated, or both."""
        return [one for value in self.query.get(name, ()) for one in value.split(",") if one]


def batch_answer(account: Account, call: Call, started: int, results: list, errors: list[dict]) -> Answer:
    """The envelope of batch calls; partial success is a 207 of v3 and v4, a 200 of the date versions."""
    body = {"status": "COMPLETE", "results": results, "startedAt": iso(started), "completedAt": iso(account.now())}
    if not errors:
        return Answer(200, body)
    return Answer(207 if call.version.startswith("v") else 200, body | {"numErrors": len(errors), "errors": errors})
