"""What cannot be sent in a row, found when the row is encoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from sync.maps.values import Scalar, json_safe, to_text

MAX_CHARACTERS = 100_000
"""Of all values of a row together."""

ESCAPED_NUL = b"\\u0000"


_HALF = "half a character (a lone surrogate)"


class InvalidText(Exception):
    """A text that no JSON reader and no database takes; `args[0]` is the row key, `args[1]` what is wrong."""


class TooLarge(Exception):
    """More characters than a row may have; `args[0]` is the longest row key, `args[1]` the characters of the row."""


def encode_odd(values: Mapping[str, Scalar]) -> bytes:
    """Encode values that the encoder refused: whole numbers beyond 64 bit become text; raises InvalidText."""
    safe = {name: json_safe(value) for name, value in values.items()}
    for name, value in safe.items():
        _refuse_surrogates(name, value)
    return orjson.dumps(safe)


def encode_text(name: str, text: str) -> bytes:
    """Encode a text; raises InvalidText."""
    try:
        return orjson.dumps(text)
    except TypeError:
        raise InvalidText(name, _HALF) from None


def _refuse_surrogates(name: str, value: Scalar) -> None:
    """Raise InvalidText for half a character, as a cut UTF-16 text leaves it."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidText(name, _HALF) from None


def inspect(plain: bytes, texts: Sequence[bytes]) -> None:
    """Look closely at an encoded row that is long or seems to hold a NUL; raises InvalidText or TooLarge."""
    values: dict[str, Scalar] = orjson.loads(plain)
    for text in texts:
        values.update(orjson.loads(b"{" + text + b"}"))
    lengths = {name: len(to_text(value)) for name, value in values.items()}
    for name, value in values.items():
        if isinstance(value, str) and "\0" in value:
            raise InvalidText(name, "a NUL character")
    if sum(lengths.values()) > MAX_CHARACTERS:
        raise TooLarge(max(lengths, key=lambda name: lengths[name]), sum(lengths.values()))
