"""Composed values: `"{first_name} {last_name}"`, with `{{` and `}}` for literal braces."""

from __future__ import annotations

import re
from typing import NamedTuple

from sync.maps.paths import Reader, parse_path, reader
from sync.maps.values import to_text

_PIECE = re.compile(r"(?P<literal>(?:[^{}]|\{\{|\}\})+)|\{(?P<path>[^{}]*)\}|(?P<bad>[{}])", re.DOTALL)
_BLANKS = re.compile(r"[ \t]{2,}")


class Piece(NamedTuple):
    """A stretch of a template: literal text, or the path of a field."""

    text: str
    is_path: bool


def parse_template(template: str) -> tuple[Piece, ...]:
    """Cut a template into pieces; ValueError says at which character it is wrong."""
    pieces = []
    for match in _PIECE.finditer(template):
        if match["bad"]:
            raise ValueError(f"found a lone {match['bad']} at character {match.start() + 1}; "
                             "expected {field}, or {{ and }} for the braces themselves")  # fmt: skip
        if match["literal"] is not None:
            pieces.append(Piece(match["literal"].replace("{{", "{").replace("}}", "}"), is_path=False))
        else:
            pieces.append(Piece(_path(match), is_path=True))
    if not pieces:
        raise ValueError("found an empty template; expected text such as {first_name} {last_name}")
    return tuple(pieces)


def template_paths(template: str) -> tuple[str, ...]:
    """The fields that a template reads."""
    return tuple(piece.text for piece in parse_template(template) if piece.is_path)


def template_reader(template: str) -> Reader:
    """Return what composes the value; None when every field in it is empty."""
    pieces = [(reader(text) if is_path else None, text) for text, is_path in parse_template(template)]
    constant = not any(read for read, _ in pieces)

    def compose(fields: object) -> str | None:
        found = constant
        parts = []
        for read, text in pieces:
            part = to_text(read(fields)).strip() if read else text  # type: ignore[arg-type]
            found = found or bool(read and part)
            parts.append(part)
        return _BLANKS.sub(" ", "".join(parts)).strip() if found else None

    return compose


def _path(match: re.Match[str]) -> str:
    path = match["path"].strip()
    try:
        parse_path(path)
    except ValueError as error:
        raise ValueError(f"found {{{path}}} at character {match.start() + 1}; {error}") from None
    return path
