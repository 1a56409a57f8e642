"""Whether memory holds the value that was sent: it may give numbers, truths and moments back in other clothes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from unicodedata import normalize

import orjson

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].{2,30})?", re.ASCII)


def is_alike(sent: Any, stored: Any) -> bool:
    """Whether two values mean the same. Texts are compared as texts: the version 1.10 is not 1.1."""
    if is_nothing(sent) or is_nothing(stored):
        return is_nothing(sent) and is_nothing(stored)
    if isinstance(sent, bool) or isinstance(stored, bool):
        return _word(sent) == _word(stored)
    if isinstance(sent, int | float) or isinstance(stored, int | float):
        one, other = _number(sent), _number(stored)
        return one is not None and one == other
    if isinstance(sent, Mapping | list) or isinstance(stored, Mapping | list):
        return bool(_document(sent) == _document(stored))
    one_text, other_text = _text(sent), _text(stored)
    return one_text == other_text or _same_moment(one_text, other_text)


def is_nothing(value: Any) -> bool:
    """Whether a value says nothing: null, and an empty text, are kept as no property at all."""
    return value is None or (isinstance(value, str) and not value.strip())


def _word(value: Any) -> str:
    return str(value).strip().lower() if isinstance(value, str | bool) else repr(value)


def _number(value: Any) -> Decimal | None:
    text = repr(value) if isinstance(value, int | float) else str(value).strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _document(value: Any) -> Any:
    """A list or an object, from the JSON text as which it was sent too."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def _text(value: Any) -> str:
    return normalize("NFC", str(value)).replace("\r\n", "\n").strip()


def _same_moment(one: str, other: str) -> bool:
    if not (_MOMENT.fullmatch(one) and _MOMENT.fullmatch(other)):
        return False
    try:
        return _moment(one) == _moment(other)
    except (ValueError, OverflowError):
        return False


def _moment(text: str) -> datetime:
    """A date is its midnight in UTC: a date kept as a moment comes back so."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
