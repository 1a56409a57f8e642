"""The ordinary record as straight code: one function without a loop, written for its map and compiled once.

Whatever is not ordinary (no identity, another type than expected, a NUL, too long, any error) is left to the careful
way of `sync.maps.compile`, which gives the same row where both can. Measured: about two thirds of its time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple
from zlib import crc32

import orjson

from connectors.base import Record
from sync.maps.encoding import ESCAPED_NUL, MAX_CHARACTERS
from sync.maps.marks import Marker
from sync.maps.row import MARK_SIZE, Reject, Row
from sync.maps.values import SCALARS


class PlainPart(NamedTuple):
    """One plain value: from a field of the record as it is, a text through `edits`, or else all through `read`."""

    row_key: str
    field: str | None
    read: Callable[[Any], Any]
    edits: Sequence[str] = ()
    """Methods of a text that do what the map's transforms do to it, in their order."""


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
        mark = keyed.digest() + crc32({folded}.encode(), start).to_bytes({mark_size})
        size = len(plain)
        texts = ()
"""
_TEXT = """\
        text = {text}
        if text.__class__ is not str:
            if text is not None:
                return careful(record)
        elif text and not text.isspace():
            if "\\0" in text:
                return careful(record)
            member = prefix{n} + dumps(text)
            size += len(member)
            keyed = fresh{n}()
            keyed.update(member)
            mark += keyed.digest()
            texts += (member,)
"""
_END = """\
        if size > MAX or (ESCAPE in plain and NUL in plain):  # a search for one byte is ten times as quick
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
    marked: Marker,
    careful: Callable[[Record], Row | Reject],
) -> Callable[[Record], Row | Reject]:
    """Compile the function for a map whose identity is the record's `field`; names enter the code as literals."""
    names: dict[str, Any] = {
        "careful": careful,
        "crc32": crc32,
        "dumps": orjson.dumps,
        "new": tuple.__new__,
        "seal": seal.copy,
        "start": marked.start,
        "ESCAPE": ESCAPED_NUL[:1],
        "MAX": MAX_CHARACTERS,
        "NUL": ESCAPED_NUL,
        "Row": Row,
        "SCALARS": SCALARS,
    }
    members = [f"{row_key!r}: found"]
    for number, part in enumerate(plain):
        names[f"read{number}"] = part.read
        members.append(f"{part.row_key!r}: {_value(part, f'read{number}')}")
    folded = "found.lower()" if marked.folds else "found"
    identity = f"get({field!r})"
    code = _START.format(identity=identity, members=", ".join(members), folded=folded, mark_size=MARK_SIZE)
    for number, text in enumerate(texts):
        names |= {f"text{number}": text.read, f"prefix{number}": text.prefix, f"fresh{number}": text.keyed.copy}
        code += _TEXT.format(n=number, text=f"text{number}(fields)" if text.field is None else f"get({text.field!r})")
    exec(code + _END, names)  # noqa: S102  # nosec B102 - the only texts that come from outside are literals made by repr()
    made: Callable[[Record], Row | Reject] = names["row"]
    return made


def _value(part: PlainPart, read: str) -> str:
    if part.field is None:
        return f"{read}(fields)"
    if part.edits:
        edited = "".join(f".{method}()" for method in part.edits)
        return f"(value{edited} if (value := get({part.field!r})).__class__ is str else {read}(fields))"
    return f"(value if (value := get({part.field!r})).__class__ in SCALARS else {read}(fields))"
