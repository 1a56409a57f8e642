"""What an error means for whoever started memsync: its exit code."""

from __future__ import annotations

from connectors.base import ConnectorError, SourceMisconfigured
from connectors.variables import VariablesInvalid
from state.errors import LeaseHeld, LeaseLost, StateUrlInvalid, StoreUnusable
from sync.codes import DESTINATION as DESTINATION
from sync.codes import HELD as HELD
from sync.codes import INTERRUPTED as INTERRUPTED
from sync.codes import MEANINGS as MEANINGS
from sync.codes import MISCONFIGURED as MISCONFIGURED
from sync.codes import OK as OK
from sync.codes import QUOTA as QUOTA
from sync.codes import REJECTS as REJECTS
from sync.codes import SOURCE as SOURCE
from sync.codes import STORE as STORE
from sync.codes import TERMINATED as TERMINATED
from sync.codes import UNEXPECTED as UNEXPECTED
from sync.codes import most_serious as most_serious
from sync.guards import BudgetSpent
from sync.maps.problem import MapsInvalid, MapUnfit
from sync.memory.errors import DestinationError, DestinationMisconfigured, QuotaExhausted
from sync.stop import Stopped

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
