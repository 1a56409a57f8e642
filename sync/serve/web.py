"""The small server of the status page: reads only, and only for those who call this machine by its name."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple, Self
from urllib.parse import urlsplit

import structlog

from sync.log import mask
from sync.serve.board import Picture
from sync.serve.metrics import CONTENT_TYPE, exposition
from sync.serve.page import status_page
from sync.web.listening import Limits, QuietHandler, is_loopback, listen, names_loopback, url_of
from sync.web.style import SECURITY

STUCK = 900.0
"""Seconds without a round of the scheduler after which this process counts as not alive."""
LIMITS = Limits(connections=64, seconds=10.0)
"""Clients that dawdle are cut off before they are so many that streams lack files and threads."""
GRACE = 0.5
"""Seconds that answers under way get at the end."""
_TEXT, _JSON, _HTML = "text/plain; charset=utf-8", "application/json", "text/html; charset=utf-8"


class Answer(NamedTuple):
    """What is sent back."""

    status: int
    kind: str
    body: bytes


class Pages:
    """Which answer a path means."""

    def __init__(self, look: Callable[[], Picture], idle: Callable[[], float]) -> None:
        self._look, self._idle, self._started = look, idle, time.time()

    def answer(self, path: str) -> Answer:
        """The answer for a path."""
        if path == "/healthz":
            alive = self._idle() < STUCK
            return Answer(200 if alive else 503, _TEXT, b"alive\n" if alive else b"the scheduler stands still\n")
        if path == "/readyz":
            problems = [mask(one) for one in self._look().problems]
            document = {"ready": not problems, "problems": problems}
            return Answer(503 if problems else 200, _JSON, json.dumps(document).encode() + b"\n")
        if path == "/metrics":
            return Answer(200, CONTENT_TYPE, exposition(self._look(), self._started))
        if path == "/":
            return Answer(200, _HTML, status_page(self._look()))
        return Answer(404, _TEXT, b"nothing is served here; there are /, /healthz, /readyz and /metrics\n")


class _Handler(QuietHandler):
    server_version = "memsync"
    pages: Pages
    loopback_only: bool

    def _serve(self) -> None:
        if self.loopback_only and not names_loopback(self.headers.get("Host", "")):
            self._write(Answer(403, _TEXT, b"Host: this page answers to 127.0.0.1 and localhost only\n"))
            return
        path = path_of(self.path)
        if path is None:
            self._write(Answer(400, _TEXT, b"the address cannot be read\n"))
            return
        try:
            answer = self.pages.answer(path)
        except Exception as fault:  # its message may quote anything
            structlog.get_logger().error("a page could not be made", path=self.path[:100], kind=type(fault).__name__)
            answer = Answer(500, _TEXT, b"this page could not be made; the log tells more\n")
        self._write(answer)

    do_GET = do_HEAD = _serve  # noqa: N815

    def _write(self, answer: Answer) -> None:
        self.close_connection = True
        self.send_response(answer.status)
        allow = [("Allow", "GET, HEAD")] if answer.status == HTTPStatus.METHOD_NOT_ALLOWED else []
        headers = [("Content-Type", answer.kind), ("Content-Length", str(len(answer.body))), ("Connection", "close")]
        for name, value in [*headers, *SECURITY, *allow]:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no GET, or no request at all, without quoting it."""
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code)
        self._write(Answer(status, _TEXT, f"{status.phrase}: pages are read with GET only\n".encode()))


def path_of(target: str) -> str | None:
    """The path that a request asks for; None when its address cannot be read."""
    try:
        return urlsplit(target).path
    except ValueError:
        return None


class StatusServer:
    """Serves the pages from a thread; `with StatusServer(...) as server`."""

    def __init__(self, pages: Pages, host: str, port: int, limits: Limits = LIMITS) -> None:
        members = {"pages": pages, "loopback_only": is_loopback(host)}
        self._server = listen(host, port, type("BoundHandler", (_Handler,), members), limits)
        self.url = url_of(host, int(self._server.server_address[1]))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="status", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.end_connections(GRACE)
        self._server.server_close()
