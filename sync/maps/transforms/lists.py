"""Transforms between text, lists and other values: split, join, json, map, default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from sync.maps.paths import parse_path, reader
from sync.maps.transforms.failure import Change, TransformFailed
from sync.maps.values import to_text


def split(separator: str = ",") -> Change:
    def change(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return value
        if not isinstance(value, str):
            raise TransformFailed(value, "text to split")
        return value.split(separator) if value else []

    return change


def join(separator: str = ", ") -> Change:
    def change(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return separator.join(to_text(item) for item in value if item is not None)
        if isinstance(value, (Mapping, set)):
            raise TransformFailed(value, "a list to join")
        return value

    return change


def json(path: str | None = None) -> Change:
    pick = reader(path) if path is not None else None

    def change(value: Any) -> Any:
        if isinstance(value, (str, bytes)):
            try:
                value = orjson.loads(value)
            except ValueError:
                raise TransformFailed(value, "JSON text") from None
        if pick is None:
            return value
        return pick(value if isinstance(value, Mapping) else {str(n): item for n, item in enumerate(_items(value))})

    return change


def map_values(table: Mapping[str, Any]) -> Change:
    otherwise = table.get("*", _KEEP)

    def change(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [change(item) for item in value]
        if isinstance(value, Mapping):
            raise TransformFailed(value, "text, a number or a boolean")
        found = table.get(to_text(value), otherwise)
        return value if found is _KEEP else found

    return change


def default(replacement: Any) -> Change:
    def change(value: Any) -> Any:
        empty = value is None or value in ("", [], ()) or (isinstance(value, str) and not value.strip())
        return replacement if empty else value

    return change


def check_path(path: str) -> None:
    """Raise ValueError for a path that `json` cannot follow."""
    parse_path(path)


_KEEP = object()


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
