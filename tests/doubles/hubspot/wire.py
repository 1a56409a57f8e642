"""HTTP on 127.0.0.1: a thread per connection, and an end that leaves nothing open."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

from .answers import Answer
from .faults import Fault
from .service import Head, Request, Service


class Wire(ThreadingHTTPServer):
    """Serves one account until it is closed."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, service: Service, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Connection)
        self.service = service
        self.closing = threading.Event()
        self.defects: list[BaseException] = []
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), name="hubspot-stand-in")
        self._thread.start()

    def server_bind(self) -> None:
        """Without the look-up of the machine's name, which can take seconds."""
        TCPServer.server_bind(self)

    def process_request(self, request: socket.socket, client_address: object) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are no news; anything else is a defect of this server, told when it closes."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            self.defects.append(error)

    def close(self) -> None:
        """Stop listening, cut what is open, wait for the threads."""
        self.closing.set()
        self.shutdown()
        self._thread.join()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()
        if self.defects:
            raise RuntimeError("the stand-in for HubSpot failed while it answered") from self.defects[0]


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Wire

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(self.command, self.path, self.rfile.read(length))
        fault = self.server.service.fault(request)
        if fault is None:
            self._send(self._usual(request))
        else:
            self._befall(fault, request)

    def _usual(self, request: Request) -> Answer:
        given = self.headers.get
        head = Head(given("Authorization"), given("Host", ""), given("Content-Type", ""))
        return self.server.service.answer(request, head)

    def _befall(self, fault: Fault, request: Request) -> None:
        if fault.silent:
            self.server.closing.wait()
        if fault.silent or fault.drop:
            self.close_connection = True
            return
        self.server.closing.wait(fault.late)
        if fault.action is not None:
            fault.action()
        self._send(fault.answer or self._usual(request), cut=fault.cut)

    def _send(self, answer: Answer, *, cut: bool = False) -> None:
        if log := self.server.service.account.options.log:
            log(f"{self.command} {self.path[:200]} {answer.status}")
        body, kind = _encoded(answer.body)
        self.send_response(answer.status)
        if answer.status != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.wfile.flush()
        self.close_connection = self.close_connection or cut

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - names that http.server looks for

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The header `Date` by the account's clock, like everything else."""
        return super().date_time_string(timestamp or self.server.service.account.options.clock())

    def log_message(self, format: str, *arguments: object) -> None:
        """Silence: the requests are kept as values."""


def _encoded(body: object) -> tuple[bytes, str]:
    if body is None:
        return b"", "text/plain"
    if isinstance(body, bytes):
        return body, "application/octet-stream"
    if isinstance(body, str):
        return body.encode(), "text/html;charset=utf-8"
    return json.dumps(body, separators=(",", ":")).encode(), "application/json;charset=utf-8"
