"""Transforms to numbers, booleans and dates."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sync.maps.transforms.failure import Change, TransformFailed

_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})
_EPOCH = re.compile(r"-?\d{9,10}|-?\d{12,13}")
_SECONDS_DIGITS = 10
_FRACTION = re.compile(r"(\.\d{1,6})\d*")


def number(decimal_mark: str = ".") -> Change:
    groups = r"[,'’ \u00a0\u202f]" if decimal_mark == "." else r"[.'’ \u00a0\u202f]"
    mark = re.escape(decimal_mark)
    shape = re.compile(rf"[-+]?(?:\d{{1,3}}(?:{groups}\d{{3}})+|\d+)?(?:{mark}\d+)?(?:[eE][-+]?\d{{1,3}})?", re.ASCII)
    group = re.compile(groups)
    expected = f"a number with the decimal mark {decimal_mark}"

    def change(value: Any) -> Any:
        if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
            return value
        if not isinstance(value, str):
            raise TransformFailed(value, expected)
        text = _without_currency(value)
        if not text:
            return None
        if not shape.fullmatch(text) or not any(char.isdigit() for char in text):
            raise TransformFailed(value, expected)
        return Decimal(group.sub("", text).replace(decimal_mark, "."))

    return change


def boolean() -> Change:
    def change(value: Any) -> Any:
        if isinstance(value, bool):
            return value
        if isinstance(value, (int, float, Decimal)) and value in (0, 1):
            return bool(value)
        word = value.strip().lower() if isinstance(value, str) else None
        if word == "":
            return None
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        raise TransformFailed(value, "true or false, yes or no, 1 or 0")

    return change


def date_text(pattern: str | None = None) -> Change:
    expected = f"a date written as {pattern}" if pattern else "a date such as 2024-01-31"

    def change(value: Any) -> Any:
        if isinstance(value, str) and not value.strip():
            return None
        try:
            found = _date(value, pattern)
        except (ValueError, OverflowError, OSError):
            found = None
        if found is None:
            raise TransformFailed(value, expected)
        return found.isoformat()

    return change


def _date(value: Any, pattern: str | None) -> date | None:
    if isinstance(value, str) and pattern:
        return datetime.strptime(value.strip(), pattern).date()  # noqa: DTZ007  # only its date is used
    if isinstance(value, str):
        text = _FRACTION.sub(r"\1", value.strip())
        value = int(text) if _EPOCH.fullmatch(text) else datetime.fromisoformat(text)
    if isinstance(value, int) and not isinstance(value, bool) and _EPOCH.fullmatch(str(value)):
        seconds = value if len(str(abs(value))) <= _SECONDS_DIGITS else value / 1000
        value = datetime.fromtimestamp(seconds, UTC)
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).date()
    return value if isinstance(value, date) else None


def _without_currency(text: str) -> str:
    return "".join(char for char in text if unicodedata.category(char) != "Sc").strip()
