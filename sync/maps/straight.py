"""The ordinary record as straight code: one function without a loop, written for its map and compiled once.

Whatever is not ordinary (no identity, another type than expected, a NUL, too long, any error) is left to the careful
way of `sync.maps.compile`, which gives the same row where both can. Measured: about two thirds of its time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple
from zlib import crc32

import orjson

from connectors.base import Record, Values, records_of
from connectors.written import compiled
from sync.maps.encoding import ESCAPED_NUL, MAX_CHARACTERS
from sync.maps.marks import Marker
from sync.maps.row import MARK_SIZE, Reject, Row
from sync.maps.values import SCALARS

MakeRow = Callable[[Record], Row | Reject]


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


_OF_RECORDS = """\
def row(given):
    try:
        key, fields, _ = given
        get = fields.get
        {variables}
"""
_OF_VALUES = """\
def row(given):
    try:
        {variables}, key, _ = given
"""
_NAMED = """\
        fields = named(given)[1]
"""
_START = """\
        found = {identity}
        if found.__class__ is not str:
            return careful(given)
        found = found.strip()
        if not found:
            return careful(given)
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
                return careful(given)
        elif text and not text.isspace():
            if "\\0" in text:
                return careful(given)
            member = prefix{n} + dumps(text)
            size += len(member)
            keyed = fresh{n}()
            keyed.update(member)
            mark += keyed.digest()
            texts += (member,)
"""
_END = """\
        if size > MAX or (ESCAPE in plain and NUL in plain):  # a search for one byte is ten times as quick
            return careful(given)
        body = b"%b,%b}" % (plain[:-1], b",".join(texts)) if texts else plain
        return new(Row, (key, found, body, texts, mark))
    except Exception:
        return careful(given)
"""


@dataclass(frozen=True, slots=True)
class Straight:
    """What the function for a map is written from; the identity is the record's `field`."""

    row_key: str
    field: str
    plain: Sequence[PlainPart]
    texts: Sequence[TextPart]
    seal: blake2b
    marked: Marker

    def of_records(self, careful: MakeRow) -> MakeRow:
        """The function for records."""
        fields = [self.field, *(field for field in self._fields() if field is not None)]
        places = {field: f"value{number}" for number, field in enumerate(dict.fromkeys(fields))}
        variables = "; ".join(f"{name} = get({field!r})" for field, name in places.items())
        made: MakeRow = self._compiled(_OF_RECORDS.format(variables=variables), places, {"careful": careful})
        return made

    def of_values(self, names: Sequence[str], careful: MakeRow) -> Callable[[Values], Row | Reject]:
        """The function for values that come without these names of theirs."""
        named = records_of(names)
        places = {field: f"value{number}" for number, field in enumerate(names)}
        begin = _OF_VALUES.format(variables=", ".join(places.values())) + (_NAMED if None in self._fields() else "")
        known = {"careful": lambda values: careful(named(values)), "named": named}
        made: Callable[[Values], Row | Reject] = self._compiled(begin, places, known)
        return made

    def _fields(self) -> list[str | None]:
        return [part.field for part in self.plain] + [part.field for part in self.texts]

    def _compiled(self, begin: str, places: Mapping[str, str], known: Mapping[str, Any]) -> Any:
        """Field names enter the code as literals made by repr(), and nothing else from outside does."""
        values = [f"{part.row_key!r}: {_value(n, part, places)}" for n, part in enumerate(self.plain)]
        code = begin + _START.format(
            identity=places.get(self.field, "None"),
            members=", ".join([f"{self.row_key!r}: found", *values]),
            folded="found.lower()" if self.marked.folds else "found",
            mark_size=MARK_SIZE,
        )
        for n, text in enumerate(self.texts):
            found = f"text{n}(fields)" if text.field is None else places.get(text.field, "None")
            code += _TEXT.format(n=n, text=found)
        return compiled(code + _END, "row", {**_NAMES, **self._names(), **known})

    def _names(self) -> dict[str, Any]:
        """What the code of this map refers to."""
        names: dict[str, Any] = {"seal": self.seal.copy, "start": self.marked.start}
        names |= {f"read{n}": part.read for n, part in enumerate(self.plain)}
        for n, text in enumerate(self.texts):
            names |= {f"text{n}": text.read, f"prefix{n}": text.prefix, f"fresh{n}": text.keyed.copy}
        return names


_NAMES: Mapping[str, Any] = {
    "crc32": crc32,
    "dumps": orjson.dumps,
    "new": tuple.__new__,
    "ESCAPE": ESCAPED_NUL[:1],
    "MAX": MAX_CHARACTERS,
    "NUL": ESCAPED_NUL,
    "Row": Row,
    "SCALARS": SCALARS,
}
"""What the code of every map refers to."""


def _value(number: int, part: PlainPart, places: Mapping[str, str]) -> str:
    read = f"read{number}"
    if part.field is None:
        return f"{read}(fields)"
    value = places.get(part.field, "None")
    careful = f"{read}({{{part.field!r}: {value}}})"
    if part.edits:
        edited = "".join(f".{method}()" for method in part.edits)
        return f"({value}{edited} if {value}.__class__ is str else {careful})"
    return f"({value} if {value}.__class__ in SCALARS else {careful})"
