"""The plan's limits, as `me()` tells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CAUTIOUS = 60
"""Calls per minute that are assumed when the server names no limit."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the organisation may do."""

    organization: str
    name: str
    per_minute: int
    per_month: int | None
    """None: the server names none."""
    assumed: bool
    """Whether `per_minute` is our guess."""

    @property
    def is_enterprise(self) -> bool:
        """Whether the larger limits of the enterprise plan apply."""
        return "enterprise" in self.name.lower()


def plan_of(data: Mapping[str, Any]) -> Plan:
    """Read the answer of `me()`, tolerant of what is missing."""
    organization, plan = _object(data, "organization"), _object(data, "plan")
    limits = _object(plan, "limits")
    per_minute = _positive(limits.get("maxApiCallsPerMinute"))
    return Plan(
        organization=str(organization.get("id") or ""),
        name=str(plan.get("name") or plan.get("id") or "unknown"),
        per_minute=per_minute or CAUTIOUS,
        per_month=_positive(limits.get("maxApiCallsPerMonth")),
        assumed=per_minute is None,
    )


def _object(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def _positive(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 16:
        value = int(value)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 1 else None
