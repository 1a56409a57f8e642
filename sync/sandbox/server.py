"""The sandbox as a running server: started, found at its URL, and closed with nothing left open."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from sync.sandbox.answers import Answer, Request
from sync.sandbox.database import Database
from sync.sandbox.handler import handler_for
from sync.sandbox.ledger import Seen
from sync.sandbox.options import SandboxOptions
from sync.sandbox.pages import answer_page
from sync.sandbox.service import Service
from sync.web.listening import AddressUnusable, Server, is_loopback, listen, url_of

__all__ = ["AddressUnusable", "Sandbox"]

GRACE = 0.7
"""Seconds that answers under way get when the server closes."""


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
        return url_of(self.options.host, self.port)

    def calls(self) -> dict[str, int]:
        """How many calls it saw, by method and path such as `POST /api/v1/search`; ids are written `{id}`."""
        return self.seen().calls

    def seen(self) -> Seen:
        """All counts since the start."""
        return self._service.ledger.seen()

    def _listen(self) -> Server:
        options = self.options
        # When reachable from other machines, it is reached under any name.
        loopback = is_loopback(options.host)
        handler = handler_for(self._respond, body_limit=options.limits.body_bytes, loopback_only=loopback)
        return listen(options.host, options.port, handler)

    def _respond(self, request: Request) -> Answer:
        if f"{request.path}/".startswith("/api/"):
            return self._service.answer(request)
        return answer_page(self._service, self.url, request)
