"""The one place that opens connections to the destination: a deadline on every call, no redirects, no huge bodies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from sync.memory.answers import Answer
from sync.memory.errors import DestinationMisconfigured, DestinationUnavailable

LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer that are read, at most."""
_PIECE = 256 * 1024
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Deadlines(NamedTuple):
    """Seconds that a call may take."""

    connect: float = 10.0
    total: float = 60.0


def check_address(url: str, allowed: frozenset[str]) -> str:
    """The base URL without its last slash, if it is safe to send a key there; raises DestinationMisconfigured."""
    parts = urlsplit(url.strip())
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        raise DestinationMisconfigured(f"PERSONIZE_BASE_URL: expected https://HOST, found {_safe(parts.geturl())}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise DestinationMisconfigured("PERSONIZE_BASE_URL: expected https://HOST without user, query or fragment")
    if host in _LOOPBACK:
        return url.strip().rstrip("/")
    if parts.scheme == "http":
        raise DestinationMisconfigured(f"PERSONIZE_BASE_URL: plain http would show the key; use https://{host}")
    if host != "personize.ai" and not host.endswith(".personize.ai") and host not in allowed:
        raise DestinationMisconfigured(
            f"PERSONIZE_BASE_URL: {host} is not a Personize host; if it is yours, set MEMSYNC_ALLOW_HOSTS={host}"
        )
    return url.strip().rstrip("/")


def _safe(text: str) -> str:
    return repr(text.rpartition("@")[2][:80])


class Http:
    """Sends requests with the key; every call ends within its deadline. Safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        key: str,
        deadlines: Deadlines | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deadlines, self._clock = deadlines or Deadlines(), clock
        # A proxy from the environment must never see a call to a stand-in on this machine.
        local = urlsplit(base_url).hostname in _LOOPBACK
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=32, keepalive_expiry=30)
        headers = {"Authorization": f"Bearer {key}", "Accept": "application/json", "Accept-Encoding": "identity"}
        self._client = httpx.Client(
            base_url=base_url, headers=headers, limits=limits, trust_env=not local, follow_redirects=False
        )

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def call(self, method: str, path: str, body: bytes | None = None, params: dict[str, Any] | None = None) -> Answer:
        """Make one call; raises DestinationUnavailable when no whole answer came in time."""
        end = self._clock() + self._deadlines.total
        headers = {} if body is None else {"Content-Type": "application/json", "Content-Length": str(len(body))}
        timeout = httpx.Timeout(self._deadlines.total, connect=min(self._deadlines.connect, self._deadlines.total))
        content = None if body is None else self._pieces(body, end)
        try:
            with self._client.stream(
                method, path, content=content, params=params, headers=headers, timeout=timeout
            ) as response:
                return Answer(response.status_code, dict(response.headers), self._read(response, end))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise _no_connection(error, self._client.base_url.host) from None
        except (httpx.HTTPError, httpx.InvalidURL, _TooLate) as error:
            name = "no whole answer in time" if isinstance(error, _TooLate) else type(error).__name__
            raise DestinationUnavailable(f"{method} {path}: the connection failed ({name})", ambiguous=True) from None

    def _pieces(self, body: bytes, end: float) -> Iterator[bytes]:
        for start in range(0, len(body), _PIECE):
            self._check(end)
            yield body[start : start + _PIECE]

    def _read(self, response: httpx.Response, end: float) -> bytes:
        # httpx's own timeouts start again with every byte, so that a slow drip could hold a call for ever.
        read = bytearray()
        for piece in response.iter_bytes():
            self._check(end)
            read += piece
            if len(read) > LARGEST_ANSWER:
                raise DestinationUnavailable("the answer is larger than 16 MB", ambiguous=True)
        return bytes(read)

    def _check(self, end: float) -> None:
        if self._clock() > end:
            raise _TooLate


class _TooLate(Exception):
    """The total deadline of a call has passed."""


def _no_connection(error: httpx.TransportError, host: str) -> Exception:
    text = str(error)
    if "CERTIFICATE" in text.upper() or "SSL" in text.upper():
        return DestinationMisconfigured(
            f"{host}: the server's certificate is not trusted ({text[:120]}); set SSL_CERT_FILE to your own authority"
        )
    if "Name or service" in text or "nodename" in text or "getaddrinfo" in text or "resolution" in text:
        return DestinationUnavailable(f"{host}: no such host; check PERSONIZE_BASE_URL", ambiguous=False)
    what = "no answer" if isinstance(error, httpx.TimeoutException) else "connection refused"
    return DestinationUnavailable(f"{host}: {what}; check PERSONIZE_BASE_URL and the network", ambiguous=False)
