"""How requests leave and answers arrive: bounded in time and size, redirected nowhere, by the right proxy.

The library alone has no timeouts, follows redirects, and always speaks https.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import orjson
import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import should_bypass_proxies

from connectors.salesforce.no_answer import NoAnswer, TooLarge

_BLOCK, _MOST_AT_ONCE = 1 << 16, 1 << 20
"""Bytes that are read, and unpacked, at once."""
_GZIP = 16 + zlib.MAX_WBITS
LEAST = 1 << 20
"""Bytes of a streamed answer, unpacked, that are to come within the time for one whole answer."""
_LARGEST = 64 << 20
"""Bytes of one answer, unpacked; results of Bulk jobs go to a file and may be larger."""


def session_at(origin: str, adapter: Adapter) -> requests.Session:
    """A session whose calls go through `adapter`, by the proxy of the environment that is meant for `origin`."""
    session = _Session()
    # Nothing from .netrc may take the place of the token; proxies are read here instead.
    session.trust_env = False
    session.verify = os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE") or True
    if not should_bypass_proxies(origin, None) and not origin.startswith("http://"):
        session.proxies.update(getproxies())
    session.headers["User-Agent"] = "memsync"
    session.headers["Accept-Encoding"] = "gzip"
    session.mount("https://", adapter)
    return session


class _Session(requests.Session):
    def request(self, *arguments: Any, **more: Any) -> requests.Response:
        more.setdefault("allow_redirects", False)
        return super().request(*arguments, **more)


class Answer(requests.Response):
    """An answer whose JSON is decoded at several times the speed of the library's own way."""

    def json(self, **more: Any) -> Any:
        """The decoded body; what is no strict JSON in UTF-8, such as half a character, is left to the library."""
        if not any(more.values()):
            try:
                return orjson.loads(self.content)
            except orjson.JSONDecodeError:
                pass
        return super().json(**more)


class Adapter(HTTPAdapter):
    """Bounds every call in time; sends all of them elsewhere where something stands in for Salesforce."""

    def __init__(self, origin: str | None, timeouts: tuple[float, float, float], clock: Callable[[], float]) -> None:
        super().__init__()
        self._origin, self._timeouts, self._clock = origin, timeouts, clock
        self.data = origin
        """Where calls other than logins go, once a login said so."""

    def send(
        self, request: requests.PreparedRequest, stream: bool = False, timeout: Any = None, *others: Any, **more: Any
    ) -> requests.Response:
        """Send one request; the whole answer is read unless it is streamed."""
        origin = self._origin if kind_of(request.path_url) == "login" else self.data
        if origin is not None:
            request.url = origin + request.path_url
        response = super().send(request, True, self._timeouts[:2], *others, **more)  # noqa: FBT003
        if not stream:
            self.finish(response)
        return response

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Make an answer of what the connection gives."""
        response = super().build_response(req, resp)
        response.__class__ = Answer
        return response

    def parts(self, response: requests.Response) -> Iterator[bytes]:
        """A streamed answer as it arrives; it may take any time while it gets on. Raises NoAnswer where it does not."""
        window, came = self._timeouts[2], 0
        end = self._clock() + window
        for part in _parts(response):
            yield part
            came, now = came + len(part), self._clock()
            if now >= end:
                if came < LEAST:
                    raise NoAnswer("the answer comes too slowly to go on with")
                end, came = now + window, 0

    def finish(self, response: requests.Response) -> None:
        """Read the rest of an answer that is not for a file, within the time and size of one."""
        response._content = self._read(response)

    def _read(self, response: requests.Response) -> bytes:
        end, parts, size = self._clock() + self._timeouts[2], [], 0
        for part in _parts(response):
            parts.append(part)
            size += len(part)
            if self._clock() > end or size > _LARGEST:
                response.close()
                if size > _LARGEST:
                    raise TooLarge(f"the answer is larger than {_LARGEST >> 20} MB")
                raise requests.ReadTimeout("the answer takes too long")
        return b"".join(parts)


def _parts(response: requests.Response) -> Iterator[bytes]:
    """What has arrived, as it arrives: a server that sends byte by byte must not outlast the time for an answer."""
    packed = response.headers.get("Content-Encoding", "").strip().lower() in ("gzip", "x-gzip")
    try:
        arrived = iter(lambda: response.raw.read1(_BLOCK, decode_content=not packed), b"")
        yield from _unpacked(arrived) if packed else arrived
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.ReadTimeout(error) from None
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(type(error).__name__) from None


def _unpacked(parts: Iterator[bytes]) -> Iterator[bytes]:
    """What gzip packed; raises requests.ConnectionError where it is damaged or does not come to its end."""
    unpacker = zlib.decompressobj(_GZIP)
    for part in parts:
        rest = part
        while rest:
            if unpacker.eof:  # another member follows
                unpacker = zlib.decompressobj(_GZIP)
            try:
                whole = unpacker.decompress(rest, _MOST_AT_ONCE)
            except zlib.error:
                raise requests.ConnectionError("the packed answer is damaged") from None
            if whole:
                yield whole
            rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    if not unpacker.eof:
        raise requests.ConnectionError("the packed answer breaks off")


def kind_of(path: str) -> str:
    """What a call is for, as calls are counted: login, bulk, query, other."""
    path = urlsplit(path).path
    for mark, kind in (("/oauth2/", "login"), ("/Soap/", "login"), ("/jobs/", "bulk"), ("/query", "query")):
        if mark in path:
            return kind
    return "other"
