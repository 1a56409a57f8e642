"""Clients of the status page that dawdle, crowd or write nonsense: they cost little, and keep nobody out."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from test_serve_pages import picture, view

from sync.serve.board import Picture
from sync.serve.web import Pages, StatusServer
from sync.web.listening import Limits

PATIENCE = 20.0


def shown() -> Picture:
    return picture(view())


@pytest.fixture
def serving() -> Iterator[Callable[..., StatusServer]]:
    with ExitStack() as servers:

        def begin(limits: Limits, look: Callable[[], Picture] = shown) -> StatusServer:
            return servers.enter_context(StatusServer(Pages(look, lambda: 0.0), "127.0.0.1", 0, limits))

        yield begin


def connected(server: StatusServer, things: ExitStack, sent: bytes = b"GET / HTTP/1.1\r\n") -> socket.socket:
    parts = urlsplit(server.url)
    client = things.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE))
    client.sendall(sent)
    return client


def is_ended(client: socket.socket) -> bool:
    """Whether the server hung up; waits for it."""
    try:
        while client.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


def test_a_client_whose_request_trickles_in_is_cut_off(serving: Callable[..., StatusServer]) -> None:
    with ExitStack() as things:
        client = connected(serving(Limits(seconds=0.5)), things)
        client.settimeout(0.05)
        began = time.monotonic()
        while not is_ended(client):
            assert time.monotonic() - began < PATIENCE
            try:
                client.sendall(b"X")
            except ConnectionError:
                break


def test_a_client_that_says_nothing_is_cut_off(serving: Callable[..., StatusServer]) -> None:
    with ExitStack() as things:
        assert is_ended(connected(serving(Limits(seconds=0.3)), things, sent=b""))


def test_a_crowd_of_silent_clients_has_few_threads_and_others_are_answered(
    serving: Callable[..., StatusServer],
) -> None:
    server, before = serving(Limits(connections=4)), threading.active_count()
    with ExitStack() as things:
        crowd = [connected(server, things) for _ in range(30)]
        assert httpx.get(server.url + "/healthz", timeout=PATIENCE).status_code == 200
        assert threading.active_count() - before <= 8
        assert is_ended(crowd[0])
        assert is_ended(crowd[20])


def test_beyond_what_can_be_made_room_for_clients_are_turned_away(serving: Callable[..., StatusServer]) -> None:
    go = threading.Event()

    def slow() -> Picture:
        go.wait(PATIENCE)
        return shown()

    server = serving(Limits(connections=1), slow)
    with ExitStack() as things:
        things.callback(go.set)
        for _ in range(2):
            connected(server, things, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        third = connected(server, things, b"")
        assert third.recv(100).startswith(b"HTTP/1.1 503 ")
        go.set()


@pytest.mark.parametrize("target", [b"http://[/metrics", b"http://[::1/"])
def test_an_address_that_cannot_be_read_is_the_client_s_mistake(
    serving: Callable[..., StatusServer], target: bytes
) -> None:
    with ExitStack() as things:
        client = connected(
            serving(Limits()), things, b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")
