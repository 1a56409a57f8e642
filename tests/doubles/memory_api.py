"""A whole memory API on a real socket: it answers as the documentation says, unless a test decides otherwise."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from doubles.memory_server import MemoryServer, Received, Reply, failure, success

ORGANIZATION = "org_faults"


class Call(NamedTuple):
    """One call, with the moment of its arrival (seconds of `time.monotonic`)."""

    at: float
    name: str
    """me, collections, batch, event, or other."""
    rows: list[dict[str, Any]]
    path: str

    @property
    def emails(self) -> list[str]:
        return [str(row.get("email")) for row in self.rows]


Judge = Callable[[Call], Reply | None]
"""Decides on one call: how to answer it, or None for the ordinary answer."""


class MemoryApi(MemoryServer):
    """Keeps its own ledger: `calls` as they came, `taken` rows as they were applied."""

    def __init__(self, judge: Judge = lambda _: None, per_minute: int = 100_000) -> None:
        super().__init__()
        self.judge, self.per_minute = judge, per_minute
        self.calls: list[Call] = []
        self.taken: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def count(self, name: str) -> int:
        """How many calls of this name came."""
        return sum(call.name == name for call in list(self.calls))

    @property
    def emails(self) -> list[str]:
        """The addresses of the rows that were applied, in order."""
        return [str(row.get("email")) for row in list(self.taken)]

    def take(self, call: Call) -> Reply:
        """Apply a batch and say so."""
        self.taken += call.rows
        return success({"eventId": f"event-{len(self.taken)}-{call.at}"})

    def wait_for(self, name: str, times: int = 1, patience: float = 20.0) -> None:
        """Return once so many calls of this name have come."""
        end = time.monotonic() + patience
        while self.count(name) < times:
            assert time.monotonic() < end, f"{self.count(name)} of {times} calls of {name} came"
            time.sleep(0.01)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(0.1)
            try:
                while (received := self._receive(connection)) is not None:
                    self._decide(received)(connection, self._closing)
            except (OSError, ValueError):  # the client went away, in the middle of a request maybe
                return

    def _read(self, connection: socket.socket) -> bytes:
        piece = super()._read(connection)
        if not piece:
            raise ConnectionError
        return piece

    def _decide(self, received: Received) -> Reply:
        call = Call(time.monotonic(), _name(received), _rows(received), received.path)
        with self._lock:
            self.calls.append(call)
            return self.judge(call) or self._ordinary(call)

    def _ordinary(self, call: Call) -> Reply:
        if call.name == "me":
            limits = {"maxApiCallsPerMinute": self.per_minute}
            return success({"organization": {"id": ORGANIZATION}, "plan": {"id": "pro", "limits": limits}})
        if call.name == "collections":
            named = [{"collectionId": f"col_{name}", "collectionName": name} for name in ("Contacts", "Notes")]
            return success({"actions": [{"id": one["collectionId"], "payload": one} for one in named]})
        if call.name == "batch":
            return self.take(call)
        if call.name == "event":
            return success({"status": "completed"})
        return failure(404, "not_found_error")


def held(until: threading.Event, then: Reply) -> Reply:
    """Answer only once the event is set."""

    def reply(connection: socket.socket, closing: threading.Event) -> None:
        while not until.wait(0.05):
            if closing.is_set():
                raise ConnectionError
        then(connection, closing)

    return reply


def _name(received: Received) -> str:
    path = received.path.partition("?")[0]
    ends = {"/me": "me", "/collections": "collections", "/batch-memorize": "batch", "/memory/import": "batch"}
    return next((name for end, name in ends.items() if path.endswith(end)), "event" if "/events/" in path else "other")


def _rows(received: Received) -> list[dict[str, Any]]:
    return received.rows if _name(received) == "batch" else []
