"""What is exported: a search as the API takes it, from what a person types."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

_KEYS = {"email": "email", "website": "websiteUrl", "recordId": "recordId"}
_SYMBOLS = {
    "=": "EQ",
    "!=": "NEQ",
    "~": "CONTAINS",
    "!~": "NOT_CONTAINS",
    "^=": "STARTS_WITH",
    ">": "GT",
    ">=": "GTE",
    "<": "LT",
    "<=": "LTE",
}
_ALONE = ("IS_SET", "IS_NOT_SET")
_WORDS = (*_SYMBOLS.values(), "IN", *_ALONE)
_BY_WORD = re.compile(rf"\s*([^\s=!<>~^]+)\s+({'|'.join(_WORDS)})(?:\s+(.*))?", re.DOTALL)
_BY_SYMBOL = re.compile(r"([^=!<>~^]+?)\s*(!=|>=|<=|!~|\^=|=|>|<|~)(.*)", re.DOTALL)
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", re.ASCII)
_ORDERED = ("GT", "GTE", "LT", "LTE")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a property, in the API's words."""

    property: str
    operator: str
    value: str | int | float | tuple[str, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The condition as the API takes it."""
        bare: dict[str, Any] = {"property": self.property, "operator": self.operator}
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return bare if value is None else bare | {"value": value}


@dataclass(frozen=True, slots=True)
class Query:
    """Which records, and what of them."""

    entity_type: str | None = None
    key: tuple[str, str] | None = None
    """Name and value: `email`, `website`, `recordId`, or a name of one's own."""
    conditions: tuple[Condition, ...] = ()
    is_any: bool = False
    """Whether one of the conditions is enough."""
    properties: tuple[str, ...] = ()
    """Only these; all where none is named."""
    memories: bool = False

    def body(self, page: int, size: int) -> dict[str, Any]:
        """The call for one page."""
        asked: dict[str, Any] = {"returnRecords": True, "page": page, "pageSize": size}
        return self._chosen() | asked | ({"includeMemories": True} if self.memories else {})

    def counting(self) -> dict[str, Any]:
        """The call that only counts."""
        return self._chosen() | {"countOnly": True, "page": 1, "pageSize": 1}

    def _chosen(self) -> dict[str, Any]:
        chosen: dict[str, Any] = {} if self.entity_type is None else {"type": self.entity_type}
        if self.key is not None:
            name, value = self.key
            chosen |= {_KEYS[name]: value} if name in _KEYS else {"customKeyName": name, "customKeyValue": value}
        if self.conditions:
            logic, conditions = "OR" if self.is_any else "AND", [one.as_dict() for one in self.conditions]
            chosen["groups"] = [{"id": "where", "logic": logic, "conditions": conditions}]
        return chosen

    def mark(self, *more: str) -> str:
        """A hash that tells this export from every other; it holds no value."""
        text = orjson.dumps([asdict(self), list(more)], option=orjson.OPT_SORT_KEYS)
        return hashlib.blake2b(text, digest_size=16).hexdigest()


def parse_key(text: str) -> tuple[str, str]:
    """Read `email=ada@example.com`; ValueError says what is allowed."""
    name, equals, value = text.partition("=")
    if not (equals and name.strip() and value.strip()):
        raise ValueError("expected NAME=VALUE, such as email=ada@example.com, website=, recordId= or a key of your own")
    return name.strip(), value.strip()


def parse_condition(text: str) -> Condition:
    """Read `job_title=CEO`, `seats>50`, `plan IN team,pro` or `phone IS_SET`; ValueError says what is allowed."""
    found = _BY_WORD.fullmatch(text)
    if found is not None:
        name, operator, value = found[1], found[2], (found[3] or "").strip()
    elif (found := _BY_SYMBOL.fullmatch(text.strip())) is not None:
        name, operator, value = found[1].strip(), _SYMBOLS[found[2]], found[3].strip()
    else:
        raise ValueError(f"expected NAME OPERATOR VALUE with one of {' '.join(_SYMBOLS)} IN IS_SET IS_NOT_SET")
    if operator in _ALONE:
        if value:
            raise ValueError(f"{operator} takes no value")
        return Condition(name, operator)
    if not value:
        raise ValueError(f"expected a value behind {operator}; for records without the property: '{name} IS_NOT_SET'")
    return Condition(name, operator, _value(operator, value))


def _value(operator: str, text: str) -> str | int | float | tuple[str, ...]:
    if operator == "IN":
        return tuple(part for one in text.split(",") if (part := one.strip()))
    if operator in _ORDERED and _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text


def parse_names(text: str) -> Sequence[str]:
    """Read `name,job_title`: each name once, in the order given."""
    return list(dict.fromkeys(name for one in text.split(",") if (name := one.strip())))
