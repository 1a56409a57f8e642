"""The five fields of a crontab line, as sets of numbers."""

from __future__ import annotations

from dataclasses import dataclass

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: n for n, name in enumerate(_MONTH_NAMES, 1)}
_DAYS = {name: n for n, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_SHORT_MONTHS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


@dataclass(frozen=True, slots=True)
class Cron:
    """When a stream is due."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday, 6 is Saturday."""
    any_day: bool
    """The day of month was `*`: only the weekday counts."""
    any_weekday: bool
    """The day of week was `*`: only the day of month counts. With neither, either one is enough, as in crontab."""


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    low: int
    high: int
    names: dict[str, int]


_KINDS = (
    _Kind("minute", 0, 59, {}),
    _Kind("hour", 0, 23, {}),
    _Kind("day of month", 1, 31, {}),
    _Kind("month", 1, 12, _MONTHS),
    _Kind("day of week", 0, 7, _DAYS),
)


def parse_cron(text: str) -> Cron:
    """Read a crontab line such as `0 2 * * mon-fri`; ValueError says which field is wrong."""
    fields = text.split()
    if len(fields) != len(_KINDS):
        raise ValueError(
            f"found {len(fields)} fields, expected 5 (minute, hour, day of month, month, day of week) as in 0 2 * * *"
        )
    minutes, hours, days, months, weekdays = (_numbers(*pair) for pair in zip(_KINDS, fields, strict=True))
    any_day, any_weekday = fields[2].startswith("*"), fields[4].startswith("*")
    if any_weekday and all(min(days) > _SHORT_MONTHS.get(month, 31) for month in months):
        raise ValueError("found a day that none of the months has; expected a date that occurs")
    return Cron(minutes, hours, days, months, frozenset(day % 7 for day in weekdays), any_day, any_weekday)


def _numbers(kind: _Kind, field: str) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        if slash and not (_is_number(step) and int(step) > 0):
            raise _wrong(kind)
        low, high = _span(kind, span, stepped=bool(slash))
        found.update(range(low, high + 1, int(step) if slash else 1))
    return frozenset(found)


def _span(kind: _Kind, span: str, *, stepped: bool) -> tuple[int, int]:
    if span == "*":
        return kind.low, kind.high
    first, dash, last = span.partition("-")
    low = _number(kind, first)
    high = _number(kind, last) if dash else kind.high if stepped else low
    if low > high:
        if kind.names is _DAYS and high == 0:
            return low, 7
        raise _wrong(kind)
    return low, high


def _number(kind: _Kind, text: str) -> int:
    number = kind.names.get(text.lower(), int(text) if _is_number(text) else -1)
    if not kind.low <= number <= kind.high:
        raise _wrong(kind)
    return number


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3


def _wrong(kind: _Kind) -> ValueError:
    names = f" or {'-'.join((next(iter(kind.names)), list(kind.names)[-1]))}" if kind.names else ""
    allowed = f"{kind.low}-{kind.high}{names}"
    return ValueError(f"the field {kind.name} cannot be read; expected {allowed}, a range, a list or a step")
