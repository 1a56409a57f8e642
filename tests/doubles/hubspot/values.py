"""What callers hand in, as it is stored: text or nothing, and milliseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from .stamps import iso, milliseconds

Moment = datetime | float | None
"""An aware moment, epoch milliseconds, or None for now."""


def stored(row: Mapping) -> dict[str, str | None]:
    """Values as the wire has them."""
    return {name: value if value is None or type(value) is str else _text(value) for name, value in row.items()}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return iso(milliseconds(value)) if isinstance(value, datetime) else str(value)


def moment(at: Moment, now: int) -> int:
    return now if at is None else milliseconds(at)


def stamps(at: object, count: int, now: int) -> list[int]:
    """One stamp per row of a moment for all, a sequence of them, or a function of the row's number."""
    if callable(at):
        return [moment(at(number), now) for number in range(count)]
    if isinstance(at, Sequence):
        return [moment(one, now) for one in at]
    return [moment(at, now)] * count
