"""One call on the wire: in time, of bounded size, whatever a server does."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from connectors.hubspot.account import Account
from connectors.hubspot.transport import NoAnswer, Transport

SECONDS = (1.0, 5.0, 0.4)
"""To connect, without a byte, and in all."""


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[Transport]:
    """A server that answers one connection as it likes, and a transport to it."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            answer(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    transport = Transport(Account(f"http://127.0.0.1:{listening.getsockname()[1]}", "t", "v3"), timeouts=SECONDS)
    try:
        yield transport
    finally:
        transport.close()
        thread.join()
        listening.close()


def dripping(head: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.05)

    return answer


@pytest.mark.parametrize(
    "head",
    [
        b"HTT",
        b"HTTP/1.1 200 OK\r\nX-",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
        b"HTTP/1.1 500 No\r\nContent-Length: 9999\r\n\r\n",
        b"HTTP/1.1 401 No\r\nContent-Length: 9999\r\n\r\n",
    ],
)
def test_an_answer_that_drips_is_given_up_in_time_wherever_it_drips(head):
    with serving(dripping(head)) as transport:
        began = time.monotonic()
        with pytest.raises(NoAnswer):
            transport.send("GET", "/x", {}, None)
        assert time.monotonic() - began < 4


@pytest.mark.parametrize("packed", [False, True])
def test_the_body_of_an_error_is_read_up_to_a_bound_only(packed):
    body = gzip.compress(b"x" * 60_000_000, 1) if packed else b"x" * 60_000_000
    head = b"HTTP/1.1 500 No\r\nContent-Length: %d\r\n" % len(body)
    head += b"Content-Encoding: gzip\r\n" if packed else b""

    def answer_all(connection: socket.socket) -> None:
        connection.sendall(head + b"\r\n")
        connection.sendall(body)

    with serving(answer_all) as transport:
        tracemalloc.start()
        try:
            answer = transport.send("GET", "/x", {}, None)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert answer.status == 500
    assert len(answer.body) < 10_000_000
    assert peak < 20_000_000


@pytest.mark.parametrize("status", [200, 204, 302, 401, 403, 404, 429, 500])
def test_every_status_comes_with_its_headers_and_body(status):
    body = b"" if status == 204 else b"{}"
    head = b"HTTP/1.1 %d Said\r\nX-Sign: Here\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    with serving(lambda connection: connection.sendall(head + body)) as transport:
        answer = transport.send("POST", "/x", {}, {"a": 1})
    assert (answer.status, answer.body, answer.headers["x-sign"]) == (status, body, "Here")
