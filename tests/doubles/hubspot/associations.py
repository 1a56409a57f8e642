"""Associations: read in batches with a page per record, and as part of a record."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from .account import Account, Call, batch_answer
from .answers import Answer, invalid
from .catalog import ObjectType
from .checks import document, items, members, record_id, text
from .standard import LINK_TYPES, PRIMARY
from .store import Link, Row

INPUTS = 1_000
_NONE_FOUND = {
    "status": "error",
    "category": "OBJECT_NOT_FOUND",
    "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
}


def read_associations(account: Account, call: Call) -> Answer:
    """The records that up to 1,000 others are associated with; each input is paged for itself."""
    kind, other = account.reads(call.names["from"]), account.reads(call.names["to"])
    body = members(document(call.body), "the body", required=["inputs"])
    inputs = [members(one, "inputs", required=["id"], allowed=["after"]) for one in items(body, "inputs", of=dict)]
    if len(inputs) > INPUTS:
        raise invalid(f"The number of inputs is limited to {INPUTS}, found {len(inputs)}")
    started = account.now()
    results, unlinked = [], []
    for one in inputs:
        source, after = text(one, "id"), text(one, "after")
        links = account.store.links(kind.id, record_id(source), other.id)
        if links:
            results.append(_page(account, call, source, _entries(account, links), _position(after)))
        else:
            unlinked.append(source)
    errors = [_none(one, kind, other) for one in unlinked] if account.options.unlinked == "errors" else []
    return batch_answer(account, call, started, results, errors)


def _none(id: str, kind: ObjectType, other: ObjectType) -> dict:
    message = f"No {other.name} is associated with {kind.name} {id}."
    context = {"fromObjectId": [id], "fromObjectType": [kind.id], "toObjectType": [other.id]}
    return _NONE_FOUND | {"message": message, "context": context, "errors": [], "links": {}}


def _entries(account: Account, links: Sequence[Link]) -> list[tuple[int, list[Link]]]:
    """What `to` lists: an entry per association, or per associated record."""
    if account.options.repeated_links:
        return [(one.to_id, [one]) for one in links]
    grouped: dict[int, list[Link]] = {}
    for one in links:
        grouped.setdefault(one.to_id, []).append(one)
    return list(grouped.items())


def _page(account: Account, call: Call, id: str, entries: list[tuple[int, list[Link]]], start: int) -> dict:
    end = start + account.options.links_per_page
    numbers = call.version == "v4"
    to = [
        {"toObjectId": to_id if numbers else str(to_id), "associationTypes": [_type(one) for one in links]}
        for to_id, links in entries[start:end]
    ]
    page = {"from": {"id": id}, "to": to}
    if end < len(entries):
        after = base64.b64encode(json.dumps({"o": end}).encode()).decode()
        link = "https://api.hubapi.invalid/crm/associations"
        page["paging"] = {"next": {"after": after, "link": link}}
    return page


def _position(after: str | None) -> int:
    if after is None:
        return 0
    try:
        return int(json.loads(base64.b64decode(after))["o"])
    except (ValueError, KeyError, TypeError):
        raise invalid("after is not a cursor of this record's associations") from None


def _type(link: Link) -> dict:
    return {"category": link.category, "typeId": link.type_id, "label": link.label}


def associated(account: Account, kind: ObjectType, row: Row, others: Sequence[ObjectType]) -> dict:
    """The `associations` member of a listed record; without it where there are none."""
    made = {}
    for other in others:
        links = account.store.links(kind.id, row.id, other.id)
        results = [{"id": str(one.to_id), "type": _name(kind, other, one)} for one in links]
        limit = account.options.links_per_page
        if results:
            made[other.name] = {"results": results[:limit]}
        if len(results) > limit:
            made[other.name]["paging"] = {"next": {"after": str(limit), "link": "https://api.hubapi.invalid/"}}
    return {"associations": made} if made else {}


def _name(kind: ObjectType, other: ObjectType, link: Link) -> str:
    name = f"{kind.singular}_to_{other.singular}"
    return name if link.label or (kind.id, other.id) not in PRIMARY else f"{name}_unlabeled"


def link_types(kind: ObjectType, other: ObjectType) -> tuple[int, int]:
    """The type ids of the plain association in both directions."""
    if found := LINK_TYPES.get((kind.id, other.id)):
        return found
    there, back = LINK_TYPES.get((other.id, kind.id), (0, 0))
    if there:
        return back, there
    number = 10_000 + sum(map(ord, kind.id + other.id))
    return number, number + 1


def primary_types(kind: ObjectType, other: ObjectType) -> tuple[int, int] | None:
    if found := PRIMARY.get((kind.id, other.id)):
        return found
    found = PRIMARY.get((other.id, kind.id))
    return found and (found[1], found[0])


def associate(account: Account, one: tuple[ObjectType, int], other: tuple[ObjectType, int], label: str | None) -> None:
    """Associate two records, in both directions; a label comes beside the plain association."""
    kinds = one[0], other[0]
    _both_ways(account, one, other, link_types(*kinds), "HUBSPOT_DEFINED", None)
    if label is None:
        return
    primary = primary_types(*kinds) if label == "Primary" else None
    own = 20_000 + sum(map(ord, label))
    _both_ways(account, one, other, primary or (own, own + 1), "HUBSPOT_DEFINED" if primary else "USER_DEFINED", label)


def _both_ways(account, one, other, types, category, label) -> None:
    account.store.link((one[0].id, one[1]), (other[0].id, other[1]), Link(other[1], types[0], category, label))
    account.store.link((other[0].id, other[1]), (one[0].id, one[1]), Link(one[1], types[1], category, label))


def put_association(account: Account, call: Call) -> Answer:
    """Associate by the API: the plain way, or with association types in the body."""
    one, other = _ends(account, call)
    label = None
    if not call.names.get("default"):
        try:
            types = json.loads(call.body)
        except ValueError:
            raise invalid("Invalid input JSON on line 1, column 1") from None
        for given in items({"types": types}, "types", of=dict):
            members(given, "types", required=["associationCategory", "associationTypeId"])
            if given["associationTypeId"] in (primary_types(one[0], other[0]) or ()):
                label = "Primary"
    associate(account, one, other, label)
    ids = {"fromObjectId": str(one[1]), "toObjectId": str(other[1])}
    kinds = {"fromObjectTypeId": one[0].id, "toObjectTypeId": other[0].id}
    return Answer(201, ids | kinds | {"labels": [label] if label else []})


def delete_association(account: Account, call: Call) -> Answer:
    one, other = _ends(account, call)
    account.store.unlink((one[0].id, one[1]), (other[0].id, other[1]))
    return Answer(204)


def _ends(account: Account, call: Call) -> tuple[tuple[ObjectType, int], tuple[ObjectType, int]]:
    ends = []
    for side in ("from", "to"):
        kind, key = account.writes(call.names[side]), record_id(call.names[f"{side}_id"])
        row = account.store.row(kind.id, key)
        if row is None or row.archived is not None:
            raise invalid(f"{kind.name} {key} does not exist")
        ends.append((kind, key))
    return ends[0], ends[1]
