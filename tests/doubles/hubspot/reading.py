"""Records by list, by id and by batch: what is there, without the index."""

from __future__ import annotations

from .account import Account, Call, batch_answer
from .answers import Answer, invalid, not_found
from .associations import associated
from .catalog import ObjectType
from .checks import document, flag, items, members, record_id, text, whole
from .rendering import Wanted, record
from .store import Row

BATCH, BATCH_WITH_HISTORY = 100, 50
_BATCH = ("inputs", "properties", "propertiesWithHistory")
_SCRAMBLE = 2_654_435_761


def list_objects(account: Account, call: Call) -> Answer:
    """Pages of live records, or of archived ones, by id; a page with gaps where others were archived."""
    kind = account.reads(call.names["type"])
    history = call.listed("propertiesWithHistory")
    limit = whole(call.parameter("limit"), "limit", low=1, high=50 if history else 100, default=10)
    first = whole(call.parameter("after"), "after", low=0, high=10**18, default=0)
    archived = flag(call.parameter("archived"), "archived")
    *rows, beyond = [*account.store.walk(kind.id, first, limit + 1, archived=archived), None][: limit + 1]
    wanted = Wanted(kind, call.listed("properties"), account.options.scopes)
    others = [account.reads(name) for name in call.listed("associations")]
    results = [
        record(row, wanted, history) | associated(account, kind, row, others)
        for row in rows
        if (row.archived is not None) == archived
    ]
    return Answer(200, {"results": results} | _paging(call, kind, beyond))


def _paging(call: Call, kind: ObjectType, beyond: Row | None) -> dict:
    if beyond is None:
        return {}
    link = f"https://api.hubapi.invalid/crm/{call.version}/objects/{kind.name}?after={beyond.id}"
    return {"paging": {"next": {"after": str(beyond.id), "link": link}}}


def get_object(account: Account, call: Call) -> Answer:
    """One record by id, or by the property that `idProperty` names."""
    kind = account.reads(call.names["type"])
    archived = flag(call.parameter("archived"), "archived")
    found = by_key(account, kind, [call.names["id"]], call.parameter("idProperty")).get(call.names["id"])
    if found is None or (found.archived is not None) != archived:
        raise not_found("resource not found")
    history = call.listed("propertiesWithHistory")
    others = [account.reads(name) for name in call.listed("associations")]
    wanted = Wanted(kind, call.listed("properties"), account.options.scopes)
    return Answer(200, record(found, wanted, history) | associated(account, kind, found, others))


def batch_read(account: Account, call: Call) -> Answer:
    """Up to 100 records by id, in no order; those that are not there come as errors beside them."""
    kind = account.reads(call.names["type"])
    body = members(document(call.body), "the body", required=_BATCH, allowed=["idProperty"])
    keys = [text(members(one, "inputs", required=["id"]), "id") for one in items(body, "inputs", of=dict)]
    history = items(body, "propertiesWithHistory")
    _within_bounds(len(keys), bool(history))
    archived = flag(call.parameter("archived"), "archived")
    started = account.now()
    found = by_key(account, kind, list(dict.fromkeys(keys)), text(body, "idProperty"))
    there = {key: row for key, row in found.items() if (row.archived is not None) == archived}
    wanted = Wanted(kind, items(body, "properties"), account.options.scopes)
    rows = sorted({row.id: row for row in there.values()}.values(), key=lambda row: row.id * _SCRAMBLE % 2**32)
    results = [record(row, wanted, history) for row in rows]
    return batch_answer(account, call, started, results, _missing([key for key in keys if key not in there]))


def _within_bounds(inputs: int, history: bool) -> None:
    if inputs > BATCH:
        raise invalid(f"Number of objects in the batch must be at most {BATCH}, found {inputs}")
    if history and inputs > BATCH_WITH_HISTORY:
        raise invalid(
            f"The maximum number of inputs supported in a batch request for property histories is {BATCH_WITH_HISTORY}"
        )


def _missing(keys: list[str]) -> list[dict]:
    if not keys:
        return []
    error = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": "Could not get some objects"}
    return [error | {"context": {"ids": list(dict.fromkeys(keys))}, "errors": [], "links": {}}]


def by_key(account: Account, kind: ObjectType, keys: list[str], id_property: str | None) -> dict[str, Row]:
    """The record of each key that has one."""
    if id_property is None or id_property == "hs_object_id":
        rows = account.store.rows(kind.id, [record_id(key) for key in keys])
        return {key: rows[int(key)] for key in keys if int(key) in rows}
    if not kind.properties.get(id_property, {}).get("hasUniqueValue"):
        raise invalid(f"Property {id_property} is not a unique identifier property for {kind.name}")
    stored = {key: key.lower() if id_property == "email" else key for key in keys}
    rows = account.store.by_value(kind.id, id_property, list(stored.values()))
    found = {row.properties[id_property]: row for row in rows}
    return {key: found[value] for key, value in stored.items() if value in found}
