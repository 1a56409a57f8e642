"""What a source yields, as values that JSON can hold: numbers, texts, booleans and null."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any

import orjson

Scalar = str | int | float | bool | None

SCALARS = frozenset({str, int, float, bool, type(None)})
"""Types that go out as they are; whole numbers beyond 64 bit are caught when they are encoded."""

_FAITHFUL_DIGITS = 15
_INT64 = range(-(2**63), 2**64)
_LONGEST_PLAIN_EXPONENT = 100
_NESTED = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def json_safe(value: Any) -> Scalar:
    """Turn any value of a record into a JSON scalar; lists and objects become JSON text."""
    kind = type(value)
    if kind is int:
        return value if value in _INT64 else decimal_digits(value)
    if kind is float:
        return value if math.isfinite(value) else None
    if kind in SCALARS:
        return value  # type: ignore[no-any-return]
    if isinstance(value, (Mapping, list, tuple, set, frozenset)):
        return json_text(value)
    return _other(value)


def json_text(value: Any) -> str:
    """Write a list or object as compact JSON with sorted keys."""
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=str)
    try:
        return orjson.dumps(value, default=_nested, option=_NESTED).decode()
    except TypeError:
        return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def to_text(value: Any) -> str:
    """Write any value as text; null is empty."""
    safe = value if type(value) is str else json_safe(value)
    if isinstance(safe, str):
        return safe
    if safe is None:
        return ""
    return str(safe).lower() if isinstance(safe, bool) else str(safe)


def kind_of(value: Any) -> str:
    """Name what kind of thing a value is, for messages; never the value itself."""
    if isinstance(value, str):
        return "empty text" if not value.strip() else f"text of {len(value)} characters"
    names = (
        ("null", type(None)), ("a boolean", bool), ("a number", (int, float, Decimal)), ("a date", date),
        ("an object", Mapping), ("a list", (list, tuple, set, frozenset)), ("bytes", (bytes, bytearray, memoryview)),
    )  # fmt: skip
    return next((name for name, types in names if isinstance(value, types)), f"a {type(value).__name__}")


def decimal_digits(number: int) -> str:
    """Write a whole number of any length (`str` refuses more than 4,300 digits)."""
    return f"{Decimal(number):f}"


def _other(value: Any) -> Scalar:
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return b64encode(value).decode()
    if isinstance(value, Enum):
        return json_safe(value.value)
    return str.__str__(value) if isinstance(value, str) else str(value)


def _instant(value: datetime) -> str:
    try:
        return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    except OverflowError:  # the first and last day of the calendar
        return value.isoformat()


def _decimal(value: Decimal) -> Scalar:
    """A number where JSON readers get back exactly this number, else text."""
    if not value.is_finite():
        return None
    digits, exponent = value.as_tuple()[1:]
    if exponent == 0 or (isinstance(exponent, int) and 0 < exponent <= _FAITHFUL_DIGITS):
        whole = int(value)
        if whole in _INT64:
            return whole
    elif len(digits) <= _FAITHFUL_DIGITS and Decimal(repr(float(value))) == value:
        return float(value)
    return f"{value:f}" if abs(value.adjusted()) < _LONGEST_PLAIN_EXPONENT else str(value)


def _nested(value: Any) -> Any:
    """What orjson asks for inside lists and objects."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return json_safe(value)


def _plain(value: Any) -> Any:
    """The same for the standard encoder, which takes whole numbers of any size."""
    if isinstance(value, Mapping):
        return {to_text(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return [_plain(item) for item in sorted(value, key=str)]
    return json_safe(value)
