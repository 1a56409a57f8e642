"""From HubSpot's texts to values: on the wire every property is text or null."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.hubspot.metadata import KEY, TOP_LEVEL, Property
from connectors.numbers import fraction
from connectors.written import compiled

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+|-?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]{1,2}")
_SHORT = 16
"""Characters of a text below which nothing but its digits need to be looked at."""
_MILLISECONDS = re.compile(r"-?[0-9]{9,15}(?:\.[0-9]+)?|-?[0-9]\.[0-9]+[eE][0-9]{1,2}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPLIT = re.compile(r"[;:,\s]+")

Convert = Callable[[str], Any]


def _same(text: str) -> Any:
    return text


def number(text: str) -> int | float | str:
    """A number where the text is exactly one; `1,234` and `3;4` stay text."""
    if text.isdecimal() and text.isascii() and len(text) < _SHORT and text[0] != "0":
        return int(text)  # as nearly all are
    if _WHOLE.fullmatch(text):
        return int(text)
    if not _DECIMAL.fullmatch(text):
        return text
    return fraction(text)


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


_CODE = """\
def fields(result):
    found = result["properties"]
    try:
        {variables}
    except KeyError:
        return fields({{**result, "properties": {{**blank, **found}}}})
    return {{{members}}}
"""


class Shape:
    """The fields of a record: names, and how each is converted; made once, used for every record."""

    def __init__(self, names: tuple[str, ...], known: Mapping[str, Property]) -> None:
        self.names = names
        top = [name for name in names if name in TOP_LEVEL and name not in known]
        plain = [name for name in names if name not in top]
        converters = {name: converter(known.get(name)) for name in plain if name != KEY}
        converted = [name for name, convert in converters.items() if convert is not _same]
        places = {name: f"value{number}" for number, name in enumerate(plain)}
        members = [f"{name!r}: {_read(name, place, converted)}" for name, place in places.items()]
        code = _CODE.format(
            variables="; ".join(f"{place} = found[{name!r}]" for name, place in places.items()) or "pass",
            members=", ".join([*members, *(f"{name!r}: result.get({name!r})" for name in top)]),
        )
        refers = {f"to_{places[name]}": converters[name] for name in converted}
        self.fields: Callable[[Mapping[str, Any]], dict[str, Any]] = compiled(
            code, "fields", {**refers, "blank": dict.fromkeys(plain), "rest": _rest}
        )
        """The values of one result under their names; what is empty or missing is None."""


def _read(name: str, place: str, converted: Sequence[str]) -> str:
    """The code for one value."""
    if name == KEY:
        return f'result["id"] if {place} is None or {place} == "" else {place}'
    empty = f"None if {place} is None else rest({place})"
    if name in converted:
        return f"to_{place}({place}) if {place} and {place}.__class__ is str else {empty}"
    return f"{place} or ({empty})"


def _rest(value: Any) -> Any:
    """What is no text is nothing, or a value that a server gave as such: zero and false stay."""
    return None if value == "" else value


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
