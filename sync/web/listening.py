"""A small threaded server: a thread for each connection, ended with nothing left open; and whom it answers to."""

from __future__ import annotations

import errno
import math
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # nosec B104 - to translate, not to listen on


class AddressUnusable(Exception):
    """Nothing can listen there; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may take of a server whose connections serve one request each."""

    connections: float = math.inf
    """At most so many before the oldest one is cut; a new one beyond twice as many is turned away."""
    seconds: float = math.inf
    """At most so long for a request and its answer, however slowly they trickle."""


@dataclass(slots=True, eq=False)
class _Visit:
    """One connection."""

    connection: socket.socket
    began: float
    thread: threading.Thread | None = None
    is_cut: bool = False

    def cut(self, how: int = socket.SHUT_RDWR) -> None:
        """End it under the thread that serves it, which then finds it ended."""
        self.is_cut = True
        with suppress(OSError):
            self.connection.shutdown(how)


class Server(ThreadingHTTPServer):
    """A thread for each connection, and a list of them so that they can be ended."""

    daemon_threads = True
    request_queue_size = 128
    limits = Limits()

    def __init__(self, *args: Any) -> None:
        self._visits: dict[socket.socket, _Visit] = {}
        self._guard = threading.Lock()
        super().__init__(*args)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is room for one more; the one that has been here longest makes some."""
        self._cut(self._excess())
        with self._guard:
            has_room = len(self._visits) < 2 * self.limits.connections
        if not has_room:
            with suppress(OSError):
                request.settimeout(0.0)
                request.send(_BUSY)
        return has_room

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._guard:
            self._visits[request] = _Visit(request, time.monotonic(), thread)
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._guard:
            self._visits.pop(request, None)

    def service_actions(self) -> None:
        """Cut connections that take too long; called between requests, several times a second."""
        oldest = time.monotonic() - self.limits.seconds
        self._cut([visit for visit in self._now() if visit.began < oldest])

    def _excess(self) -> list[_Visit]:
        here = [visit for visit in self._now() if not visit.is_cut]
        return here[:1] if len(here) >= self.limits.connections else []

    def _now(self) -> list[_Visit]:
        """The connections of this moment, oldest first."""
        with self._guard:
            return list(self._visits.values())

    def _cut(self, visits: list[_Visit]) -> None:
        for visit in visits:
            if not visit.is_cut:
                visit.cut()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is the client's affair."""

    def end_connections(self, grace: float) -> None:
        """Read nothing more, let answers under way out for `grace` seconds, then hang up."""
        deadline = time.monotonic() + grace
        visits = self._now()
        for visit in visits:
            visit.cut(socket.SHUT_RD)
        for visit in visits:
            if visit.thread is not None:
                visit.thread.join(max(0.0, deadline - time.monotonic()))
                if visit.thread.is_alive():
                    visit.cut()
                    visit.thread.join(0.2)


class QuietHandler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.1, names no versions, and writes no log of its own."""

    protocol_version, sys_version = "HTTP/1.1", ""

    def handle(self) -> None:
        """Serve requests until either side hangs up; a client that vanishes is no error."""
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: checks come every few seconds, and requests may hold people's data."""


class _Server6(Server):
    address_family = socket.AF_INET6


def listen(host: str, port: int, handler: type[BaseHTTPRequestHandler], limits: Limits | None = None) -> Server:
    """A server that listens there, port 0 taking any free one; raises AddressUnusable."""
    family = _Server6 if ":" in host else Server
    try:
        server = family((host, port), handler)
    except (OSError, OverflowError) as error:
        raise AddressUnusable(_explain(error, host, port)) from None
    server.limits = limits or server.limits
    return server


def url_of(host: str, port: int) -> str:
    """Where a client on this machine finds it, without a slash at the end."""
    return f"http://{_EVERYWHERE.get(host, f'[{host}]' if ':' in host else host)}:{port}"


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine only."""
    return host in {"127.0.0.1", "localhost", "::1"}


def names_loopback(header: str) -> bool:
    """Whether the header `Host` names this machine.

    A page of another site must not read what is here under a name of its own that leads to 127.0.0.1.
    """
    name = header.strip().lower()
    return (name.partition("]")[0] + "]" if name.startswith("[") else name.partition(":")[0]) in LOOPBACK_NAMES


def _explain(error: Exception, host: str, port: int) -> str:
    where = f"{host}:{port}"
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {port} is in use: stop what listens there, or choose another with --port"
    if isinstance(error, OSError) and error.errno in {errno.EACCES, errno.EPERM}:
        return f"not allowed to listen on {where}: choose a port from 1024 with --port"
    reason = getattr(error, "strerror", None) or str(error)
    return f"cannot listen on {where}: {reason}; change --host or --port"
