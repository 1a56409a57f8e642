"""The state store: what memsync remembers between runs, in SQLite or Postgres."""

from state.errors import LeaseHeld, LeaseLost, StateError, StoreUnusable
from state.store import Store, open_store

__all__ = ["LeaseHeld", "LeaseLost", "StateError", "Store", "StoreUnusable", "open_store"]
