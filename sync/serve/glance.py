"""Looks at the store for whoever asks, in a thread of its own: a store that is silent keeps nobody waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from state.errors import StateError
from state.overview import StreamState
from state.store import Store
from sync.positions import FULL, INCREMENTAL
from sync.spans import span

RUNS = 30
"""Runs of a stream that are shown."""
KEPT = 2.0
"""Seconds for which a look at the store is good enough."""
PATIENCE = 3.0
"""Seconds for which a look is waited for; after that, what was seen last is shown."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The streams as the store last showed them, and why it does not show them now."""

    states: Mapping[str, StreamState]
    away: str | None


class Glance:
    """At most one look is under way, and nobody waits for one longer than PATIENCE from its beginning."""

    def __init__(
        self,
        store: Callable[[], AbstractContextManager[Store]],
        doubt: Callable[[str], None],
        patience: float = PATIENCE,
    ) -> None:
        self._store, self._doubt, self._patience = store, doubt, patience
        self._seen = Seen({}, None)
        self._looked = self._began = float("-inf")
        self._under_way: threading.Thread | None = None
        self._lock = threading.Lock()

    def look(self) -> Seen:
        """What is seen now, or was last; never waits for long."""
        with self._lock:
            if self._under_way is None and time.monotonic() - self._looked > KEPT:
                self._began = time.monotonic()
                self._under_way = threading.Thread(target=self._look, name="glance", daemon=True)
                self._under_way.start()
            looking, began = self._under_way, self._began
        if looking is not None:
            looking.join(max(0.0, began + self._patience - time.monotonic()))
            if looking.is_alive():
                silent = span(time.monotonic() - began)
                return Seen(self._seen.states, f"the state store has not answered for {silent}")
        return self._seen

    def _look(self) -> None:
        away: str | None = "the look at the state store failed"
        states = self._seen.states
        try:
            with self._store() as store:
                states, away = store.overview((INCREMENTAL, FULL), RUNS), None
        except StateError as problem:
            away = str(problem)
            self._doubt(away)
        finally:
            with self._lock:
                self._seen, self._looked, self._under_way = Seen(states, away), time.monotonic(), None
