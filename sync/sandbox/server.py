"""The sandbox as a running server: started, found at its URL, and closed with nothing left open."""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from sync.sandbox.answers import Answer, Request
from sync.sandbox.database import Database
from sync.sandbox.handler import handler_for
from sync.sandbox.ledger import Seen
from sync.sandbox.options import SandboxOptions
from sync.sandbox.pages import answer_page
from sync.sandbox.service import Service

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - addresses to translate, not to listen on
GRACE = 0.7
"""Seconds that answers under way get when the server closes."""


class AddressUnusable(Exception):
    """The sandbox cannot listen there; the message says why and what to do."""


class Sandbox:
    """The local memory service; `with Sandbox(options) as sandbox` serves it at `sandbox.url` from a thread."""

    def __init__(self, options: SandboxOptions | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self.options = options or SandboxOptions()
        self._clock = clock
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Open the database, listen, and serve; raises DatabaseUnusable or AddressUnusable."""
        database = Database(self.options.database)
        try:
            self._service = Service(self.options, database, clock=self._clock, closing=self._closing)
            self._server = self._listen()
        except BaseException:
            database.close()
            raise
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(0.01,), name="sandbox", daemon=True)
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop: answers under way are finished, sockets and database are closed; within about a second."""
        if self._thread is None:
            return
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._thread = None
        self._server.end_connections(GRACE)
        self._server.server_close()
        self._service.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where a client on this machine finds it, without a slash at the end."""
        host = self.options.host
        name = _EVERYWHERE.get(host, f"[{host}]" if ":" in host else host)
        return f"http://{name}:{self.port}"

    def calls(self) -> dict[str, int]:
        """How many calls it saw, by method and path such as `POST /api/v1/search`; ids are written `{id}`."""
        return self.seen().calls

    def seen(self) -> Seen:
        """All counts since the start."""
        return self._service.ledger.seen()

    def _listen(self) -> _Server:
        options = self.options
        # When reachable from other machines, it is reached under any name.
        loopback = options.host in {"127.0.0.1", "localhost", "::1"}
        handler = handler_for(self._respond, body_limit=options.limits.body_bytes, loopback_only=loopback)
        family = _Server6 if ":" in options.host else _Server
        try:
            return family((options.host, options.port), handler)
        except (OSError, OverflowError) as error:
            raise AddressUnusable(_explain(error, options)) from None

    def _respond(self, request: Request) -> Answer:
        if f"{request.path}/".startswith("/api/"):
            return self._service.answer(request)
        return answer_page(self._service, self.url, request)


class _Server(ThreadingHTTPServer):
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


class _Server6(_Server):
    address_family = socket.AF_INET6


def _shut(connection: socket.socket, how: int) -> None:
    try:
        connection.shutdown(how)
    except OSError:
        return


def _explain(error: Exception, options: SandboxOptions) -> str:
    where = f"{options.host}:{options.port}"
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {options.port} is in use: stop what listens there, or choose another with --port"
    if isinstance(error, OSError) and error.errno in {errno.EACCES, errno.EPERM}:
        return f"not allowed to listen on {where}: choose a port from 1024 with --port"
    reason = getattr(error, "strerror", None) or str(error)
    return f"cannot listen on {where}: {reason}; change --host or --port"
