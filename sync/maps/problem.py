"""A problem of a property map: where it is, what was found, what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_SHOWABLE = re.compile(r"[A-Za-z0-9_ .+*-]{1,30}")
_SECRET = re.compile(r"(?i)(sk|pat|ghp|xox|pk|rk)[-_]|eyj")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one file; `str()` is one line for a terminal."""

    file: str
    line: int
    """1-based; 0: the problem is about the file as a whole."""
    column: int
    path: str
    """Place in the document, such as `mapping.properties.notes.transform[0]`; may be empty."""
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return printable(": ".join(part for part in (place, self.path, self.message) if part))


class MapsInvalid(Exception):
    """Property maps that cannot be used; `problems` holds every one that was found, in order of file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column)))
        super().__init__("\n".join(map(str, self.problems)))


class MapUnfit(Exception):
    """A map that most records do not fit: correct it; nothing was rejected for it."""


def printable(text: str) -> str:
    """Replace what could break a line or steer a terminal."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """Return `; did you mean x?` for the nearest known name, or nothing."""
    nearest = _nearest(found, tuple(known))
    return f"; did you mean {' or '.join(nearest)}?" if nearest else ""


def shown(value: Any) -> str:
    """Describe a value of a map for a message; long or secret-looking texts are not shown."""
    if isinstance(value, str):
        if not value.strip():
            return "empty text"
        harmless = _SHOWABLE.fullmatch(value) and not _SECRET.match(value)
        return f'the text "{value}"' if harmless else f"text of {len(value)} characters"
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"the number {value}"


def _nearest(found: str, known: Sequence[str]) -> list[str]:
    from difflib import get_close_matches  # only a failing map pays for it

    plain = {_letters(name): name for name in known}
    if _letters(found) in plain:
        return [plain[_letters(found)]]
    return [plain[name] for name in get_close_matches(_letters(found), plain, n=2, cutoff=0.6)]


def _letters(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum()) or name
