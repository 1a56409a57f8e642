"""The only module that knows simple-salesforce: logins and single calls, their answers read, nothing tried again.

The library alone has no timeouts, follows redirects, always speaks https, and puts statements into its messages.
"""

from __future__ import annotations

import os
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import IO, Any
from urllib.parse import urlsplit
from urllib.request import getproxies
from xml.parsers.expat import ExpatError

import jwt
import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import should_bypass_proxies
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceError
from simple_salesforce.login import SalesforceLogin

from connectors.base import SourceMisconfigured, SourceRefused
from connectors.salesforce.address import is_loopback, is_salesforce
from connectors.salesforce.faults import Refusal, login_refused, refusal_of
from connectors.salesforce.login import Login

CONNECT, SILENCE, WHOLE = 10.0, 150.0, 600.0
"""Seconds to connect, without a byte (a query may run for two minutes), and for one answer in all."""
_BLOCK = 1 << 16
_LARGEST = 64 << 20
"""Bytes of one answer, unpacked; results of Bulk jobs go to a file and may be larger."""
_LAST_SOAP_LOGIN = 64.0


class NoAnswer(Exception):
    """Nothing usable came back; the text says why in a few words."""


class Transport:
    """One session with one org; nothing is sent before the first call."""

    def __init__(
        self,
        login: Login,
        *,
        timeouts: tuple[float, float, float] = (CONNECT, SILENCE, WHOLE),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._login = login
        self._adapter = _Adapter(login.address.origin if login.address.foreign else None, timeouts, clock)
        self._session = _session(login, self._adapter)
        self._session.hooks["response"].append(self._note)
        self._client: Salesforce | None = None
        self._last: str | None = None
        """The token of the session before, which a late answer may quote."""
        self.date: datetime | None = None
        """The server's clock, as the last answer told it."""
        self.usage: tuple[int, int] | None = None
        """API calls of the last 24 hours, used and allowed."""
        self.made: Counter[str] = Counter()

    @property
    def is_open(self) -> bool:
        """Whether there is a session; it may have ended on the other side."""
        return self._client is not None

    @property
    def org(self) -> str | None:
        """The org's id as the session's token tells it; None where it does not."""
        token = self._client.session_id if self._client else ""
        found = token.partition("!")[0]
        return found if found.startswith("00D") and len(found) in (15, 18) else None

    def open(self) -> None:
        """Log in; raises SourceRefused, SourceMisconfigured, Refusal, NoAnswer."""
        token, host = self._log_in()
        host = host.strip("/")
        if self._login.address.foreign:
            self._adapter.data = self._data_origin(host)
            host = self._login.address.host
        elif not is_salesforce(host) and host not in self._login.allowed:
            raise SourceRefused("the login names a host that is not Salesforce's; nothing was sent there")
        self._client = Salesforce(
            session_id=token,
            instance_url=f"https://{host}",
            version=self._login.version,
            session=self._session,
            object_pairs_hook=None,
        )

    def forget(self) -> None:
        """Drop the session, so that the next one is opened anew."""
        self._last = self._client.session_id if self._client else self._last
        self._client = None

    def query(self, statement: str, *, everything: bool) -> Any:
        """The first page of a result; `everything`: deleted and archived records too."""
        client = self._opened
        with _translated():
            return client.query(statement, include_deleted=everything)

    def more(self, path: str) -> Any:
        """The page at a path that an earlier page named."""
        client = self._opened
        with _translated():
            return client.query_more(path, identifier_is_url=True)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Any other call below /services/data/vNN.0/."""
        client = self._opened
        with _translated():
            return client.restful(path, method=method, **({} if body is None else {"json": body}))

    def versions(self) -> Any:
        """The versions of the API that the org has."""
        client = self._opened
        with _translated(), closing(self._session.get(f"https://{client.sf_instance}/services/data/")) as response:
            return response.json() if response.status_code == 200 else None

    def download(self, path: str, query: Mapping[str, str], target: IO[bytes]) -> Mapping[str, str]:
        """Write the body of an answer to a file; its headers."""
        client = self._opened
        with _translated():
            response = self._session.get(client.base_url + path, params=query, headers=client.headers, stream=True)
            with closing(response):
                if response.status_code != 200:
                    raise refusal_of(response.status_code, _json(response))
                for block in response.iter_content(_BLOCK):
                    target.write(block)
                return response.headers

    def masked(self, refusal: Refusal) -> Refusal:
        """The same without the credentials and tokens that a server may quote."""
        return Refusal(refusal.status, self._mask(refusal.code), self._mask(refusal.said))

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    # Help

    def _mask(self, text: str) -> str:
        login, token = self._login, self._client.session_id if self._client else None
        held = (token, login.access_token, login.client_secret, login.password, login.security_token, login.private_key)
        for secret in sorted({one for one in (*held, self._last) if one}, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    @property
    def _opened(self) -> Salesforce:
        if self._client is None:
            raise NoAnswer("there is no session")
        return self._client

    def _data_origin(self, host: str) -> str:
        """Where calls after a login go that stands in for Salesforce: another port of this machine may serve them."""
        if self._login.instance is not None:
            return self._login.instance.origin
        origin = urlsplit(self._login.address.origin)
        named = urlsplit(f"//{host}").hostname or ""
        return (
            f"{origin.scheme}://{host}"
            if is_loopback(named) and is_loopback(origin.hostname or "")
            else origin.geturl()
        )

    def _log_in(self) -> tuple[str, str]:
        login = self._login
        if login.kind == "session":
            return login.access_token, login.address.host
        try:
            with warnings.catch_warnings(), _translated():
                warnings.simplefilter("ignore")  # the reason is told by the error that follows
                return SalesforceLogin(**_credentials(login), session=self._session)
        except SalesforceAuthenticationFailed as error:
            code, said = self._mask(str(error.code or "")), self._mask(str(error.auth_message or ""))
            if code == "200":
                raise NoAnswer("the answer to the login is not JSON") from None
            if code.isdecimal():  # an answer that was not JSON: a proxy, or a page of apology
                raise refusal_of(int(code), None) from None
            raise login_refused(code, said, login.kind, login.variables) from None
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            if login.kind != "JWT bearer":
                raise NoAnswer(f"the answer to the login cannot be understood ({type(error).__name__})") from None
            variable = login.variable("SF_PRIVATE_KEY")
            raise SourceMisconfigured(f"{variable}: not a usable RSA private key in PEM, without passphrase") from None

    def _note(self, response: requests.Response, *_: Any, **__: Any) -> None:
        self.made[_kind(response.request.path_url)] += 1
        try:
            self.date = parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError, TypeError):
            self.date = self.date
        usage = Salesforce.parse_api_usage(response.headers.get("Sforce-Limit-Info", "")).get("api-usage")
        if usage is not None and usage[1] > 0:
            self.usage = (usage[0], usage[1])


def _credentials(login: Login) -> dict[str, Any]:
    address = login.address
    if login.kind == "SOAP password":
        version = str(min(float(login.version), _LAST_SOAP_LOGIN))
        secrets = {"password": login.password, "security_token": login.security_token, "sf_version": version}
        return {"domain": "login" if address.foreign else address.domain, "username": login.username, **secrets}
    if login.kind == "JWT bearer":
        key = {"consumer_key": login.client_id, "privatekey": login.private_key}
        return {"domain": "login" if address.foreign else address.domain, "username": login.username, **key}
    # The library refuses this login for the shared login hosts, so a host that stands in for an org gets a name.
    domain = "stand-in.my" if address.foreign else address.domain
    return {"domain": domain, "consumer_key": login.client_id, "consumer_secret": login.client_secret}


def _session(login: Login, adapter: _Adapter) -> requests.Session:
    session = _Session()
    # Nothing from .netrc may take the place of the token; proxies are read here instead.
    session.trust_env = False
    session.verify = os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE") or True
    origin = login.address.origin
    if not should_bypass_proxies(origin, None) and not origin.startswith("http://"):
        session.proxies.update(getproxies())
    session.headers["User-Agent"] = "memsync"
    session.mount("https://", adapter)
    return session


class _Session(requests.Session):
    def request(self, *arguments: Any, **more: Any) -> requests.Response:
        more.setdefault("allow_redirects", False)
        return super().request(*arguments, **more)


class _Adapter(HTTPAdapter):
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
        origin = self._origin if _kind(request.path_url) == "login" else self.data
        if origin is not None:
            request.url = origin + request.path_url
        response = super().send(request, True, self._timeouts[:2], *others, **more)  # noqa: FBT003
        if not stream:
            response._content = self._read(response)
        return response

    def _read(self, response: requests.Response) -> bytes:
        end, parts, size = self._clock() + self._timeouts[2], [], 0
        for part in _parts(response):
            parts.append(part)
            size += len(part)
            if self._clock() > end or size > _LARGEST:
                response.close()
                raise requests.ReadTimeout("the answer takes too long") if size <= _LARGEST else _TooLarge
        return b"".join(parts)


class _TooLarge(requests.RequestException):
    pass


def _parts(response: requests.Response) -> Iterator[bytes]:
    """What has arrived, as it arrives: a server that sends byte by byte must not outlast the time for an answer."""
    try:
        while part := response.raw.read1(_BLOCK, decode_content=True):
            yield part
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.ReadTimeout(error) from None
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(type(error).__name__) from None


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the libraries raise into what is known here; their texts quote statements and data."""
    try:
        yield
    except SalesforceAuthenticationFailed:
        raise
    except SalesforceError as error:
        raise refusal_of(error.status, error.content) from None
    except requests.RequestException as error:
        raise NoAnswer(_reason(error)) from None
    except (ExpatError, AttributeError, KeyError, UnicodeDecodeError) as error:
        raise NoAnswer(f"the answer cannot be understood ({type(error).__name__})") from None


def _reason(error: requests.RequestException) -> str:
    kinds: tuple[tuple[type[Exception], str], ...] = (
        (requests.exceptions.SSLError, "no trusted TLS connection; a private authority is set with SSL_CERT_FILE"),
        (requests.exceptions.ProxyError, "the proxy does not connect; see HTTPS_PROXY"),
        (requests.ConnectTimeout, "no connection within some seconds"),
        (requests.ReadTimeout, "it takes the connection and does not answer"),
        (requests.exceptions.InvalidJSONError, "the answer is not JSON"),
        (_TooLarge, f"the answer is larger than {_LARGEST >> 20} MB"),
    )
    for kind, said in kinds:
        if isinstance(error, kind):
            return said
    text = str(error)
    if "NameResolutionError" in text or "getaddrinfo" in text:
        return "its name cannot be resolved"
    return "the connection is refused" if "refused" in text else f"the connection broke ({type(error).__name__})"


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except (requests.RequestException, ValueError):
        return None


def _kind(path: str) -> str:
    path = urlsplit(path).path
    for mark, kind in (("/oauth2/", "login"), ("/Soap/", "login"), ("/jobs/", "bulk"), ("/query", "query")):
        if mark in path:
            return kind
    return "other"
