"""Connections whose answers end in time: a server that sends a byte now and then holds nobody for longer."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from http.client import HTTPResponse
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection


class _Timed(io.RawIOBase):
    """The bytes of one answer, up to a point in time."""

    def __init__(self, raw: Any, clock: Callable[[], float], end: float) -> None:
        super().__init__()
        self._raw, self._clock, self._end = raw, clock, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what has come; raises TimeoutError behind the end."""
        if self._clock() > self._end:
            raise TimeoutError("the answer takes too long")
        got: int | None = self._raw.readinto(buffer)
        return got

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()


def _answer(clock: Callable[[], float], seconds: float) -> type[HTTPResponse]:
    class Answer(HTTPResponse):
        """An answer whose head is read in time as well."""

        def __init__(self, sock: socket.socket, *given: Any, **more: Any) -> None:
            super().__init__(sock, *given, **more)
            self.fp.close()
            self.fp = io.BufferedReader(_Timed(sock.makefile("rb", buffering=0), clock, clock() + seconds))

    return Answer


def pools(clock: Callable[[], float], seconds: float) -> dict[str, type[urllib3.HTTPConnectionPool]]:
    """Pools of connections, by scheme, of which every answer has so many seconds in all."""
    made = _answer(clock, seconds)

    class Plain(HTTPConnection):
        response_class = made

    class Secure(HTTPSConnection):
        response_class = made

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
