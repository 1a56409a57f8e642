"""Search: conditions on properties as SQL, paged and counted."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from sync.sandbox.answers import Refused, invalid, iso_time, json_name
from sync.sandbox.applying import scalar_number, scalar_text
from sync.sandbox.lookup import read_count, read_flag, read_wanted

PAGE_SIZE = 50
LARGEST_PAGE = 200

Sql = tuple[str, list[Any]]
"""A condition and its values."""

_EQUALS = "(substr(text, 1, 64) = substr(?, 1, 64) AND text = ?)"
_COMPARISONS = {"GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="}
_OPPOSITES = {"NEQ": "EQ", "NOT_CONTAINS": "CONTAINS", "IS_NOT_SET": "IS_SET"}
OPERATORS = ("EQ", "CONTAINS", "STARTS_WITH", "IN", "IS_SET", *_COMPARISONS, *_OPPOSITES)


def search(connection: sqlite3.Connection, call: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a search; raises Refused. Groups must all hold; in a group, all or any of its conditions (`logic`)."""
    page = read_count(call, "page", default=1, low=1, high=10_000_000)
    size = read_count(call, "pageSize", default=PAGE_SIZE, low=1, high=LARGEST_PAGE)
    condition, values = read_wanted(call).condition()
    for index, group in enumerate(_list(call, "groups")):
        group_condition, group_values = _group(group, f"groups[{index}]")
        condition, values = f"{condition} AND {group_condition}", values + group_values
    (total,) = connection.execute(f"SELECT count(*) FROM records r WHERE {condition}", values).fetchone()
    answer = {"recordIds": [], "totalMatched": total, "page": page, "pageSize": size, "totalPages": -(-total // size)}
    if read_flag(call, "countOnly", default=False):
        return answer
    text = f"SELECT r.id, r.record_id FROM records r WHERE {condition} ORDER BY r.id LIMIT ? OFFSET ?"
    found = connection.execute(text, [*values, size, (page - 1) * size]).fetchall()
    answer["recordIds"] = [row["record_id"] for row in found]
    if read_flag(call, "returnRecords", default=False):
        answer["records"] = {row["record_id"]: properties_of(connection, row["id"]) for row in found}
    if read_flag(call, "includeMemories", default=False):
        answer["memories"] = {row["record_id"]: memories_of(connection, row["id"]) for row in found}
    return answer


def properties_of(connection: sqlite3.Connection, record: int) -> dict[str, dict[str, Any]]:
    """A record's properties in the shape of a search."""
    rows = connection.execute(
        "SELECT p.name, p.value, p.collection, c.name AS collection_name FROM properties p"
        " LEFT JOIN temp.collections c ON c.id = p.collection WHERE p.record = ? ORDER BY p.name",
        (record,),
    )
    return {
        row["name"]: {
            "value": orjson.loads(row["value"]),
            "collectionId": row["collection"],
            "collectionName": row["collection_name"],
        }
        for row in rows
    }


def memories_of(connection: sqlite3.Connection, record: int) -> list[dict[str, Any]]:
    """A record's memories, newest first."""
    rows = connection.execute("SELECT * FROM memories WHERE record = ? ORDER BY created DESC, id", (record,))
    return [
        {
            "text": row["text"],
            "createdAt": iso_time(row["created"]),
            "propertyName": row["property"],
            "collectionId": row["collection"],
            "source": row["source"],
        }
        for row in rows
    ]


def _group(group: Any, where: str) -> Sql:
    if not isinstance(group, dict):
        raise invalid(where, f"expected an object, found {json_name(group)}")
    logic = group.get("logic", "AND")
    if logic not in ("AND", "OR"):
        raise invalid(f"{where}.logic", "expected AND or OR")
    conditions = _list(group, "conditions", f"{where}.")
    if not conditions:
        raise invalid(f"{where}.conditions", "expected a list with at least one condition")
    parts = [_condition(one, f"{where}.conditions[{index}]") for index, one in enumerate(conditions)]
    values = [value for _, part_values in parts for value in part_values]
    return f"({f' {logic} '.join(text for text, _ in parts)})", values


def _condition(condition: Any, where: str) -> Sql:
    if not isinstance(condition, dict) or not isinstance(condition.get("property"), str):
        raise _bad_condition(where, "expected {property, operator, value}")
    operator = str(condition.get("operator"))
    if operator not in OPERATORS:
        raise _bad_condition(f"{where}.operator", f"expected one of {', '.join(sorted(OPERATORS))}")
    test, values = _test(_OPPOSITES.get(operator, operator), condition.get("value"), where)
    inside = "NOT IN" if operator in _OPPOSITES else "IN"
    return f"r.id {inside} (SELECT record FROM searchable WHERE name = ? AND {test})", [condition["property"], *values]


def _test(operator: str, value: Any, where: str) -> Sql:
    if operator == "IS_SET":
        return "1", []
    if operator == "IN":
        if not isinstance(value, list) or not value:
            raise _bad_condition(f"{where}.value", "IN expects a list")
        parts = [_equals(_scalar(one, where)) for one in value]
        return f"({' OR '.join(text for text, _ in parts)})", [each for _, values in parts for each in values]
    given = _scalar(value, where)
    if operator == "EQ":
        return _equals(given)
    if operator in _COMPARISONS:
        number = scalar_number(given)
        column, bound = ("text", scalar_text(given)) if number is None else ("number", number)
        return f"{column} {_COMPARISONS[operator]} ?", [bound]
    place = "= 1" if operator == "STARTS_WITH" else "> 0"
    return f"instr(lower(text), lower(?)) {place}", [scalar_text(given)]


def _equals(value: Any) -> Sql:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number = ?", [value]
    text = scalar_text(value)
    return _EQUALS, [text, text]


def _scalar(value: Any, where: str) -> Any:
    if value is None or isinstance(value, (dict, list)):
        raise _bad_condition(f"{where}.value", f"expected a text, number or boolean, found {json_name(value)}")
    return value


def _bad_condition(where: str, problem: str) -> Refused:
    message = f"{where}: {problem}"
    return Refused(400, "INVALID_CONDITION", message, details=[{"parameter": where, "message": problem}])


def _list(given: Mapping[str, Any], name: str, where: str = "") -> Sequence[Any]:
    value = given.get(name) or []
    if not isinstance(value, list):
        raise invalid(f"{where}{name}", f"expected a list, found {json_name(value)}")
    return value
