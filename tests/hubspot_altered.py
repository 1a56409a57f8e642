"""A stand-in HubSpot behind a server that alters some of its answers, as a faulty one would give them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx
from doubles.hubspot import HubSpot

Alter = Callable[[str, dict[str, Any]], Any]


class Altered:
    """Passes every call on; `alter` gets its kind and the answer, and returns what is sent instead.

    Kinds are `account`, `properties`, `list`, `archived`, `search`, `batch`, `associations`; what is sent instead is a
    document, bytes, or None for the answer as it was. `asked` holds the query or body of the call that is answered.
    """

    def __init__(self, crm: HubSpot, alter: Alter) -> None:
        self.crm, self.alter, self.token = crm, alter, crm.token
        self.asked: dict[str, Any] = {}
        self.calls: list[str] = []
        self._client = httpx.Client(base_url=crm.url)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._client.close()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """The altered answer of one call."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        found = self._client.request(method, path, content=body or None, headers=headers)
        kind = _kind(path)
        self.asked = json.loads(body) if body else {k: v[0] for k, v in parse_qs(urlsplit(path).query).items()}
        self.calls.append(kind)
        if found.is_error:
            return found.status_code, found.content
        instead = self.alter(kind, found.json())
        status, instead = instead if isinstance(instead, tuple) else (found.status_code, instead)
        if instead is None:
            return status, found.content
        return status, instead if isinstance(instead, bytes) else json.dumps(instead).encode()


def _kind(path: str) -> str:
    for mark, kind in (
        ("account-info", "account"),
        ("/properties/", "properties"),
        ("/associations/", "associations"),
        ("/search", "search"),
        ("/batch/read", "batch"),
        ("archived=true", "archived"),
    ):
        if mark in path:
            return kind
    return "list"


def _handler(altered: Altered) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

        def do_GET(self) -> None:
            self.pass_on()

        def do_POST(self) -> None:
            self.pass_on()

        def pass_on(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            status, body = altered.answer(self.command, self.path, self.rfile.read(length))
            self.send_response_only(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
