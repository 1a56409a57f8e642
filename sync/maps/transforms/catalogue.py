"""The transforms by name: what each does, which argument it takes, and what builds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sync.maps.problem import did_you_mean
from sync.maps.transforms import contact, html, lists, numbers, text
from sync.maps.transforms.failure import Change

Wants = Literal["none", "optional", "required"]

_Check = Callable[[Any], str | None]


@dataclass(frozen=True, slots=True)
class Transform:
    """One transform as maps name it."""

    does: str
    build: Callable[..., Change]
    wants: Wants = "none"
    """Whether an argument is given, as in `{truncate: 500}`."""
    check: _Check = lambda _: None
    """What is wrong with an argument, as `expected ...`; None: nothing."""
    schema: Mapping[str, Any] = field(default_factory=dict)
    """JSON Schema of the argument."""
    takes_null: bool = False
    """Whether it is also applied to null; every other transform leaves null alone."""


def change_of(name: str, argument: Any = None, *, given: bool = False) -> Change:
    """Build a transform; the argument was checked when the map was loaded."""
    build = TRANSFORMS[name].build
    return build(argument) if given else build()


def check_argument(name: str, argument: Any, *, given: bool) -> str | None:
    """Say what is wrong with the argument of a known transform; None: nothing."""
    transform = TRANSFORMS[name]
    if given and transform.wants == "none":
        return f"found an argument, expected the bare name {name}"
    if not given:
        return None if transform.wants != "required" else f"found no argument, {transform.check(None)}"
    return transform.check(argument)


def _text(what: str) -> _Check:
    return lambda argument: None if isinstance(argument, str) and argument else f"expected {what}"


def _length(argument: Any) -> str | None:
    good = type(argument) is int and argument > 0
    return None if good else "expected the number of characters to keep, as in {truncate: 500}"


def _mark(argument: Any) -> str | None:
    return None if argument in (".", ",") else 'expected the decimal mark, as in {number: ","} or {number: "."}'


def _region(argument: Any) -> str | None:
    expected = "expected a two-letter country code, as in {phone: DE}"
    if not isinstance(argument, str):
        return expected
    known = contact.phone_regions()
    return None if argument in known else expected + did_you_mean(argument, known)


def _pattern(argument: Any) -> str | None:
    expected = 'expected how the date is written, as in {date: "%d.%m.%Y"}'
    if not isinstance(argument, str) or "%" not in argument:
        return expected
    try:
        datetime.strptime(datetime(2024, 1, 31).strftime(argument), argument)  # noqa: DTZ001, DTZ007
    except ValueError:
        return expected
    return None


def _path(argument: Any) -> str | None:
    expected = "expected a path into the JSON, as in {json: address.city}"
    try:
        lists.check_path(argument)
    except (ValueError, TypeError):
        return expected
    return None


def _table(argument: Any) -> str | None:
    good = isinstance(argument, dict) and argument and not any(isinstance(v, (dict, list)) for v in argument.values())
    return None if good else 'expected what becomes what, as in {map: {cust: Customer, "*": Other}}'


def _replacement(argument: Any) -> str | None:
    good = argument is not None and not isinstance(argument, (dict, list))
    return None if good else "expected the value to use instead of null, as in {default: unknown}"


_BETWEEN = _text('the text between, as in {join: "; "}')
_SEPARATOR = _text('the separator, as in {split: ";"}')
_TEXT = {"type": "string", "minLength": 1}
_SCALAR = {"type": ["string", "number", "boolean"]}
_TABLE = {"type": "object", "minProperties": 1, "additionalProperties": {"type": [*_SCALAR["type"], "null"]}}
_REGION = {"type": "string", "pattern": "^[A-Z]{2}$"}
_LENGTH = {"type": "integer", "minimum": 1}

TRANSFORMS: Mapping[str, Transform] = {
    "strip": Transform("removes blanks at both ends", text.strip),
    "lower": Transform("turns to lower case", text.lower),
    "upper": Transform("turns to upper case", text.upper),
    "html_to_text": Transform("turns HTML into readable text; other text stays as it is", html.html_to_text),
    "email": Transform("checks an email address and writes it in its usual form", contact.email),
    "url": Transform("checks a web address and completes it with https://", contact.url),
    "phone": Transform("writes a phone number as +491701234567", contact.phone, "optional", _region, _REGION),
    "date": Transform("writes a date as 2024-01-31", numbers.date_text, "optional", _pattern, _TEXT),
    "number": Transform("reads a number from text", numbers.number, "optional", _mark, {"enum": [".", ","]}),
    "boolean": Transform("reads yes/no, true/false or 1/0", numbers.boolean),
    "json": Transform("reads JSON text, or one place in it", lists.json, "optional", _path, _TEXT),
    "join": Transform("joins a list to text", lists.join, "optional", _BETWEEN, _TEXT),
    "split": Transform("splits text to a list", lists.split, "optional", _SEPARATOR, _TEXT),
    "map": Transform("replaces values by a table; * is all others", lists.map_values, "required", _table, _TABLE),
    "default": Transform("replaces null and blanks", lists.default, "required", _replacement, _SCALAR, takes_null=True),
    "truncate": Transform("keeps the first characters", text.truncate, "required", _length, _LENGTH),
    "sha256": Transform("replaces a value by its SHA-256 hash", text.sha256),
}  # fmt: skip
