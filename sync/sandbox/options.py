"""What a sandbox is told at its start, and the limits of the plans that it can play."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Dialect = Literal["v1", "v1.1"]
PlanName = Literal["pro", "enterprise"]

MEGABYTE = 1024 * 1024
OPEN_MINUTE = 1_000_000
"""Calls a minute that `/me` names when no limit was asked for: a client needs a number, and it is kept."""
OPEN_MONTH = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """The documented limits of one plan."""

    name: PlanName
    rows_per_call: int
    body_bytes: int
    concurrent: int


PLANS: dict[str, Plan] = {
    "pro": Plan("pro", rows_per_call=500, body_bytes=10 * MEGABYTE, concurrent=5),
    "enterprise": Plan("enterprise", rows_per_call=5_000, body_bytes=50 * MEGABYTE, concurrent=20),
}


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """How a sandbox behaves; the defaults suit a test: nothing on disk, any free port, no waiting."""

    database: Path | None = None
    """The SQLite file; None keeps everything in memory."""
    host: str = "127.0.0.1"
    port: int = 0
    """0 takes any free port."""
    per_minute: int | None = None
    per_month: int | None = None
    delay: float = 0.0
    """Seconds until an accepted batch is completed and its rows can be read."""
    latency: float = 0.0
    """Seconds that every call takes at least."""
    plan: PlanName = "pro"
    sink: bool = False
    """Count calls, rows and bytes and store nothing, as fast as possible."""
    collections: tuple[str, ...] = ()
    """Names of collections beside the seeded ones."""
    dialects: frozenset[Dialect] = frozenset({"v1", "v1.1"})

    def __post_init__(self) -> None:
        for name, low in (("per_minute", 1), ("per_month", 1), ("delay", 0), ("latency", 0), ("port", 0)):
            value = getattr(self, name)
            if value is not None and value < low:
                raise ValueError(f"{name} is {value}: expected {low} or more")
        if self.plan not in PLANS:
            raise ValueError(f"plan is {self.plan!r}: expected one of {', '.join(PLANS)}")
        if not self.dialects or not self.dialects <= {"v1", "v1.1"}:
            raise ValueError("dialects: expected v1, v1.1 or both")

    @property
    def limits(self) -> Plan:
        """The plan whose limits hold."""
        return PLANS[self.plan]

    @property
    def minute_limit(self) -> int:
        """Calls a minute that are let through."""
        return self.per_minute or OPEN_MINUTE

    @property
    def month_limit(self) -> int:
        """Calls a calendar month (UTC) that are let through."""
        return self.per_month or OPEN_MONTH
