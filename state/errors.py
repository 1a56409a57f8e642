"""What can be wrong with the state store.

StateError            root
  StateUrlInvalid     MEMSYNC_STATE_URL is not the address of a store
  StoreUnusable       full, read-only, corrupt, foreign or from a newer version: mend or replace the file
    StoreUnreachable  locked, or its server is away: the same call may succeed a little later
  LeaseHeld           another run has the stream: leave it alone
  LeaseLost           this run was taken for dead: it may write nothing more
"""

from __future__ import annotations


class StateError(Exception):
    """Something about the state store."""


class StateUrlInvalid(StateError):
    """The address of the store cannot be understood."""


class StoreUnusable(StateError):
    """The store cannot be read or written; nothing in it was changed."""


class StoreUnreachable(StoreUnusable):
    """The store cannot be read or written just now."""


class LeaseHeld(StateError):
    """Another run holds the stream."""


class LeaseLost(StateError):
    """The lease of this run was taken over; nothing was written."""
