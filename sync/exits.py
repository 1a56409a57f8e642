"""Exit codes: what an error means for whoever started memsync."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.base import ConnectorError, SourceMisconfigured
from connectors.variables import VariablesInvalid
from state.errors import LeaseHeld, LeaseLost, StateUrlInvalid, StoreUnusable
from sync.guards import BudgetSpent
from sync.maps.problem import MapsInvalid, MapUnfit
from sync.memory.errors import DestinationError, DestinationMisconfigured, QuotaExhausted
from sync.stop import Stopped

OK, UNEXPECTED, MISCONFIGURED, REJECTS, SOURCE, DESTINATION, QUOTA, HELD, STORE = range(9)
INTERRUPTED, TERMINATED = 130, 143

MEANINGS = {
    OK: "all delivered",
    UNEXPECTED: "unexpected failure",
    MISCONFIGURED: "configuration or usage",
    REJECTS: "finished, but rows were rejected",
    SOURCE: "a source refused or could not be reached",
    DESTINATION: "the destination refused or could not be reached",
    QUOTA: "monthly quota, credits or budget used up: stopped cleanly, resumes next time",
    HELD: "another run holds the stream",
    STORE: "the state store is unusable",
    INTERRUPTED: "stopped by SIGINT, cleanly, resumes",
    TERMINATED: "stopped by SIGTERM, cleanly, resumes",
}
_MOST_SERIOUS_FIRST = (
    INTERRUPTED, TERMINATED, UNEXPECTED, STORE, MISCONFIGURED, DESTINATION, SOURCE, QUOTA, HELD, REJECTS,
)  # fmt: skip

_BY_ERROR: tuple[tuple[type[BaseException], int], ...] = (
    (MapsInvalid, MISCONFIGURED),
    (MapUnfit, MISCONFIGURED),
    (VariablesInvalid, MISCONFIGURED),
    (SourceMisconfigured, MISCONFIGURED),
    (DestinationMisconfigured, MISCONFIGURED),
    (QuotaExhausted, QUOTA),
    (BudgetSpent, QUOTA),
    (ConnectorError, SOURCE),
    (DestinationError, DESTINATION),
    (LeaseHeld, HELD),
    (LeaseLost, HELD),
    (StateUrlInvalid, MISCONFIGURED),
    (StoreUnusable, STORE),
    (KeyboardInterrupt, INTERRUPTED),
)

KNOWN_ERRORS: tuple[type[BaseException], ...] = (*(error for error, _ in _BY_ERROR), Stopped)
"""Errors whose message is for people; anything else is a fault of memsync."""


def exit_of(error: BaseException, signal: int | None = None) -> int:
    """The exit code for an error; for Stopped it depends on the signal."""
    if isinstance(error, Stopped):
        return TERMINATED if signal == 15 else INTERRUPTED
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), UNEXPECTED)


def most_serious(codes: Iterable[int]) -> int:
    """The code of a command that did several things."""
    found = set(codes)
    return next((code for code in _MOST_SERIOUS_FIRST if code in found), OK)
