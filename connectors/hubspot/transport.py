"""The only module that knows hubspot-api-client: one authenticated call, its answer undecoded, no retries.

The library's own defaults are not safe: no timeout, silent retries of GET, errors that carry bodies.
"""

from __future__ import annotations

import os
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import certifi
import urllib3
from hubspot.crm.objects.api_client import ApiClient  # type: ignore[import-untyped]
from hubspot.crm.objects.configuration import Configuration  # type: ignore[import-untyped]
from hubspot.crm.objects.exceptions import ApiException  # type: ignore[import-untyped]

from connectors.hosts import is_loopback
from connectors.hubspot.account import Account
from connectors.hubspot.deadline import pools

CONNECT, SILENCE, WHOLE = 5.0, 60.0, 180.0
"""Seconds to connect, without a byte, and for one answer in all."""
_LARGEST, _LARGEST_ERROR = 256 * 1024 * 1024, 256 * 1024
"""Bytes of an answer; of an error no more is read than this."""
_CHUNK, _SMALL_CHUNK = 65_536, 4_096
_NO_RETRY = urllib3.Retry(0, redirect=False, raise_on_status=False, respect_retry_after_header=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: any status at all. Header names are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(Exception):
    """Nothing usable came back; the text says why and holds no secret. `met`: a connection had been made."""

    def __init__(self, reason: str, *, met: bool) -> None:
        super().__init__(reason)
        self.met = met


class Transport:
    """Sends requests over one kept pool of connections."""

    def __init__(
        self,
        account: Account,
        *,
        timeouts: tuple[float, float, float] = (CONNECT, SILENCE, WHOLE),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = ApiClient(_configuration(account))
        self._client.user_agent = "memsync"
        self._timeouts, self._clock = timeouts, clock
        self._pool = self._client.rest_client.pool_manager
        self._client.rest_client.pool_manager = _Unread(self._pool)
        self._pool.pool_classes_by_scheme = pools(clock, timeouts[2])

    def send(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Answer:
        """Send one request and read the whole answer; raises NoAnswer."""
        connect, silence, _ = self._timeouts
        try:
            response = self._client.call_api(
                path,
                method,
                query_params=dict(query),
                header_params={"Accept": "application/json", "Accept-Encoding": "gzip"},
                body=body,
                auth_settings=["oauth2"],
                _preload_content=False,
                _request_timeout=(connect, silence),
            )
        except ApiException:  # answers are hidden from the library, so it failed before there was one
            raise NoAnswer(
                "no trusted TLS connection; a private authority is set with SSL_CERT_FILE", met=False
            ) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _no_answer(error) from None
        return self._read(response.answer)

    def _read(self, response: urllib3.BaseHTTPResponse) -> Answer:
        end, parts, size = self._clock() + self._timeouts[2], [], 0
        good = 200 <= response.status < 300
        try:
            for part in response.stream(_CHUNK if good else _SMALL_CHUNK, decode_content=True):
                parts.append(part)
                size += len(part)
                if self._clock() > end:
                    raise NoAnswer("the answer takes too long", met=True)
                if size > _LARGEST and good:
                    raise NoAnswer("the answer is too large", met=True)
                if size > _LARGEST_ERROR and not good:
                    response.close()
                    break
        except (urllib3.exceptions.HTTPError, OSError, NoAnswer) as error:
            response.close()  # what is left in it would be taken for the next answer
            said = str(error) if isinstance(error, NoAnswer) else f"the answer broke off ({type(error).__name__})"
            raise NoAnswer(said, met=True) from None
        response.release_conn()
        return Answer(response.status, _headers(response.headers), b"".join(parts))

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.clear()
        self._client.close()


@dataclass(frozen=True, slots=True)
class _Hidden:
    """An answer whose status the library does not see: it would read the body of an error by itself, to any size."""

    answer: urllib3.BaseHTTPResponse
    status: int = 200


class _Unread:
    """A pool of connections that hands out hidden answers."""

    def __init__(self, pool: urllib3.PoolManager) -> None:
        self._pool = pool

    def request(self, method: str, url: str, **more: Any) -> _Hidden:
        """One request of the library."""
        return _Hidden(self._pool.request(method, url, **more))


def _configuration(account: Account) -> Configuration:
    configuration = Configuration(host=account.url, ssl_ca_cert=os.environ.get("SSL_CERT_FILE") or certifi.where())
    configuration.access_token = account.token
    configuration.retries = _NO_RETRY
    configuration.connection_pool_maxsize = 4
    configuration.proxy, configuration.proxy_headers = _proxy_for(account.url)
    return configuration


def _proxy_for(url: str) -> tuple[str | None, dict[str, str] | None]:
    """The proxy of the environment and what it wants to hear; this machine is always reached directly."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    found = None if is_loopback(host) or urllib.request.proxy_bypass(host) else urllib.request.getproxies()
    proxy = (found or {}).get(parts.scheme)
    if not proxy:
        return None, None
    login = unquote(urlsplit(proxy).netloc.rpartition("@")[0])
    return proxy, urllib3.make_headers(proxy_basic_auth=login) if login else None


def _headers(found: Any) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in (found or {}).items()}


def _no_answer(error: Exception) -> NoAnswer:
    """The cause in a few words, never with the request's own."""
    reason = getattr(error, "reason", None) or error
    kinds: tuple[tuple[type | tuple[type, ...], str, bool], ...] = (
        (urllib3.exceptions.NameResolutionError, "its name cannot be resolved", False),
        (urllib3.exceptions.ReadTimeoutError, "it takes the connection and does not answer", True),
        (
            urllib3.exceptions.SSLError,
            "no trusted TLS connection; a private authority is set with SSL_CERT_FILE",
            False,
        ),
        (urllib3.exceptions.ProxyError, "the proxy does not connect; see HTTPS_PROXY", False),
        (urllib3.exceptions.NewConnectionError, "the connection is refused", False),
        (urllib3.exceptions.ConnectTimeoutError, "no connection within some seconds", False),
    )
    for kind, said, met in kinds:
        if isinstance(reason, kind):
            return NoAnswer(said, met=met)
    return NoAnswer(f"the connection broke ({type(reason).__name__})", met=True)
