"""Plain HTTP/1.1 on loopback, one thread for each connection, all of them ended when the server closes."""

import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from .answers import Answer

_WORTH_PACKING = 1024
_LONGEST_HEAD = 16384


@dataclass(frozen=True)
class Request:
    """One call as it came over the wire."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    kind: str = ""
    """What it asks for, in one word: token, describe, query, bulk_results ..."""
    head_size: int = field(default=0, compare=False)


class HungUp(Exception):
    """The connection ends without (the rest of) an answer."""


Respond = Callable[[Request, threading.Event], Answer]


class _Listener(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, port: int, respond: Respond, date: Callable[[], str]) -> None:
        self.respond, self.date = respond, date
        self.closing = threading.Event()
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that the client dropped is no news."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "sfdcedge", ""
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Listener

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)
        if self.server.closing.is_set():
            self.connection.shutdown(socket.SHUT_RDWR)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        try:
            super().finish()
        except OSError:
            return

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def _serve(self) -> None:
        try:
            answer = self.server.respond(self._request(), self.server.closing)
            self._send(answer)
        except HungUp:
            self.close_connection = True

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        size = len(self.requestline) + sum(len(name) + len(value) + 4 for name, value in headers.items())
        return Request(self.command, unquote(parts.path), query, headers, body, head_size=size)

    def _send(self, answer: Answer) -> None:
        whole = "X-Cut" not in answer.headers and "X-Drip" not in answer.headers
        packs = whole and "gzip" in self.headers.get("Accept-Encoding", "")
        headers = {"Date": self.date_time_string(), "Cache-Control": "no-cache,must-revalidate,no-store,private"}
        headers |= answer.headers
        cut = int(headers.pop("X-Cut", -1))
        drip = headers.pop("X-Drip", None)
        if drip is not None:
            self._send_drops(answer.status, headers, answer.body, float(drip))
        elif isinstance(answer.body, bytes):
            self._send_whole(answer.status, headers, answer.body, packs, cut)
        else:
            self._send_chunks(answer.status, headers, answer.body, packs, cut)

    def _send_whole(self, status: int, headers: dict[str, str], body: bytes, packs: bool, cut: int) -> None:
        if packs and len(body) > _WORTH_PACKING:
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        if status != 204:
            headers["Content-Length"] = str(len(body))
        self._start(status, headers)
        if cut >= 0:
            self.wfile.write(body[:cut])
            self.wfile.flush()
            raise HungUp
        self.wfile.write(body)

    def _send_chunks(self, status: int, headers: dict[str, str], body: Iterator[bytes], packs: bool, cut: int) -> None:
        headers["Transfer-Encoding"] = "chunked"
        if packs:
            headers["Content-Encoding"] = "gzip"
        self._start(status, headers)
        sent = 0
        for piece in _packed(body) if packs else body:
            sent += len(piece)
            if 0 <= cut < sent:
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece[: cut - sent])
                self.wfile.flush()
                raise HungUp
            if piece:
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def _send_drops(self, status: int, headers: dict[str, str], body: bytes | Iterator[bytes], pause: float) -> None:
        self._start(status, headers | {"Transfer-Encoding": "chunked"})
        for piece in [body] if isinstance(body, bytes) else body:
            for byte in piece:
                self.wfile.write(b"1\r\n" + bytes([byte]) + b"\r\n")
                self.wfile.flush()
                if self.server.closing.wait(pause):
                    raise HungUp
        self.wfile.write(b"0\r\n\r\n")

    def _start(self, status: int, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self.server.date()

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


def _packed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def too_long(request: Request) -> bool:
    """Whether address and headers are longer than Salesforce's edge takes."""
    return request.head_size > _LONGEST_HEAD


class Server:
    """Serves until it is closed."""

    def __init__(self, port: int, respond: Respond, date: Callable[[], str]) -> None:
        self._listener = _Listener(port, respond, date)
        self.url = f"http://127.0.0.1:{self._listener.server_port}"
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop accepting, cut what is open, wait for the threads to end."""
        self._listener.closing.set()
        self._listener.shutdown()
        self._thread.join()
        for connection in list(self._listener.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._listener.server_close()
