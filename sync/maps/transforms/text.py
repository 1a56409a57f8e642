"""Transforms of text: strip, lower, upper, truncate, sha256."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256 as _sha256
from typing import Any

from sync.maps.transforms.failure import Change, TransformFailed
from sync.maps.values import to_text


def strip() -> Change:
    return _of_each_text(str.strip)


def lower() -> Change:
    return _of_each_text(str.lower)


def upper() -> Change:
    return _of_each_text(str.upper)


def truncate(length: int) -> Change:
    def change(value: Any) -> Any:
        return _text_of(value)[:length]

    return change


def sha256() -> Change:
    def change(value: Any) -> Any:
        return _sha256(_text_of(value).encode()).hexdigest()

    return change


def _of_each_text(edit: Callable[[str], str]) -> Change:
    """Edit a text, or each text of a list; numbers, booleans and dates stay as they are."""

    def change(value: Any) -> Any:
        if type(value) is str:
            return edit(value)
        if isinstance(value, (list, tuple)):
            return [change(item) for item in value]
        if isinstance(value, dict):
            raise TransformFailed(value, "text or a list of texts")
        return edit(str(value)) if isinstance(value, str) else value

    return change


def _text_of(value: Any) -> str:
    if isinstance(value, (dict, list, tuple, set)):
        raise TransformFailed(value, "text or a number")
    return to_text(value)
