"""Text marked for extraction, cut into its sentences: what the sandbox stores where the real service uses AI."""

from __future__ import annotations

import re

NOTICE = "The sandbox stores sentences; the real service extracts facts with AI."
LONGEST = 2_000

_END = re.compile(r"(?:(?<=[.!?…])|(?<=[.!?…][\"'”’)]))\s+(?=[^a-zà-ÿ])|(?<=[。！？])\s*")
_ABBREVIATION = re.compile(r"(?:^|\s|\()(?:[A-Z]|Dr|Mr|Mrs|Ms|Prof|St|No|Inc|Ltd|Co|vs|approx|ca|e\.g|i\.e|z\.B)\.$")
_BULLET = re.compile(r"^\s*(?:[-*•–]|\d{1,3}[.)])\s+")


def split_sentences(text: str) -> list[str]:
    """Cut a text into sentences of at most LONGEST characters, white space made plain, bullets taken off."""
    return [piece for line in text.splitlines() for sentence in _sentences(line) for piece in _pieces(sentence)]


def _sentences(line: str) -> list[str]:
    found: list[str] = []
    for part in _END.split(_BULLET.sub("", line)):
        if found and _ABBREVIATION.search(found[-1]):
            found[-1] += f" {part}"
        else:
            found.append(part)
    return found


def _pieces(sentence: str) -> list[str]:
    words = " ".join(sentence.split())
    return [words[at : at + LONGEST] for at in range(0, len(words), LONGEST)]
