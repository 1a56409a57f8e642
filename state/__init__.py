"""The state store: what memsync remembers between runs, in SQLite or Postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from state.errors import LeaseHeld, LeaseLost, StateError, StoreUnusable

if TYPE_CHECKING:
    from state.store import Store, open_store

__all__ = ["LeaseHeld", "LeaseLost", "StateError", "Store", "StoreUnusable", "open_store"]


def __getattr__(name: str) -> Any:
    # Who only needs to know the errors need not wait for a database library.
    if name in ("Store", "open_store"):
        from state import store

        return getattr(store, name)
    raise AttributeError(name)
