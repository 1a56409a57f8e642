"""The ordinary record as straight code: one function without a loop, written for its map and compiled once.

Whatever is not ordinary (no identity, another type than expected, a NUL, too long, any error) is left to the careful
way of `sync.maps.compile`, which gives the same row where both can. Measured: about two thirds of its time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from connectors.base import Record
from sync.maps.encoding import ESCAPED_NUL, MAX_CHARACTERS
from sync.maps.row import Reject, Row
from sync.maps.values import SCALARS


class PlainPart(NamedTuple):
    """One plain value: from a field of the record as it is, or else through `read`."""

    row_key: str
    field: str | None
    read: Callable[[Any], Any]


class TextPart(NamedTuple):
    """One text to extract, likewise; `prefix` is its member name as JSON with the colon."""

    field: str | None
    read: Callable[[Any], str]
    prefix: bytes
    keyed: blake2b


_START = """\
def row(record):
    try:
        fields = record[1]
        get = fields.get
        found = {identity}
        if found.__class__ is not str:
            return careful(record)
        found = found.strip()
        if not found:
            return careful(record)
        plain = dumps({{{members}}})
        keyed = seal()
        keyed.update(plain)
        mark = keyed.digest() + marked(found)
        size = len(plain)
        texts = ()
"""
_TEXT = """\
        text = {text}
        if text.__class__ is not str:
            if text is not None:
                return careful(record)
        elif text and not text.isspace():
            member = prefix{n} + dumps(text)
            size += len(member)
            if NUL in member:
                return careful(record)
            keyed = fresh{n}()
            keyed.update(member)
            mark += keyed.digest()
            texts += (member,)
"""
_END = """\
        if size > MAX or NUL in plain:
            return careful(record)
        return new(Row, (record[0], found, plain, texts, mark))
    except Exception:
        return careful(record)
"""


def straight_row(
    row_key: str,
    field: str,
    plain: Sequence[PlainPart],
    texts: Sequence[TextPart],
    seal: blake2b,
    marked: Callable[[str], bytes],
    careful: Callable[[Record], Row | Reject],
) -> Callable[[Record], Row | Reject]:
    """Compile the function for a map whose identity is the record's `field`; names enter the code as literals."""
    names: dict[str, Any] = {
        "careful": careful,
        "dumps": orjson.dumps,
        "marked": marked,
        "new": tuple.__new__,
        "seal": seal.copy,
        "MAX": MAX_CHARACTERS,
        "NUL": ESCAPED_NUL,
        "Row": Row,
        "SCALARS": SCALARS,
    }
    members = [f"{row_key!r}: found"]
    for number, part in enumerate(plain):
        names[f"read{number}"] = part.read
        members.append(f"{part.row_key!r}: {_value(part.field, f'read{number}')}")
    code = _START.format(identity=f"get({field!r})", members=", ".join(members))
    for number, text in enumerate(texts):
        names |= {f"text{number}": text.read, f"prefix{number}": text.prefix, f"fresh{number}": text.keyed.copy}
        code += _TEXT.format(n=number, text=f"text{number}(fields)" if text.field is None else f"get({text.field!r})")
    exec(code + _END, names)  # noqa: S102  # nosec B102 - the only texts that come from outside are literals made by repr()
    made: Callable[[Record], Row | Reject] = names["row"]
    return made


def _value(field: str | None, read: str) -> str:
    if field is None:
        return f"{read}(fields)"
    return f"(value if (value := get({field!r})).__class__ in SCALARS else {read}(fields))"
