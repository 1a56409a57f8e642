"""Fields as rows of a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sync.discover.judgement import Judged

_LONGEST = {"label": 24, "type": 24, "why": 60}
_BECOMES = {"text": "free text", "plain": "plain", "out": "left out"}


def rows_of(judged: Sequence[Judged], identity: str | None) -> list[tuple[Any, ...]]:
    """Texts first, then plain fields, then what a map would leave out; each in the source's order."""
    ordered = sorted(
        judged, key=lambda one: (one.field.name != identity, ("text", "plain", "out").index(one.verdict.kind))
    )
    return [_row(one, identity) for one in ordered]


def _row(one: Judged, identity: str | None) -> tuple[Any, ...]:
    field, profile = one.field, one.profile
    sampled = bool(profile.records)
    becomes = (
        "identity" if field.name == identity else _BECOMES[one.verdict.kind] + ("?" if one.verdict.doubtful else "")
    )
    return (
        field.name,
        cut(field.label, _LONGEST["label"]),
        cut(field.type, _LONGEST["type"]),
        f"{100 * profile.share:.0f} %" if sampled else None,
        round(profile.average) if profile.filled else None,
        round(profile.words) if profile.filled else None,
        becomes,
        cut("what its records are known by" if field.name == identity else one.verdict.reason, _LONGEST["why"]),
    )


def cut(text: str, most: int) -> str:
    """A text for a column: what is too long ends in dots."""
    return text if len(text) <= most else text[: most - 3] + "..."
