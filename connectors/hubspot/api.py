"""The endpoints that are used, each as one method that answers plain values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from connectors.base import SourceUnreachable
from connectors.hubspot import answers
from connectors.hubspot.answers import ListPage, Schema, SearchPage, Unfit
from connectors.hubspot.calls import Call, Caller
from connectors.hubspot.circles import Circle, Seen
from connectors.hubspot.metadata import KEY, Property, by_name
from connectors.hubspot.objects import CONTACTS_READ, ObjectType
from connectors.hubspot.paths import path_of

LIST_LIMIT, SEARCH_LIMIT, BATCH_LIMIT, ASSOCIATION_LIMIT = 100, 200, 100, 1_000
PARTIAL_PAUSES = (1.0, 2.0, 4.0)
"""Seconds before asking again where an answer is not whole."""
_MOST = 1_000_000
"""Associations of one call's records; more are none."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Portal:
    """The account behind a token; both None where the token may not ask."""

    id: str | None
    zone: str | None


class Link(NamedTuple):
    """One associated record, with the labels of all associations between the two."""

    id: str
    labels: frozenset[str]


class Api:
    """HubSpot's CRM for one account and one version of its paths."""

    def __init__(self, caller: Caller, version: str) -> None:
        self.caller = caller
        self._version = version
        self._defined: dict[str, frozenset[str]] = {}

    def account(self) -> Portal:
        """Whose token it is."""
        return self._ask("account", "GET", "asking for the account", self._portal)

    def _portal(self, found: Mapping[str, Any]) -> Portal:
        portal, zone = found.get("portalId"), found.get("timeZone")
        self.caller.zone = zone if isinstance(zone, str) else None
        return Portal(None if portal is None else answers.id_of(portal), self.caller.zone)

    def schemas(self) -> list[Schema]:
        """The account's custom objects."""
        scopes = ("crm.schemas.custom.read",)
        return self._ask("schemas", "GET", "listing custom objects", answers.schemas, scopes=scopes)

    def properties(self, of: ObjectType, sensitivity: str = "") -> dict[str, Property]:
        """The definitions of an object's properties, under their names."""
        query = {"archived": "false"} | ({"dataSensitivity": sensitivity} if sensitivity else {})
        what = f"asking for the properties of {of.name}"
        return self._ask("properties", "GET", what, _defined, of.name, query=query, scopes=of.scopes)

    def still_defined(self, of: ObjectType) -> Collection[str]:
        """The names of an object's properties, asked for once more in the middle of a reading."""
        if of.name not in self._defined:
            self._defined[of.name] = frozenset(self.properties(of)) | {KEY}
        return self._defined[of.name]

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
        what = f"listing {'archived ' if archived else ''}{of.name}"
        return self._ask("list", "GET", what, answers.list_page, of.name, query=query, scopes=of.scopes)

    def ids(self, of: ObjectType, *, archived: bool) -> Iterator[list[str]]:
        """The ids of all records, or of all archived ones, page by page, each once as far as that is known."""
        after: str | None = None
        circle, seen = Circle(f"listing {of.name}"), Seen()
        while True:
            page = self.page(of, (KEY,), after, archived=archived)
            if new := [one["id"] for one in page.results if seen.add(one["id"])]:
                yield new
            circle.step(page.after, fruitful=bool(new))
            if page.after is None:
                return
            after = page.after

    def search(
        self, of: ObjectType, filters: Sequence[Mapping[str, Any]], after: str | None = None, **more: Any
    ) -> SearchPage:
        """One page of the records that meet all filters; `more` goes into the body."""
        body = {"filterGroups": [{"filters": list(filters)}] if filters else [], "limit": SEARCH_LIMIT, **more}
        body |= {"after": after} if after else {}
        return self._ask(
            "search", "POST", f"searching {of.name}", answers.search_page, of.name, body=body, scopes=of.scopes
        )

    def batch(self, of: ObjectType, ids: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
        """The records with at most 100 ids; absent ones are left out.

        Raises SourceUnreachable where some are neither given nor absent: leaving those out would lose them.
        """
        left = list(dict.fromkeys(ids))
        found: dict[str, dict[str, Any]] = {}
        for pause in (*PARTIAL_PAUSES, None):
            body = {"inputs": [{"id": one} for one in left], "properties": list(names), "propertiesWithHistory": []}
            given, failures = self._ask(
                "batch", "POST", f"reading {of.name}", answers.batch, of.name, body=body, scopes=of.scopes
            )
            found |= {one["id"]: one for one in given}
            left = [one for one in left if one not in found]
            if not left or not failures:
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
        pauses, what = iter(PARTIAL_PAUSES), f"reading the {other} of {of.name}"
        circle, known = Circle(what), 0
        while inputs:
            found = self._ask(
                "associations", "POST", what, answers.linked, of.name, other,
                body={"inputs": inputs}, scopes=(*of.scopes, _reading(other)),
            )  # fmt: skip
            yield from found.links
            if found.failures:
                self._rest_or_fail(next(pauses, None), what, found.failures)
                continue
            known += len(found.links)
            circle.step(repr(found.onward) if found.onward else None, fruitful=bool(found.links) and known < _MOST)
            inputs = found.onward

    def _ask(
        self,
        purpose: str,
        method: str,
        what: str,
        read: Callable[[Mapping[str, Any]], _T],
        object: str = "",
        other: str = "",
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        scopes: tuple[str, ...] = (),
    ) -> _T:
        """Ask, and `read` the answer; one of another shape is asked for again, then SourceUnreachable."""
        path = path_of(purpose, self._version, object, other)
        call = Call(purpose, method, path, what, query or {}, body, tuple(dict.fromkeys(scopes)))
        for pause in (*PARTIAL_PAUSES, None):
            reason, found = _tried(read, self.caller.ask(call))
            if found is not None:
                return found
            if pause is not None:
                self.caller.pause(pause)
        raise SourceUnreachable(f"{what}: {reason}. Nothing was lost: run again later")


def _tried(read: Callable[[Mapping[str, Any]], _T], answer: Any) -> tuple[str, _T | None]:
    """What an answer holds; or None, and why it cannot be read."""
    if not isinstance(answer, dict):
        return "the answer is no JSON object; is HUBSPOT_BASE_URL right?", None
    try:
        return "", read(answer)
    except Unfit as error:
        return str(error), None
    except (LookupError, AttributeError, ValueError, TypeError):
        return "the answer has another shape than HubSpot's", None


def _defined(found: Mapping[str, Any]) -> dict[str, Property]:
    return by_name(answers.results(found))


def _reading(other: str) -> str:
    return CONTACTS_READ if other == "contacts" else f"crm.objects.{other}.read"


def _number(id: str) -> tuple[int, str]:
    return (int(id), id) if id.isdecimal() else (0, id)
