"""Filter groups of a search request as one SQL condition over what is indexed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .answers import Refused, invalid, of_status
from .catalog import ObjectType
from .checks import items, members, text
from .stamps import parse

GROUPS, FILTERS, ALL_FILTERS = 5, 10, 25
_COMPARISONS = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
_LARGEST = 2**63 - 1
_MEMBERS = ("propertyName", "operator", "value", "highValue", "values")


class Condition(NamedTuple):
    """An SQL text and the values of its question marks."""

    sql: str
    values: tuple = ()


class Operand(NamedTuple):
    """A property as SQL, and how a filter's value is read to be compared with it."""

    sql: str
    read: Callable[[str], object]


def condition(kind: ObjectType, body: Mapping, ids_compare_as: str) -> Condition:
    """What a search body asks for; raises Refused for what HubSpot would refuse."""
    groups = [
        items(members(group, "filterGroups", required=["filters"]), "filters", of=dict)
        for group in items(body, "filterGroups", of=dict)
    ]
    if bare := items(body, "filters", of=dict):
        groups.append(bare)
    if len(groups) > GROUPS or any(len(group) > FILTERS for group in groups) or sum(map(len, groups)) > ALL_FILTERS:
        raise invalid(f"Too many filters: at most {GROUPS} groups of {FILTERS} filters, {ALL_FILTERS} in all")
    made = [[_filter(kind, one, ids_compare_as) for one in group] for group in groups if group]
    values = tuple(value for group in made for one in group for value in one.values)
    return Condition(" OR ".join(" AND ".join(one.sql for one in group) for group in made) or "1", values)


def _filter(kind: ObjectType, given: Mapping, ids_compare_as: str) -> Condition:
    members(given, "filters", required=["propertyName", "operator"], allowed=_MEMBERS)
    name, operator = text(given, "propertyName"), text(given, "operator")
    if name not in kind.properties:
        message = f"Property '{name}' does not exist for object type {kind.id}"
        raise invalid("There was a problem with the request.", errors=[{"message": message, "in": "propertyName"}])
    if operator not in _OPERATORS:
        raise invalid(f"Invalid input JSON: {operator!r} is not one of {', '.join(_OPERATORS)}")
    return _OPERATORS[operator](_operand(kind, name, ids_compare_as), given)


def _operand(kind: ObjectType, name: str, ids_compare_as: str) -> Operand:
    if name in (kind.modified, kind.created):
        return Operand("modified" if name == kind.modified else "created", _moment)
    if name == "hs_object_id":
        as_text = ids_compare_as == "text"
        return Operand("CAST(id AS TEXT)" if as_text else "id", lambda value: value if as_text else _whole(value))
    stored = f"json_extract(properties, '$.\"{name}\"')"
    type_ = kind.properties[name]["type"]
    if type_ in ("date", "datetime"):
        return Operand(f"stamp({stored})", _moment)
    if type_ == "number":
        return Operand(f"number({stored})", _decimal)
    return Operand(f"lower(nullif({stored}, ''))", str.lower)


def _moment(value: str) -> int:
    found = parse(value)
    if found is None or abs(found) > _LARGEST:
        raise invalid(f"{value!r} is neither epoch milliseconds nor an ISO 8601 date")
    if found == 0:
        raise Refused(of_status(500))
    return found


def _whole(value: str) -> int:
    if not value.lstrip("-").isdecimal() or abs(int(value)) > _LARGEST:
        raise invalid(f"{value!r} is not a valid number")
    return int(value)


def _decimal(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise invalid(f"{value!r} is not a valid number") from None


def _needed(given: Mapping, name: str) -> str:
    if (value := text(given, name)) is None:
        raise invalid(f"operator {given['operator']} requires {name}")
    return value


def _compare(operand: Operand, given: Mapping) -> Condition:
    value = operand.read(_needed(given, "value"))
    return Condition(f"{operand.sql} {_COMPARISONS[given['operator']]} ?", (value,))


def _between(operand: Operand, given: Mapping) -> Condition:
    bounds = operand.read(_needed(given, "value")), operand.read(_needed(given, "highValue"))
    return Condition(f"{operand.sql} BETWEEN ? AND ?", bounds)


def _among(operand: Operand, given: Mapping) -> Condition:
    if not (values := items(given, "values")):
        raise invalid(f"operator {given['operator']} requires values")
    # Stored text is compared in lower case and these values as they are: HubSpot wants them in lower case.
    read = tuple(value if operand.read is str.lower else operand.read(value) for value in values)
    negated = "NOT " if given["operator"] == "NOT_IN" else ""
    return Condition(f"{operand.sql} {negated}IN ({','.join('?' * len(read))})", read)


def _present(operand: Operand, given: Mapping) -> Condition:
    return Condition(f"{operand.sql} IS {'NOT ' if given['operator'] == 'HAS_PROPERTY' else ''}NULL")


def _token(operand: Operand, given: Mapping) -> Condition:
    words = _needed(given, "value").lower().replace("*", "%")
    negated = "NOT " if given["operator"] == "NOT_CONTAINS_TOKEN" else ""
    spaced = f"' ' || replace(replace({operand.sql}, '@', ' '), '.', ' ') || ' '"
    return Condition(f"{negated}({spaced} LIKE ? OR {operand.sql} LIKE ?)", (f"% {words} %", words))


_OPERATORS: dict[str, Callable[[Operand, Mapping], Condition]] = {
    **dict.fromkeys(_COMPARISONS, _compare),
    "BETWEEN": _between,
    "IN": _among,
    "NOT_IN": _among,
    "HAS_PROPERTY": _present,
    "NOT_HAS_PROPERTY": _present,
    "CONTAINS_TOKEN": _token,
    "NOT_CONTAINS_TOKEN": _token,
}
