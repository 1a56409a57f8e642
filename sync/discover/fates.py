"""Where each field of an object ends up in a proposed map: nothing disappears without a reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sync.discover.judgement import Judged
from sync.discover.line import Line
from sync.discover.proposal import Proposal

_OTHERS = "what they say is in other properties already"
_SHARE = re.compile(r"; \d+ % filled")
"""The share has a column of its own where fates are shown."""
_NAMED = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one field."""

    kind: Literal["text", "plain", "out"]
    why: str


def complete(made: Proposal, judged: Sequence[Judged]) -> Proposal:
    """The proposal, with every field that has no property listed as left out."""
    used = used_fields(made)
    left = {reason: tuple(one for one in names if one not in used) for reason, names in made.left_out.items()}
    listed = {one for names in left.values() for one in names}
    lost = tuple(one.field.name for one in judged if one.field.name not in used | listed)
    left = {reason: names for reason, names in left.items() if names}
    if lost:
        left[_OTHERS] = (*left.get(_OTHERS, ()), *lost)
    return replace(made, left_out=left)


def used_fields(made: Proposal) -> frozenset[str]:
    """The object's own fields that a map reads: for the identity and for properties."""
    own = {one.name for one in made.look.fields}
    return frozenset({made.identity.path, *(one for line in made.lines for one in fields_of(line))} & own)


def fields_of(line: Line) -> tuple[str, ...]:
    """The fields that a property is made of."""
    return (line.source,) if line.source is not None else tuple(_NAMED.findall(line.value or ""))


def fates(made: Proposal) -> dict[str, Fate]:
    """Every field of the object, by name."""
    found = {made.identity.path: Fate("plain", made.identity.reason)}
    for line in made.lines:
        for name in fields_of(line):
            alone = line.source is not None
            said = line.reason if alone and line.reason else f"part of {line.name}"
            said = _SHARE.sub("", said.removeprefix("plain: ").removeprefix("text: "))
            found[name] = Fate("text" if line.extract else "plain", said)
    for reason, names in made.left_out.items():
        found |= dict.fromkeys(names, Fate("out", reason))
    return {one.name: found[one.name] for one in made.look.fields if one.name in found}


def fates_without_a_map(judged: Sequence[Judged]) -> dict[str, Fate]:
    """What each field would be, where nothing tells the records apart and no map can be made yet."""
    return {one.field.name: Fate(one.verdict.kind, one.verdict.reason) for one in judged}
