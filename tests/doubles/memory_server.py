"""A memory API on a real socket that answers as scripted, wrongly if need be, and keeps a ledger of what came."""

import gzip
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple


class Received(NamedTuple):
    """One request, as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def rows(self) -> list[dict]:
        return json.loads(self.body)["rows"]


Reply = Callable[[socket.socket, threading.Event], None]
"""Answers one request on its connection; the event says that the server closes."""


class MemoryServer:
    """Gives the scripted replies in order, and a plain success once they are used up."""

    def __init__(self, *script: Reply, reads: bool = True) -> None:
        self.script = deque(script)
        self.ledger: list[Received] = []
        self._reads = reads
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "MemoryServer":
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=3)
            assert not thread.is_alive(), "a connection of the stand-in server hangs"

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            if not self._reads:
                self._closing.wait(10)
                return
            connection.settimeout(0.1)
            try:
                while (received := self._receive(connection)) is not None:
                    self.ledger.append(received)
                    number = len(self.ledger)
                    reply = self.script.popleft() if self.script else success({"eventId": f"event-{number}"})
                    reply(connection, self._closing)
            except (OSError, ConnectionError):
                return

    def _receive(self, connection: socket.socket) -> Received | None:
        found = b""
        while b"\r\n\r\n" not in found:
            piece = self._read(connection)
            if not piece:
                return None
            found += piece
        head, _, body = found.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += self._read(connection)
        method, path, _ = first.split(" ")
        return Received(method, path, headers, body)

    def _read(self, connection: socket.socket) -> bytes:
        while not self._closing.is_set():
            try:
                return connection.recv(1 << 20)
            except TimeoutError:
                continue
        return b""


def raw(content: bytes) -> Reply:
    """Exactly these bytes, then the end of the connection."""

    def reply(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(content)
        raise ConnectionError

    return reply


def answer(body: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> Reply:
    """A well-formed HTTP answer."""

    def reply(connection: socket.socket, _: threading.Event) -> None:
        lines = [f"HTTP/1.1 {status} Word", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    return reply


def success(data: object, **headers: str) -> Reply:
    """The envelope of a success."""
    return answer(json.dumps({"success": True, "data": data}).encode(), **headers)


def failure(status: int, error: str, **more: object) -> Reply:
    """The envelope of an error."""
    return answer(json.dumps({"success": False, "error": error, **more}).encode(), status)


def html(status: int = 200) -> Reply:
    return answer(b"<html><body>Welcome to the hotel's network</body></html>", status, "text/html")


def truncated_length() -> Reply:
    return raw(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"success": true, "da')


def truncated_chunks() -> Reply:
    return raw(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"success": true')


def drip(head: bytes, piece: bytes, every: float = 0.05) -> Reply:
    """A beginning, and then one small piece after the other, for ever."""

    def reply(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(head)
        while not closing.wait(every):
            connection.sendall(piece)

    return reply


def silence() -> Reply:
    """No answer at all on an open connection."""

    def reply(_: socket.socket, closing: threading.Event) -> None:
        closing.wait(10)

    return reply


def endless_body() -> Reply:
    """A body without an end, as fast as it is read."""

    def reply(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.settimeout(2)
        while not closing.is_set():
            connection.sendall(b"x" * 65536)

    return reply


def bad_gzip() -> Reply:
    return answer(b"\x1f\x8b\x08 not gzip at all", Content_Encoding="gzip")


def gzip_bomb() -> Reply:
    return answer(gzip.compress(b"0" * 64_000_000), Content_Encoding="gzip")


def redirect(status: int, to: str) -> Reply:
    return answer(b"", status, Location=to)


def reset() -> Reply:
    """The connection is reset after the request was read."""

    def reply(connection: socket.socket, _: threading.Event) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise ConnectionError

    return reply


def hang_up() -> Reply:
    """The connection is closed without an answer."""
    return raw(b"")
