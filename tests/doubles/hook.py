"""A webhook on a real socket that keeps what was posted to it, and answers as it is told."""

from __future__ import annotations

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Hook:
    """Answers the given statuses in order, then 200."""

    def __init__(self, *statuses: int) -> None:
        self.posted: list[dict[str, Any]] = []
        self.headers: list[Any] = []
        self._statuses = list(statuses)
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.posted.append(json.loads(body))
                hook.headers.append(self.headers)
                self.send_response(hook._statuses.pop(0) if hook._statuses else 200)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook/its-secret-path"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def states(self) -> list[tuple[str, str]]:
        return [(one["stream"], one["state"]) for one in self.posted]


class Trickle:
    """Begins an answer, and then sends a bit of it every now and then for half a minute."""

    def __init__(self, beginning: bytes) -> None:
        self._beginning, self._closing = beginning, threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        with client:
            try:
                client.sendall(self._beginning)
                end = time.monotonic() + 30
                while time.monotonic() < end and not self._closing.wait(0.05):
                    client.sendall(b"X-a: b\r\n" if self._beginning else b"")
            except OSError:
                return
