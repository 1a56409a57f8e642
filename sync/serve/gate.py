"""Calls of several runs over one connection pool: at most so many at once, each counted for its stream."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from sync.memory.answers import Answer
from sync.memory.client import MemoryClient, Transport
from sync.stop import Stop, Stopped

_LOOK = 0.1
"""Seconds between looks at the stop flag while every place is taken."""


class Gate:
    """The places for calls that all runs share: an organisation may have only so many at once."""

    def __init__(self, places: int, stop: Stop) -> None:
        self._places, self._stop = threading.BoundedSemaphore(places), stop

    def __enter__(self) -> None:
        while not self._places.acquire(timeout=_LOOK):
            if self._stop.is_set:
                raise Stopped

    def __exit__(self, *_: object) -> None:
        self._places.release()


class GatedTransport:
    """What one run's calls travel over; `count` is told the status of each answer, or None."""

    def __init__(self, http: Transport, gate: Gate, count: Callable[[int | None], None]) -> None:
        self._http, self._gate, self._count = http, gate, count

    def call(self, method: str, path: str, body: bytes | None = None, params: dict[str, Any] | None = None) -> Answer:
        """Make a call once there is a place for it; raises what the transport raises, and Stopped."""
        status: int | None = None
        with self._gate:
            try:
                answer = self._http.call(method, path, body, params)
                status = answer.status
                return answer
            finally:
                self._count(status)


def own_client(shared: MemoryClient, transport: Transport, warn: Callable[[str], None]) -> MemoryClient:
    """A client for one run: it counts its own calls, and knows what the shared one found out."""
    client = MemoryClient(transport, shared.dialect, warn)
    client.doubtful, client.exhausted = shared.doubtful, shared.exhausted
    return client
