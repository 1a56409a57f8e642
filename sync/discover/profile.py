"""What a sample says of a field: numbers only, never a value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_HTML = re.compile(
    r"</?(?:p|br|div|span|a|b|i|u|ul|ol|li|strong|em|html|body|table|tr|td|h[1-6])(?:\s[^<>]*)?/?>", re.I
)
_TAG = re.compile(r"<[^<>]*>")
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[A-Za-z]{2,}")
_WEBSITE = re.compile(r"(?:https?://)?(?:[\w-]+\.)+[A-Za-z]{2,}(?:[:/]\S*)?", re.I)
FEW_VALUES = 30
"""Different values up to which they are names of kinds, not texts."""
SAME_BEGINNING = 60
"""Letters that are compared to see whether two fields repeat each other."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One field in the sample; shares are of the records in which it is filled, 0 to 1."""

    records: int = 0
    filled: int = 0
    average: float = 0.0
    """Characters."""
    longest: int = 0
    words: float = 0.0
    """On average."""
    distinct: float = 0.0
    breaks: float = 0.0
    """Values with several lines."""
    html: float = 0.0
    emails: float = 0.0
    websites: float = 0.0
    blanks: float = 0.0
    """Values with blanks around them."""
    mixed: bool = False
    """Whether a few values are repeated in other letters: `DE` and `de`."""

    @property
    def share(self) -> float:
        """The share of the records in which the field is filled."""
        return self.filled / self.records if self.records else 0.0


def profile_of(name: str, records: Sequence[Mapping[str, Any]]) -> Profile:
    """Look at one field of the sampled records."""
    records = [record for record in records if name in record]  # not every field was asked for
    texts = [text for record in records if (text := text_of(record[name]))]
    if not texts:
        return Profile(len(records))
    number = len(texts)
    different, folded = len(set(texts)), len({text.casefold() for text in texts})

    def share(pattern: re.Pattern[str], *, whole: bool) -> float:
        match = pattern.fullmatch if whole else pattern.search
        return sum(1 for text in texts if match(text)) / number

    return Profile(
        records=len(records),
        filled=number,
        average=sum(map(len, texts)) / number,
        longest=max(map(len, texts)),
        words=sum(len(text.split()) for text in texts) / number,
        distinct=different / number,
        breaks=sum(1 for text in texts if "\n" in text) / number,
        html=share(_HTML, whole=False),
        emails=share(_EMAIL, whole=True),
        websites=share(_WEBSITE, whole=True),
        blanks=sum(1 for record in records if _has_blanks(record[name])) / number,
        mixed=folded < different <= FEW_VALUES,
    )


def _has_blanks(value: Any) -> bool:
    return isinstance(value, str) and value != value.strip() != ""


def text_of(value: Any) -> str:
    """A value as text without blanks around it; empty where there is none."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, default=str) if value else ""
    return str(value)


def repeats(one: str, other: str, records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether two fields hold the same words in nearly all of at least three records where both are filled."""
    pairs = [
        (_letters(first), _letters(second))
        for record in records
        if (first := text_of(record.get(one))) and (second := text_of(record.get(other)))
    ]
    return len(pairs) >= 3 and sum(1 for pair in pairs if _begin_alike(*pair)) >= 0.8 * len(pairs)


def _begin_alike(one: str, other: str) -> bool:
    """Whether the shorter text is, as far as it is compared, the beginning of the longer one."""
    both = min(SAME_BEGINNING, len(one), len(other))
    return one == other or (both >= SAME_BEGINNING // 3 and one[:both] == other[:both])


def _letters(text: str) -> str:
    return "".join(sign for sign in _TAG.sub("", text).casefold() if sign.isalnum())
