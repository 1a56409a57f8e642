"""The endpoints that are used, each as one method that answers plain values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from connectors.base import SourceUnreachable
from connectors.hubspot.calls import Call, Caller
from connectors.hubspot.metadata import KEY
from connectors.hubspot.objects import CONTACTS_READ, ObjectType
from connectors.hubspot.paths import path_of

LIST_LIMIT, SEARCH_LIMIT, BATCH_LIMIT, ASSOCIATION_LIMIT = 100, 200, 100, 1_000
_HARMLESS = re.compile("NOT_FOUND|NO_ASSOCIATIONS", re.IGNORECASE)
PARTIAL_PAUSES = (1.0, 2.0, 4.0)
"""Seconds before asking again for records that an answer reports as failed."""


@dataclass(frozen=True, slots=True)
class Portal:
    """The account behind a token; both None where the token may not ask."""

    id: str | None
    zone: str | None


class ListPage(NamedTuple):
    """Records of one list page, and where the next one begins; None: there is none."""

    results: list[dict[str, Any]]
    after: str | None


class SearchPage(NamedTuple):
    """One page of a search; `total` counts all that match."""

    total: int
    results: list[dict[str, Any]]
    after: str | None


class Link(NamedTuple):
    """One associated record, with the labels of all associations between the two."""

    id: str
    labels: frozenset[str]


class Api:
    """HubSpot's CRM for one account and one version of its paths."""

    def __init__(self, caller: Caller, version: str) -> None:
        self.caller = caller
        self._version = version

    def account(self) -> Portal:
        """Whose token it is."""
        found = self._ask("account", "GET", "asking for the account")
        portal, zone = found.get("portalId"), found.get("timeZone")
        self.caller.zone = zone if isinstance(zone, str) else None
        return Portal(None if portal is None else str(portal), self.caller.zone)

    def schemas(self) -> list[dict[str, Any]]:
        """The account's custom objects."""
        scopes = ("crm.schemas.custom.read",)
        return _results(self._ask("schemas", "GET", "listing custom objects", scopes=scopes))

    def properties(self, of: ObjectType, sensitivity: str = "") -> list[dict[str, Any]]:
        """The definitions of an object's properties."""
        query = {"archived": "false"} | ({"dataSensitivity": sensitivity} if sensitivity else {})
        what = f"asking for the properties of {of.name}"
        return _results(self._ask("properties", "GET", what, of.name, query=query, scopes=of.scopes))

    def page(
        self,
        of: ObjectType,
        names: Sequence[str],
        after: str | None,
        *,
        archived: bool = False,
        limit: int = LIST_LIMIT,
    ) -> ListPage:
        """One page of the list of all records."""
        query = {"limit": str(limit), "archived": "true" if archived else "false"}
        query |= {"properties": ",".join(names)} if names else {}
        query |= {"after": after} if after else {}
        found = self._ask("list", "GET", f"listing {of.name}", of.name, query=query, scopes=of.scopes)
        onward = _after(found)
        if onward is not None and onward == after:
            raise SourceUnreachable(f"listing {of.name}: the server gives the same place again and again")
        return ListPage(_results(found), onward)

    def ids(self, of: ObjectType, *, archived: bool) -> Iterator[list[str]]:
        """The ids of all records, or of all archived ones, page by page."""
        after: str | None = None
        while True:
            page = self.page(of, (KEY,), after, archived=archived)
            if page.results:
                yield [str(one["id"]) for one in page.results]
            if page.after is None:
                return
            after = page.after

    def search(
        self, of: ObjectType, filters: Sequence[Mapping[str, Any]], after: str | None = None, **more: Any
    ) -> SearchPage:
        """One page of the records that meet all filters; `more` goes into the body."""
        body = {"filterGroups": [{"filters": list(filters)}] if filters else [], "limit": SEARCH_LIMIT, **more}
        body |= {"after": after} if after else {}
        found = self._ask("search", "POST", f"searching {of.name}", of.name, body=body, scopes=of.scopes)
        total = found.get("total")
        results = _results(found)
        return SearchPage(int(total) if total is not None else len(results), results, _after(found))

    def batch(self, of: ObjectType, ids: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
        """The records with at most 100 ids; absent ones are left out.

        Raises SourceUnreachable where some are neither given nor absent: leaving those out would lose them.
        """
        left = list(dict.fromkeys(ids))
        found: dict[str, dict[str, Any]] = {}
        for pause in (*PARTIAL_PAUSES, None):
            body = {"inputs": [{"id": one} for one in left], "properties": list(names), "propertiesWithHistory": []}
            answer = self._ask("batch", "POST", f"reading {of.name}", of.name, body=body, scopes=of.scopes)
            found |= {str(one.get("id")): one for one in _results(answer)}
            left = [one for one in left if one not in found]
            if not left or not (failures := _failures(answer)):
                break
            self._rest_or_fail(pause, f"reading {of.name}", failures)
        return list(found.values())

    def _rest_or_fail(self, pause: float | None, what: str, failures: set[str]) -> None:
        """Wait before asking again for what an answer did not hold; without a pause, raise."""
        if pause is None:
            said = ", ".join(sorted(failures))
            raise SourceUnreachable(
                f"{what}: HubSpot fails for some of them ({said}). Nothing was lost: run again later; where it stays "
                "so, leave these records out with `where`"
            )
        self.caller.pause(pause)

    def links(self, of: ObjectType, other: str, ids: Sequence[str]) -> dict[str, list[Link]]:
        """The records of `other` associated with each of at most 1,000 ids, once each, by number."""
        found: dict[str, dict[str, set[str]]] = {}
        for one, link, labels in self._associated(of, other, list(ids)):
            found.setdefault(one, {}).setdefault(link, set()).update(labels)
        return {
            one: [
                Link(link, frozenset(labels))
                for link, labels in sorted(linked.items(), key=lambda pair: _number(pair[0]))
            ]
            for one, linked in found.items()
        }

    def _associated(self, of: ObjectType, other: str, ids: list[str]) -> Iterator[tuple[str, str, set[str]]]:
        inputs: list[dict[str, str]] = [{"id": one} for one in ids]
        pauses = iter(PARTIAL_PAUSES)
        while inputs:
            found = self._ask(
                "associations", "POST", f"reading the {other} of {of.name}", of.name, other,
                body={"inputs": inputs}, scopes=(*of.scopes, _reading(other)),
            )  # fmt: skip
            onward = []
            for result in _results(found):
                one = str((result.get("from") or {}).get("id"))
                for link in result.get("to") or ():
                    yield one, str(link.get("toObjectId", link.get("id"))), _labels(link)
                after = _after(result)
                onward += [{"id": one, "after": after}] if after else []
            if failures := _failures(found):
                self._rest_or_fail(next(pauses, None), f"reading the {other} of {of.name}", failures)
                continue
            if onward == inputs:
                raise SourceUnreachable(f"reading the {other} of {of.name}: the server gives the same place again")
            inputs = onward

    def _ask(
        self,
        purpose: str,
        method: str,
        what: str,
        object: str = "",
        other: str = "",
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        scopes: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        path = path_of(purpose, self._version, object, other)
        answer = self.caller.ask(Call(purpose, method, path, what, query or {}, body, tuple(dict.fromkeys(scopes))))
        if not isinstance(answer, dict):
            raise SourceUnreachable(f"{what}: the answer is no JSON object; is HUBSPOT_BASE_URL right?")
        return answer


def _results(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [one for one in found.get("results") or () if isinstance(one, dict)]


def _after(found: Mapping[str, Any]) -> str | None:
    onward = ((found.get("paging") or {}).get("next") or {}).get("after")
    return str(onward) if onward not in (None, "") else None


def _failures(found: Mapping[str, Any]) -> set[str]:
    """The categories of errors in a partial answer, but for those that mean: there is none."""
    errors = [one for one in found.get("errors") or () if isinstance(one, dict)]
    kinds = [(str(one.get("category") or "unknown error"), str(one.get("subCategory") or "")) for one in errors]
    return {category for category, more in kinds if not _HARMLESS.search(f"{category} {more}")}


def _labels(link: Mapping[str, Any]) -> set[str]:
    return {str(kind["label"]) for kind in link.get("associationTypes") or () if kind.get("label")}


def _reading(other: str) -> str:
    return CONTACTS_READ if other == "contacts" else f"crm.objects.{other}.read"


def _number(id: str) -> tuple[int, str]:
    return (int(id), id) if id.isdecimal() else (0, id)
