"""The one place that opens connections to the destination: a deadline on every call, no redirects, no huge bodies."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import httpcore

from sync.memory.address import LOOPBACK, check_address
from sync.memory.answers import Answer, redact
from sync.memory.errors import AnswerTooLarge, DestinationMisconfigured, DestinationUnavailable
from sync.memory.wire import Deadline, open_pool

__all__ = ["Deadlines", "Http", "check_address"]

LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer that are read and unpacked, at most."""
LONGEST_ENCODING = 10
_KEY_MASKED_FROM = 8
"""Characters of a key from which on it is masked in answers; a shorter one would be found everywhere."""


class Deadlines(NamedTuple):
    """Seconds that a call may take."""

    connect: float = 10.0
    total: float = 60.0


class Http:
    """Sends requests with the key; every call ends within its deadline. Safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        key: str,
        deadlines: Deadlines | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(base_url)
        self._base, self._host, self._key = base_url.rstrip("/"), parts.hostname or "", key.encode()
        self._deadlines, self._deadline = deadlines or Deadlines(), Deadline(clock)
        # A proxy from the environment must never see a call to a stand-in on this machine.
        self._pool = open_pool(parts.scheme, self._host, self._deadline, direct=self._host in LOOPBACK)
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "memsync",
            "Host": parts.netloc,
        }

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def call(self, method: str, path: str, body: bytes | None = None, params: dict[str, Any] | None = None) -> Answer:
        """Make one call; raises DestinationUnavailable when no whole answer came in time."""
        self._deadline.start(self._deadlines.total)
        url = self._base + path + (f"?{urlencode(params)}" if params else "")
        headers = [*self._headers.items(), *([] if body is None else [("Content-Type", "application/json")])]
        total, connect = self._deadlines.total, self._deadlines.connect
        timeouts = {"connect": connect, "read": total, "write": total, "pool": total}
        call = f"{method} {path}"
        try:
            with self._pool.stream(
                method, url, headers=headers, content=body, extensions={"timeout": timeouts}
            ) as response:
                names = {
                    name.decode("latin-1").lower(): self._masked(v).decode("latin-1") for name, v in response.headers
                }
                return Answer(response.status, names, self._read(response, names, call))
        except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout, UnicodeError) as error:
            raise _no_connection(error, self._host) from None
        except httpcore.ProxyError as error:
            raise DestinationUnavailable(f"{call}: the proxy refused ({redact(str(error))})", ambiguous=False) from None
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            timed_out = isinstance(error, httpcore.TimeoutException)
            why = f"no whole answer within {total:g} s" if timed_out else type(error).__name__
            raise DestinationUnavailable(f"{call}: the connection failed ({why})", ambiguous=True) from None

    def _read(self, response: httpcore.Response, headers: dict[str, str], call: str) -> bytes:
        read = bytearray()
        for piece in response.iter_stream():
            read += piece
            if len(read) > LARGEST_ANSWER:
                raise _too_large(call)
        return self._masked(_unpack(bytes(read), headers.get("content-encoding", ""), call))

    def _masked(self, text: bytes) -> bytes:
        return text if len(self._key) < _KEY_MASKED_FROM else text.replace(self._key, b"***")


def _unpack(body: bytes, encoding: str, call: str) -> bytes:
    """Undo a compression that nobody asked for, as far as an answer may be long."""
    if encoding.strip().lower() in ("", "identity"):
        return body
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        shown = encoding if encoding.isalpha() and len(encoding) <= LONGEST_ENCODING else "what is no word"
        raise DestinationUnavailable(f"{call}: the answer is encoded as {shown!r}", ambiguous=True)
    unpacking = zlib.decompressobj(wbits=31)
    try:
        found = unpacking.decompress(body, LARGEST_ANSWER + 1)
    except zlib.error:
        found = None
    if found is not None and len(found) > LARGEST_ANSWER:
        raise _too_large(call)
    if found is None or not unpacking.eof:
        raise DestinationUnavailable(f"{call}: the answer says gzip but cannot be unpacked", ambiguous=True)
    return found


def _too_large(call: str) -> AnswerTooLarge:
    return AnswerTooLarge(f"{call}: the answer is larger than 16 MB")


def _no_connection(error: Exception, host: str) -> Exception:
    text = str(error)
    if "CERTIFICATE" in text.upper() or "SSL" in text.upper():
        return DestinationMisconfigured(
            f"{host}: the server's certificate is not trusted ({text[:120]}); set SSL_CERT_FILE to your own authority"
        )
    unknown = ("Name or service", "nodename", "getaddrinfo", "resolution", "No address")
    if isinstance(error, UnicodeError) or any(word in text for word in unknown):
        return DestinationUnavailable(f"{host}: no such host; check PERSONIZE_BASE_URL", ambiguous=False)
    timed_out = isinstance(error, httpcore.TimeoutException)
    what = "no answer" if timed_out else "connection refused" if "refused" in text else "no connection"
    remedy = "is `memsync sandbox` running?" if host in LOOPBACK else "check PERSONIZE_BASE_URL and the network"
    return DestinationUnavailable(f"{host}: {what}; {remedy}", ambiguous=False)
