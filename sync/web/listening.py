"""A small threaded server: a thread for each connection, ended with nothing left open; and whom it answers to."""

from __future__ import annotations

import errno
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # nosec B104 - to translate, not to listen on


class AddressUnusable(Exception):
    """Nothing can listen there; the message says why and what to do."""


class Server(ThreadingHTTPServer):
    """A thread for each connection, and a list of them so that they can be ended."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *args: Any) -> None:
        self._connections: dict[socket.socket, threading.Thread | None] = {}
        self._guard = threading.Lock()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._guard:
            self._connections[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._guard:
            self._connections.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is the client's affair."""

    def end_connections(self, grace: float) -> None:
        """Read nothing more, let answers under way out for `grace` seconds, then hang up."""
        deadline = time.monotonic() + grace
        for connection, thread in self._hang_up(socket.SHUT_RD).items():
            if thread is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
            if thread is not None and thread.is_alive():
                _shut(connection, socket.SHUT_RDWR)
                thread.join(0.2)

    def _hang_up(self, how: int) -> dict[socket.socket, threading.Thread | None]:
        with self._guard:
            connections = dict(self._connections)
        for connection in connections:
            _shut(connection, how)
        return connections


class _Server6(Server):
    address_family = socket.AF_INET6


def _shut(connection: socket.socket, how: int) -> None:
    try:
        connection.shutdown(how)
    except OSError:
        return


def listen(host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> Server:
    """A server that listens there, port 0 taking any free one; raises AddressUnusable."""
    family = _Server6 if ":" in host else Server
    try:
        return family((host, port), handler)
    except (OSError, OverflowError) as error:
        raise AddressUnusable(_explain(error, host, port)) from None


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
