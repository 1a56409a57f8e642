"""SOQL text to tokens, and where in the text a complaint points."""

import re
from typing import NamedTuple

from .answers import Refusal

_PATTERN = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>'(?:[^'\\]|\\.)*')
    |(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    |(?P<date>\d{4}-\d\d-\d\d(?![\dT]))
    |(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w]))
    |(?P<word>[A-Za-z_][\w]*(?:\.[A-Za-z_][\w]*)*)
    |(?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,|:)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "%": "%", "_": "_"}
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)


class Token(NamedTuple):
    """One token, with the place of its first character."""

    kind: str
    """text, moment, date, number, word, sign or end."""
    text: str
    place: int


def tokens_of(statement: str) -> list[Token]:
    """All tokens and a last one that marks the end; MALFORMED_QUERY where a character fits nowhere."""
    found, place = [], 0
    while place < len(statement):
        match = _PATTERN.match(statement, place)
        if match is None:
            raise malformed(statement, place, _stray(statement, place))
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match[0], place))
        place = match.end()
    return [*found, Token("end", "<EOF>", place)]


def _stray(statement: str, place: int) -> str:
    if statement[place] == "'":
        return "line breaks not allowed in string literals" if "\n" in statement[place:] else "unclosed string literal"
    return f"unexpected token: '{statement[place]}'"


def unescaped(statement: str, token: Token, *, pattern: bool = False) -> str:
    """The value of a text literal; in a LIKE pattern `\\%` and `\\_` stay as they are."""

    def letter(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] == "u" and len(code) == 5:
            return chr(int(code[1:], 16))
        if pattern and code in "%_\\":
            return match[0]
        if code not in _ESCAPES:
            raise malformed(statement, token.place, f"invalid string literal: illegal escape sequence \\{code}")
        return _ESCAPES[code]

    return _ESCAPE.sub(letter, token.text[1:-1])


def complaint(statement: str, place: int, message: str) -> str:
    """A message in the recorded form: the text around the place, a caret, row and column."""
    row = statement.count("\n", 0, place) + 1
    line_start = statement.rfind("\n", 0, place) + 1
    column = place - line_start + 1
    start = max(line_start, place - 40)
    around = statement[start : place + 30].split("\n")[0]
    return f"\n{around}\n{' ' * (place - start)}^\nERROR at Row:{row}:Column:{column}\n{message}"


def malformed(statement: str, place: int, message: str) -> Refusal:
    return Refusal(400, "MALFORMED_QUERY", complaint(statement, place, message))
