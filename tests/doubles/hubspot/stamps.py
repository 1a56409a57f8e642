"""Points in time: milliseconds since 1970 inside, ISO 8601 with milliseconds on the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(at: datetime | float) -> int:
    """Milliseconds of an aware moment, or the number of milliseconds itself."""
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return (at - _EPOCH) // _MILLISECOND
    return int(at)


def iso(ms: int) -> str:
    """ "2024-01-02T03:04:05.678Z"; a whole second comes without its zeros, as the real service sends it."""
    moment = _EPOCH + timedelta(milliseconds=ms)
    if ms % 1000 == 0:
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def parse(text: str | None) -> int | None:
    """Milliseconds of a stored or sent value: epoch milliseconds in text, or ISO 8601; None when it is neither."""
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
