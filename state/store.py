"""The store: every call is one transaction, and every write of a run proves its lease first."""

from __future__ import annotations

from collections.abc import Callable

from state import address, opening
from state.owner import uptime as uptime_of_machine
from state.store_delivery import Delivery
from state.store_history import History
from state.store_looking import Looking
from state.store_sharing import Sharing
from state.store_watching import Watching


class Store(Sharing, Delivery, History, Looking, Watching):
    """What memsync remembers. Safe to share between threads; times are seconds since 1970.

    Its calls stand in the five files that begin with `store_`, by what they are about.
    """


def open_store(
    url: str, clock: Callable[[], float] | None = None, uptime: Callable[[], float] = uptime_of_machine
) -> Store:
    """Open the store behind a URL, creating it when nothing is there; raises StateUrlInvalid, StoreUnusable.

    Without a clock, a Postgres store takes its server's for leases and limits: those of several machines differ.
    """
    parsed = address.state_url(url)
    path, where = address.sqlite_file(parsed), address.shown(parsed)
    return Store(opening.open_engine(parsed, path, where), where, path, clock, uptime)
