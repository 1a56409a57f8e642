"""How values leave the server: which expression selects a column, and what Python makes of the text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import orjson
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.sql import SQL, Composable, Literal
from psycopg.types.json import set_json_loads
from psycopg.types.numeric import FloatLoader
from psycopg.types.string import TextLoader

from connectors.numbers import FLOAT_DIGITS, fraction
from connectors.postgres.catalog import Column

# Left out unless a map names them: bulky, and no text.
BULKY = {"bytea", "tsvector", "tsquery"}
_AS_TEXT = ("date", "time", "timetz", "interval", "uuid", "inet", "cidr")


class InstantLoader(Loader):
    """`2026-11-22 08:57:39.85+00` as strict ISO; infinity, BC and years beyond 9999 stay as printed."""

    def load(self, data: Buffer) -> str:
        text = str(data, "ascii")
        return f"{text[:10]}T{text[11:]}:00" if text[-3:] == "+00" and text[10] == " " else text


class LocalTimeLoader(Loader):
    """A timestamp without time zone: its ISO form with the offset of UTC, in which sessions run."""

    def load(self, data: Buffer) -> str:
        text = str(data, "ascii")
        return f"{text[:10]}T{text[11:]}+00:00" if text[10:11] == " " and text[-1] != "C" else text


_AS_ZEROS = bytes.maketrans(b"123456789.", b"0000000000")
_MANY_DIGITS = b"0" * (FLOAT_DIGITS + 1)
"""What a number of which a float, and orjson, would lose digits looks like then; a pattern takes five times as long."""
_TINY = re.compile(rb"[0-9][eE]-[0-9]{3}")
"""An exponent with which a float may become zero."""
_LONGEST_INT = 4000
"""Digits; Python refuses to read more than 4,300 as a number."""


class NumberLoader(Loader):
    """numeric as int where it has no fraction, as float where 15 digits hold it, else as the text itself."""

    def load(self, data: Buffer) -> int | float | str:
        text = str(data, "ascii")
        if "." not in text:
            if not text.lstrip("-").isdigit():
                return float(text)
            return int(text) if len(text) < _LONGEST_INT else text
        return fraction(text)


def register_loaders(adapters: AdaptersMap) -> None:
    """Make every value of a page loadable: no value a server can hold makes a page fail."""
    for name in _AS_TEXT:
        adapters.register_loader(name, TextLoader)
    adapters.register_loader("timestamptz", InstantLoader)
    adapters.register_loader("timestamp", LocalTimeLoader)
    adapters.register_loader("numeric", NumberLoader)


def use_faster_loaders(context: AdaptContext, columns: Iterable[Column]) -> None:
    """Load numeric in C where every such column has a fraction and 15 digits at most; JSON with orjson."""
    set_json_loads(_load_json, context)
    numerics = [column for column in columns if column.base in ("numeric", "_numeric")]
    if all(0 < column.precision <= FLOAT_DIGITS and column.scale > 0 for column in numerics):
        context.adapters.register_loader("numeric", FloatLoader)


def _load_json(text: str | bytes) -> Any:
    data = text.encode() if isinstance(text, str) else bytes(text)
    tiny = (b"e-" in data or b"E-" in data) and _TINY.search(data)
    if not tiny and _MANY_DIGITS not in data.translate(_AS_ZEROS):
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass
    try:
        return json.loads(data, parse_float=fraction)
    except (ValueError, RecursionError):
        return data.decode()


def expression_of(column: Column, ref: Composable, zone: str) -> Composable:
    """The expression that selects a column so that it arrives as plain text, number, list or object."""
    if column.base == "timestamp" and zone != "UTC":
        return SQL("{} AT TIME ZONE {}").format(ref, Literal(zone))
    if column.base == "bytea":
        return SQL(r"translate(encode({}, 'base64'), E'\n', '')").format(ref)
    if column.shape == "c" or column.base == "hstore" or column.element in {"c", "r", "m"}:
        return SQL("to_jsonb({})").format(ref)
    if column.base == "_timestamp" and zone != "UTC":
        return SQL("to_jsonb({})").format(ref)
    if column.element == "e":
        return SQL("{}::text[]").format(ref)
    if column.shape in {"r", "m"} or column.base == "bpchar":
        return SQL("{}::text").format(ref)
    return ref
