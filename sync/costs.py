"""What sending costs, as far as anybody can say beforehand: credits a row by tier, and time under the plan's limits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from sync.memory.pace import Pacer

RATES = "basic=1, pro=1-2, pro_fast=1-2, ultra=1-5"
"""Credits a row: price tables of 2026 say one for every tier, older texts up to five."""
TIERS = ("basic", "pro", "pro_fast", "ultra")
_RATE = re.compile(r"(\w+)=(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?")
SETTLING = 2.0
"""Seconds after which an accepted chunk's event is first asked for, one at a time."""


class Rate(NamedTuple):
    """Credits that a row costs, from and to."""

    low: float
    high: float


def parse_rates(text: str) -> dict[str, Rate]:
    """Read `basic=1, pro=1-2`; tiers that are not named keep the default. ValueError says what is allowed."""
    rates: dict[str, Rate] = {}
    for part in filter(None, re.split(r"[\s,]+", text)):
        found = _RATE.fullmatch(part)
        rate = Rate(float(found[2]), float(found[3] or found[2])) if found else Rate(0, -1)
        if found is None or found[1] not in TIERS or not 0 < rate.low <= rate.high:
            raise ValueError(f"expected tiers with credits a row, such as {RATES}")
        rates[found[1]] = rate
    return rates if text == RATES else {**parse_rates(RATES), **rates}


@dataclass(slots=True)
class Work:
    """What a run has to send, counted."""

    calls: int = 0
    rows: int = 0
    rows_with_text: int = 0
    characters: int = 0
    """Of the texts to extract."""
    bytes: int = 0
    rekeyed: int = 0
    """Records that are looked for and given a new key."""
    seconds_a_call: float = 0.0
    """How long the server took for one of them."""


def estimate(work: Work, rate: Rate, pacer: Pacer, in_flight: int, left: int | None) -> dict[str, Any]:
    """What sending takes: calls, credits from and to, and time at the plan's pace, every chunk asked for once.

    `left`: the calls that the plan's month has left, as far as this is known.
    """
    to_rekey = 2 * work.rekeyed
    calls = 2 * work.calls + to_rekey
    sending = max(pacer.seconds(work.calls + to_rekey, work.rows), work.seconds_a_call * work.calls / in_flight)
    everything = max(pacer.seconds(calls, work.rows), sending + work.seconds_a_call * work.calls)
    seconds = max(everything, sending + SETTLING) if work.calls else 0.0
    return {
        "calls": work.calls,
        "calls_to_follow": work.calls,
        "calls_to_rekey": to_rekey,
        "credits": _whole(work.rows_with_text * rate.low),
        "credits_most": _whole(work.rows * rate.high),
        "rows_to_extract": work.rows_with_text,
        "characters_to_extract": work.characters,
        "bytes": work.bytes,
        "seconds": round(seconds, 1),
        "minutes": round(seconds / 60, 1),
        "calls_left_this_month": left,
        "fits_this_month": None if left is None else calls <= left,
    }


def _whole(number: float) -> int:
    return int(-(-number // 1))
