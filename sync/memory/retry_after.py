"""How long a server asks us to wait, whatever form it says it in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

LONGEST = 900.0
"""Seconds; a longer wait is not slept through but ends the run."""
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)


def wait_asked_for(body: Any, headers: Mapping[str, str]) -> float | None:
    """Seconds from `retryAfterSeconds`, else from the Retry-After header; None for anything unusable or not positive.

    A date is measured against the answer's own Date header, so that our clock does not matter (RFC 9110, 10.2.3).
    """
    stated = body.get("retryAfterSeconds") if isinstance(body, dict) else None
    for found in (_number(stated), _header(headers)):
        if found is not None and found > 0:
            return found
    return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if 0 < value < 1e9 else None
    if isinstance(value, str) and _SECONDS.fullmatch(value.strip()):
        return float(value.strip())
    return None


def _header(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    seconds = _number(text)
    if seconds is not None:
        return seconds
    until, now = _date(text), _date(headers.get("date", "")) or datetime.now(UTC)
    return None if until is None else (until - now).total_seconds()


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
