"""Fields as rows of a table for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sync.discover.fates import Fate
from sync.discover.judgement import Judged

_LONGEST = {"label": 24, "type": 24, "why": 60}
_BECOMES = {"text": "free text", "plain": "plain", "out": "left out"}


def rows_of(judged: Sequence[Judged], identity: str | None, fates: Mapping[str, Fate]) -> list[tuple[Any, ...]]:
    """Texts first, then plain fields, then what a map would leave out; each in the source's order."""
    kinds = ("text", "plain", "out")
    ordered = sorted(judged, key=lambda one: (one.field.name != identity, kinds.index(fates[one.field.name].kind)))
    return [_row(one, identity, fates[one.field.name]) for one in ordered]


def _row(one: Judged, identity: str | None, fate: Fate) -> tuple[Any, ...]:
    field, profile, known_by = one.field, one.profile, one.field.name == identity
    doubt = "?" if one.verdict.doubtful and one.verdict.kind == fate.kind else ""
    return (
        field.name,
        cut(field.label, _LONGEST["label"]),
        cut(field.type, _LONGEST["type"]),
        f"{100 * profile.share:.0f} %" if profile.records else None,
        round(profile.average) if profile.filled else None,
        round(profile.words) if profile.filled else None,
        "identity" if known_by else _BECOMES[fate.kind] + doubt,
        cut("what its records are known by" if known_by else fate.why, _LONGEST["why"]),
    )


def cut(text: str, most: int) -> str:
    """A text for a column: what is too long ends in dots."""
    return text if len(text) <= most else text[: most - 3] + "..."
