"""From HubSpot's texts to values: on the wire every property is text or null."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.hubspot.metadata import KEY, TOP_LEVEL, Property

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+|-?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]{1,2}")
_EXACT = 15
"""Decimal digits that a floating-point number keeps."""
_MILLISECONDS = re.compile(r"-?[0-9]{9,15}(?:\.[0-9]+)?|-?[0-9]\.[0-9]+[eE][0-9]{1,2}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPLIT = re.compile(r"[;:,\s]+")

Convert = Callable[[str], Any]


def _same(text: str) -> Any:
    return text


def number(text: str) -> int | float | str:
    """A number where the text is exactly one; `1,234` and `3;4` stay text."""
    if _WHOLE.fullmatch(text):
        return int(text)
    if not _DECIMAL.fullmatch(text):
        return text
    digits = len(re.sub(r"[eE].*|[^0-9]", "", text).strip("0"))
    return float(text) if digits <= _EXACT else text


def truth(text: str) -> bool | str:
    """A boolean where the text is exactly one."""
    return {"true": True, "false": False}.get(text.lower(), text)


def moment(text: str) -> str:
    """A date and time as ISO 8601, also where it came as milliseconds."""
    if text[4:5] == "-":  # behind a year, and never in a number
        return text
    ms = milliseconds(text) if _MILLISECONDS.fullmatch(text) else None
    return text if ms is None else iso(ms)


def day(text: str) -> str:
    """A date as ISO 8601, also where it came as milliseconds."""
    return text if text[4:5] == "-" or not _MILLISECONDS.fullmatch(text) else moment(text)[:10]


_BY_TYPE: Mapping[str, Convert] = {"number": number, "bool": truth, "datetime": moment, "date": day}


def converter(one: Property | None) -> Convert:
    """What turns a property's text into its value."""
    if one is None:
        return _same
    if one.type == "enumeration" and one.field_type == "booleancheckbox":
        return truth
    return _BY_TYPE.get(one.type, _same)


class Shape:
    """The fields of a record: names, and how each is converted; made once, used for every record."""

    def __init__(self, names: tuple[str, ...], known: Mapping[str, Property]) -> None:
        self.names = names
        self._from_top = tuple(name for name in names if name in TOP_LEVEL and name not in known)
        self._plain = tuple(name for name in names if name not in self._from_top)
        converters = ((name, converter(known.get(name))) for name in self._plain if name != KEY)
        self._converted = tuple((name, convert) for name, convert in converters if convert is not _same)
        self._has_key = KEY in names

    def fields(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """The values of one result under their names; what is empty or missing is None."""
        get = result["properties"].get
        # What is no text is nothing, or a value that a server gave as such: zero and false stay.
        fields = {name: value if (value := get(name)) != "" else None for name in self._plain}
        for name, convert in self._converted:
            text = fields[name]
            if text.__class__ is str:
                fields[name] = convert(text)
        for name in self._from_top:
            fields[name] = result.get(name)
        if self._has_key and fields[KEY] is None:
            fields[KEY] = result["id"]
        return fields


def milliseconds(text: str | None) -> int | None:
    """A stamp as milliseconds since 1970; None where it cannot be read."""
    if not text:
        return None
    try:
        if _MILLISECONDS.fullmatch(text):
            return int(float(text))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return since_epoch(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def since_epoch(moment: datetime) -> int:
    """A point in time as milliseconds since 1970, fractions cut off."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def iso(ms: int) -> str:
    """Milliseconds since 1970 as HubSpot writes them."""
    try:
        return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except OverflowError:
        return str(ms)


def ids_in(*texts: Any) -> list[str]:
    """The record ids in lists such as `12;34` and `12:1700000000000;34:1700000000001`."""
    found = []
    for text in texts:
        for entry in str(text or "").split(";"):
            first = _SPLIT.split(entry.strip(), maxsplit=1)[0]
            found += [first] if first.isdecimal() else []
    return list(dict.fromkeys(found))
