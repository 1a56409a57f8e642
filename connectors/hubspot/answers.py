"""What a successful answer must hold to be taken for one. Nothing is read as `nothing there` unless it says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from connectors.hubspot.wording import word

_HARMLESS = re.compile("NOT_FOUND|NO_ASSOCIATIONS", re.IGNORECASE)
_LONGEST_ID = 64
_ID = re.compile(rf"[A-Za-z0-9_.:-]{{1,{_LONGEST_ID}}}")

Result = dict[str, Any]


class Unfit(Exception):
    """An answer that calls itself a success and cannot be one; the text says why."""


class ListPage(NamedTuple):
    """Records of one list page, and where the next one begins; None: there is none."""

    results: list[Result]
    after: str | None


class SearchPage(NamedTuple):
    """One page of a search; `total` counts all that match."""

    total: int
    results: list[Result]
    after: str | None


class Linked(NamedTuple):
    """The associations of some records: (from, to, labels), and where those with more go on."""

    links: list[tuple[str, str, set[str]]]
    onward: list[dict[str, str]]
    failures: set[str]


class Schema(NamedTuple):
    """One custom object of the account."""

    name: str
    """The name that paths take: `p123_cars`."""
    type_id: str
    label: str
    words: tuple[str, ...]
    """What a person may call it."""
    archived: bool


def results(found: Mapping[str, Any]) -> list[Result]:
    """The entries of `results`; raises Unfit."""
    listed = found.get("results")
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise Unfit("the answer holds no list of results")
    return listed


def id_of(value: Any) -> str:
    """An id as text; raises Unfit where it is empty or none."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not _ID.fullmatch(text):
        raise Unfit("the answer holds a record without a usable id")
    return text


def records(found: Mapping[str, Any]) -> list[Result]:
    """Results that are records: each with an id, and with properties where it has any."""
    return [one if _is_record(one) else _record(one) for one in results(found)]


def _is_record(one: Result) -> bool:
    """Whether a result is one as it stands, as nearly all are."""
    named = one.get("id")
    plain = named.__class__ is str and len(named) <= _LONGEST_ID and named.isascii() and named.isalnum()
    return plain and one.get("properties").__class__ is dict


def _record(one: Result) -> Result:
    return one | {"id": id_of(one.get("id")), "properties": _properties(one)}


def _properties(one: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = one.get("properties")
    if not isinstance(properties, dict | None):
        raise Unfit("the answer holds a record whose properties are no JSON object")
    return properties or {}


def list_page(found: Mapping[str, Any]) -> ListPage:
    """Read the answer of a list."""
    return ListPage(records(found), _after(found))


def search_page(found: Mapping[str, Any]) -> SearchPage:
    """Read the answer of a search."""
    listed, total = records(found), found.get("total")
    if not isinstance(total, int) or isinstance(total, bool) or total < len(listed):
        raise Unfit("the answer does not say how many records match (`total`)")
    return SearchPage(total, listed, _after(found))


def batch(found: Mapping[str, Any]) -> tuple[list[Result], set[str]]:
    """Read the answer of a batch read: the records, and what failed beside those that are not there."""
    _complete(found)
    return records(found), _failures(found)


def linked(found: Mapping[str, Any]) -> Linked:
    """Read the answer of a batch of associations."""
    _complete(found)
    links, onward = [], []
    for result in results(found):
        one = id_of(result["from"]["id"])
        links += [(one, id_of(to.get("toObjectId", to.get("id"))), _labels(to)) for to in result["to"]]
        after = _after(result)
        onward += [{"id": one, "after": after}] if after else []
    return Linked(links, onward, _failures(found))


def schemas(found: Mapping[str, Any]) -> list[Schema]:
    """Read the answer that lists custom objects."""
    return list(_schemas(results(found)))


def _schemas(listed: list[Result]) -> Iterator[Schema]:
    for one in listed:
        name, type_id = one.get("fullyQualifiedName") or one.get("name"), one.get("objectTypeId")
        labels = one.get("labels") or {}
        words = [one.get("name"), name, labels.get("plural"), labels.get("singular"), type_id]
        if name:
            label = labels.get("plural") or labels.get("singular")
            known = tuple(str(text) for text in words if text)
            yield Schema(str(name), str(type_id or ""), str(label or ""), known, bool(one.get("archived")))


def _complete(found: Mapping[str, Any]) -> None:
    status = found.get("status")
    if status != "COMPLETE":
        raise Unfit(f"the answer is not complete (status {word(status) or 'missing'})")


def _after(found: Mapping[str, Any]) -> str | None:
    onward = ((found.get("paging") or {}).get("next") or {}).get("after")
    if not isinstance(onward, str | int | None):
        raise Unfit("the answer does not say where the next page begins")
    return str(onward) if onward not in (None, "") else None


def _failures(found: Mapping[str, Any]) -> set[str]:
    """The categories of errors in a partial answer, but for those that mean: there is none."""
    errors = found.get("errors") or []
    failed, named = set(), 0
    for one in errors:
        category, more = str(one.get("category") or ""), str(one.get("subCategory") or "")
        if not _HARMLESS.search(f"{category} {more}"):
            failed.add(word(category) or "unknown error")
        named += sum(len(ids) for ids in (one.get("context") or {}).values() if isinstance(ids, list))
    if (found.get("numErrors") or 0) > max(len(errors), named):
        failed.add("errors that it does not name")
    return failed


def _labels(link: Mapping[str, Any]) -> set[str]:
    kinds = [kind for kind in link.get("associationTypes") or () if isinstance(kind, dict)]
    return {str(kind["label"]) for kind in kinds if kind.get("label")}
