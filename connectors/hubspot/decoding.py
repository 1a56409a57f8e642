"""From the bytes of an answer to JSON: strictly where that works, so that one odd value never hides all others."""

from __future__ import annotations

import json
from typing import Any

import orjson

NOTHING = object()
"""What no JSON can be decoded to."""


def decoded(body: bytes) -> Any:
    """The JSON of a body, NOTHING where it is none.

    What is no text becomes U+FFFD, and what is no number null: half characters, broken UTF-8, NaN.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        text = body.decode("utf-8-sig", errors="replace")
        return _mended(json.loads(text, parse_constant=lambda _: None, strict=False))
    except (ValueError, RecursionError):
        return NOTHING


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(one) for one in value]
    if isinstance(value, dict):
        return {_mended(name): _mended(one) for name, one in value.items()}
    return value
