"""Numbers as people say them."""

from __future__ import annotations


def span(seconds: float) -> str:
    """A span of time in its two largest units."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{max(0, int(seconds))} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def count(number: int, thing: str) -> str:
    """So many things: `1 row`, `2,000 rows`."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
