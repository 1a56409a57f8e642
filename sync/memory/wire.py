"""Connections whose every read and write ends within the total deadline of the call that they serve."""

from __future__ import annotations

import os
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.request import getproxies, proxy_bypass

import certifi
import httpcore

from sync.memory.errors import DestinationMisconfigured

_SLICE = 64 * 1024
"""Bytes that are written between two looks at the clock."""
_CONNECTIONS = 32


class Deadline:
    """When the call of the present thread must have ended."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._of_thread = clock, threading.local()

    def start(self, seconds: float) -> None:
        """A call begins, and has so many seconds."""
        self._of_thread.end = self._clock() + seconds

    def left(self, most: float | None = None) -> float:
        """Seconds that are left, at most so many; 0 or less when the time is up."""
        left: float = self._of_thread.end - self._clock()
        return left if most is None else min(left, most)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._inner, self._deadline = httpcore.SyncBackend(), deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _positive(self._deadline.left(timeout), httpcore.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(host, port, left, local_address, socket_options), self._deadline)


class _Stream(httpcore.NetworkStream):
    # Timeouts of the libraries begin anew with every byte, so that a slow drip could hold a call for ever.
    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _positive(self._deadline.left(timeout), httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        for start in range(0, len(view), _SLICE):
            left = _positive(self._deadline.left(timeout), httpcore.WriteTimeout)
            self._inner.write(bytes(view[start : start + _SLICE]), left)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _positive(self._deadline.left(timeout), httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _positive(left: float, error: type[httpcore.TimeoutException]) -> float:
    if left <= 0:
        raise error
    return left


def open_pool(scheme: str, host: str, deadline: Deadline, *, direct: bool) -> httpcore.ConnectionPool:
    """Connections to a host, through the environment's proxy unless `direct`; raises DestinationMisconfigured."""
    settings: dict[str, Any] = {
        "ssl_context": _context() if scheme == "https" else None,
        "max_connections": _CONNECTIONS,
        "max_keepalive_connections": _CONNECTIONS,
        "keepalive_expiry": 30.0,
        "network_backend": _Backend(deadline),
    }
    found = getproxies()
    address = None if direct or proxy_bypass(host) else found.get(scheme) or found.get("all")
    if not address:
        return httpcore.ConnectionPool(**settings)
    import httpx  # only who is behind a proxy waits for it

    try:
        proxy = httpx.Proxy(address if "://" in address else f"http://{address}")
    except (ValueError, httpx.InvalidURL):
        raise _no_such_proxy() from None
    if proxy.url.scheme != "http":
        raise _no_such_proxy()
    return httpcore.HTTPProxy(str(proxy.url), proxy_auth=proxy.raw_auth, **settings)


def _context() -> ssl.SSLContext:
    """Trusts the authorities of SSL_CERT_FILE or SSL_CERT_DIR, where one is set; else the usual ones."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    try:
        if file or folder:
            return ssl.create_default_context(cafile=file or None, capath=None if file else folder)
        return ssl.create_default_context(cafile=certifi.where())
    except OSError as error:
        found = "no certificates in it" if isinstance(error, ssl.SSLError) else str(error.strerror).lower()
        raise DestinationMisconfigured(
            f"SSL_CERT_FILE: {file}: {found}, expected a file of certificates (PEM); name one, or leave it out"
        ) from None


def _no_such_proxy() -> DestinationMisconfigured:
    return DestinationMisconfigured(
        "the proxy that HTTPS_PROXY or ALL_PROXY names cannot be used: expected http://HOST:PORT; "
        "correct it, or name the destination's host in NO_PROXY"
    )
