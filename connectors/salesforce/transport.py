"""Single calls to one org with simple-salesforce: their answers read, nothing tried again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import IO, Any

import requests
from simple_salesforce.api import Salesforce

from connectors.base import SourceRefused
from connectors.salesforce.address import is_salesforce
from connectors.salesforce.faults import Refusal, refusal_of
from connectors.salesforce.http import Adapter, kind_of, session_at
from connectors.salesforce.logging_in import data_origin, log_in
from connectors.salesforce.login import Login
from connectors.salesforce.no_answer import NoAnswer, translated

CONNECT, SILENCE, WHOLE = 10.0, 150.0, 600.0
"""Seconds to connect, without a byte (a query may run for two minutes), and for one answer in all.

Results of Bulk jobs may take longer, as long as they get on.
"""


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
        self._adapter = Adapter(login.address.origin if login.address.foreign else None, timeouts, clock)
        self._session = session_at(login.address.origin, self._adapter)
        self._session.hooks["response"].append(self._note)
        self._client: Salesforce | None = None
        self._last: str | None = None
        """The token of the session before, which a late answer may quote."""
        self.date: datetime | None = None
        """The server's clock, as the last answer told it."""
        self.usage: tuple[int, int] | None = None
        """API calls of the last 24 hours, used and allowed."""
        self.made: Counter[str] = Counter()
        self.batch: int | None = None
        """Records of a page of a query's result; None: as many as the server gives."""

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
        token, host = log_in(self._login, self._session, self._mask)
        host = host.strip("/")
        if self._login.address.foreign:
            self._adapter.data = data_origin(self._login, host)
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
        with translated():
            return client.query(statement, include_deleted=everything, headers=self._paging())

    def more(self, path: str) -> Any:
        """The page at a path that an earlier page named."""
        client = self._opened
        with translated():
            return client.query_more(path, identifier_is_url=True, headers=self._paging())

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Any other call below /services/data/vNN.0/."""
        client = self._opened
        with translated():
            return client.restful(path, method=method, **({} if body is None else {"json": body}))

    def versions(self) -> Any:
        """The versions of the API that the org has."""
        client = self._opened
        with translated(), closing(self._session.get(f"https://{client.sf_instance}/services/data/")) as response:
            return response.json() if response.status_code == 200 else None

    def download(self, path: str, query: Mapping[str, str], target: IO[bytes]) -> Mapping[str, str]:
        """Write the body of an answer to a file; its headers."""
        client = self._opened
        with translated():
            response = self._session.get(client.base_url + path, params=query, headers=client.headers, stream=True)
            with closing(response):
                if response.status_code != 200:
                    self._adapter.finish(response)
                    raise refusal_of(response.status_code, _json(response))
                for part in self._adapter.parts(response):
                    target.write(part)
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

    def _paging(self) -> dict[str, str]:
        return {} if self.batch is None else {"Sforce-Query-Options": f"batchSize={self.batch}"}

    @property
    def _opened(self) -> Salesforce:
        if self._client is None:
            raise NoAnswer("there is no session")
        return self._client

    def _note(self, response: requests.Response, *_: Any, **__: Any) -> None:
        self.made[kind_of(response.request.path_url)] += 1
        self.date = _date(response.headers.get("Date", "")) or self.date
        usage = Salesforce.parse_api_usage(response.headers.get("Sforce-Limit-Info", "")).get("api-usage")
        if usage is not None and usage[1] > 0:
            self.usage = (usage[0], usage[1])


def _date(text: str) -> datetime | None:
    """The time in a header; None where it is none, or of another age."""
    try:
        found = parsedate_to_datetime(text)
        moment = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if 2000 <= moment.year < 2200 else None


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except (requests.RequestException, ValueError):
        return None
