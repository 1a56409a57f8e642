"""One connection: requests read within their limits, answers written in one piece, keep-alive."""

from __future__ import annotations

import sys
import traceback
import uuid
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from sync.sandbox.answers import Answer, Refused, Request, invalid, refusal
from sync.sandbox.options import MEGABYTE
from sync.web.listening import QuietHandler, names_loopback

HEADER_BYTES = 8_192
DRAINED_BYTES = 64 * MEGABYTE


class Handler(QuietHandler):
    """Turns HTTP into requests and answers into HTTP; subclasses made by `handler_for` know whom to ask."""

    server_version = "memsync-sandbox"
    disable_nagle_algorithm = True
    timeout = 120

    respond: Callable[[Request], Answer]
    body_limit: int
    loopback_only: bool

    def _serve(self) -> None:
        try:
            request = self._read()
            answer = type(self).respond(request)
        except Refused as refused:
            answer = refusal(refused)
        except ConnectionError:
            raise
        except Exception as error:
            answer = _failed(error)
        self._write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve  # noqa: N815

    def _read(self) -> Request:
        self._check_head()
        body = self._read_body()
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True, max_num_fields=50))
        return Request(self.command, parts.path, query, self.headers, body)

    def _check_head(self) -> None:
        size = sum(len(name) + len(value) + 4 for name, value in self.headers.items())
        if size > HEADER_BYTES:
            self.close_connection = True
            raise Refused(431, "validation_error", f"headers: at most {HEADER_BYTES} bytes, found {size}")
        if self.loopback_only and not names_loopback(self.headers.get("Host", "")):
            self.close_connection = True
            raise Refused(403, "permission_error", "Host: this sandbox answers to 127.0.0.1 and localhost only")

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            raise Refused(411, "validation_error", "Transfer-Encoding: send the body with its Content-Length")
        text = self.headers.get("Content-Length", "0")
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            self.close_connection = True
            raise invalid("Content-Length", "expected a number of bytes")
        size = int(text)
        if size > self.body_limit:
            self._drain(size)
            megabytes = self.body_limit // MEGABYTE
            raise Refused(413, "validation_error", f"body: at most {megabytes} MB a call on this plan")
        body = self.rfile.read(size)
        if len(body) < size:
            raise ConnectionResetError("the body ended early")
        return body

    def _drain(self, size: int) -> None:
        # Read to its end, or the client is told that its connection broke instead of why.
        left = size if size <= DRAINED_BYTES else 0
        self.close_connection = left == 0
        while left:
            part = self.rfile.read(min(left, MEGABYTE))
            if not part:
                raise ConnectionResetError("the body ended early")
            left -= len(part)

    def _write(self, answer: Answer) -> None:
        reason = HTTPStatus(answer.status).phrase
        lines = [
            f"{self.protocol_version} {answer.status} {reason}",
            f"Server: {self.server_version}",
            f"Date: {self.date_time_string()}",
            f"Content-Type: {answer.content_type}",
            f"Content-Length: {len(answer.body)}",
            *(f"{name}: {value}" for name, value in answer.headers),
            *(["Connection: close"] if self.close_connection else []),
        ]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self.wfile.write(head if self.command == "HEAD" else head + answer.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what could not even be read as a request, in the same envelope."""
        self.close_connection = True
        name = "not_found_error" if code == 404 else "validation_error"
        status = 405 if code == HTTPStatus.NOT_IMPLEMENTED else code
        if not hasattr(self, "command") or self.command is None:
            self.command = "GET"
        self._write(refusal(Refused(status, name, message or HTTPStatus(status).phrase)))


def handler_for(respond: Callable[[Request], Answer], *, body_limit: int, loopback_only: bool) -> type[Handler]:
    """A handler class that asks `respond`."""
    members = {"respond": staticmethod(respond), "body_limit": body_limit, "loopback_only": loopback_only}
    return type("BoundHandler", (Handler,), members)


def _failed(error: Exception) -> Answer:
    identifier = uuid.uuid4().hex[:12]
    # Its message may quote the request, and so a person: the lines of code have to do.
    where = "".join(traceback.format_tb(error.__traceback__))
    sys.stderr.write(f"sandbox: request {identifier} failed: {type(error).__name__}\n{where}")
    return refusal(Refused(500, "server_error", "The sandbox failed; its log tells more.", requestId=identifier))
