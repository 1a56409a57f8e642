"""Search: an index that lags, answers in no order, and ends at 10,000."""

from __future__ import annotations

from collections.abc import Mapping

from .account import Account, Call
from .answers import Answer, invalid
from .catalog import ObjectType
from .checks import document, items, json_number, members, text, whole
from .filters import condition
from .rendering import Wanted, record

CAP, PAGE, LONGEST_BODY = 10_000, 200, 3_000
_MEMBERS = ("filterGroups", "filters", "sorts", "properties", "limit", "after", "query")
_SHUFFLED = "(id % 1000003) * 7919 % 1000003, id"
KEPT = 8


def search(account: Account, call: Call) -> Answer:
    """One page of what the index holds."""
    kind = account.reads(call.names["type"])
    if len(call.body) > LONGEST_BODY:
        raise invalid(f"The search request must be at most {LONGEST_BODY} characters long")
    body = members(document(call.body), "the body", allowed=_MEMBERS)
    limit = whole(body.get("limit"), "limit", low=1, high=PAGE, default=10, read=json_number)
    offset = whole(text(body, "after"), "after", low=0, high=10**9, default=0)
    if offset + limit > CAP:
        raise invalid(f"Cannot page past {CAP} results: after {offset} and limit {limit}")
    wanted = Wanted(kind, items(body, "properties"), account.options.scopes)
    ids = _found(account, kind, body)
    page = ids[offset : offset + limit]
    answer = {"total": len(ids), "results": _records(account, kind, page, wanted)}
    if offset + len(page) < len(ids):
        answer["paging"] = {"next": {"after": str(offset + len(page))}}
    return Answer(200, answer)


def _found(account: Account, kind: ObjectType, body: Mapping) -> list[int]:
    """Ids of all matches; the pages of one search are cut from one list as long as the index stays."""
    account.store.index(account.options.clock())
    where = condition(kind, body, account.options.ids_compare_as)
    sql, values = f"({where.sql})", where.values
    if query := text(body, "query"):
        sql, values = f"{sql} AND properties LIKE ?", (*values, f"%{query}%")
    order = _order(account, kind, body)
    asked = (account.store.version, kind.id, sql, values, order)
    if asked not in account.searches:
        if len(account.searches) == KEPT:
            account.searches.pop(next(iter(account.searches)))
        account.searches[asked] = account.store.matching(kind.id, sql, values, order)
    return account.searches[asked]


def _order(account: Account, kind: ObjectType, body: Mapping) -> str:
    sorts = body.get("sorts") or []
    if not isinstance(sorts, list) or len(sorts) > 1:
        raise invalid("sorts must be a list of one sort at most")
    name, direction = kind.created, "ASCENDING"
    for one in sorts:
        given = {"propertyName": one} if isinstance(one, str) else one
        members(given, "sorts", required=["propertyName"], allowed=["direction"])
        name, direction = text(given, "propertyName"), text(given, "direction") or "ASCENDING"
    if name not in kind.properties or direction not in ("ASCENDING", "DESCENDING"):
        raise invalid(f"Cannot sort by {name} {direction}")
    if account.options.order == "shuffled":
        return _SHUFFLED
    columns = {kind.created: "created", kind.modified: "modified", "hs_object_id": "id"}
    column = columns.get(name) or f"json_extract(properties, '$.\"{name}\"')"
    return f"{column} {direction.removesuffix('ENDING')}, id"


def _records(account: Account, kind: ObjectType, ids: list[int], wanted: Wanted) -> list[dict]:
    store, fresh = account.store, account.options.fresh_values
    rows = store.rows(kind.id, ids) if fresh else store.indexed_rows(kind.id, ids)
    return [record(rows[one], wanted) for one in ids if one in rows and rows[one].archived is None]
