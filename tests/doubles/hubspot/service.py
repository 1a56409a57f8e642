"""A request in, an answer out: token, path, limits, scopes, and then the one who knows."""

from __future__ import annotations

import re
import threading
from collections import Counter
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from .account import Account, Call
from .answers import Answer, Refused, html, problem
from .faults import Fault, Faults
from .limiting import Limiter
from .routes import find

LONGEST_URL = 16_000


class Request(NamedTuple):
    """One request as it came; `path` with its query."""

    method: str
    path: str
    body: bytes


class Head(NamedTuple):
    """What the request's headers say."""

    authorization: str | None
    host: str
    kind: str
    """The media type of its body."""


class Service:
    """Answers for one account, one request at a time."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.faults = Faults()
        self.calls: Counter[str] = Counter()
        self.requests: list[Request] = []
        self.expired = False
        self.lock = threading.RLock()
        self._limiter = Limiter(account)

    def fault(self, request: Request) -> Fault | None:
        """Note the request, and say what is to befall it."""
        path = urlsplit(request.path).path
        found = find(request.method, path)
        kind = found[0].kind if found else "unknown"
        with self.lock:
            self.calls[kind] += 1
            self.requests.append(request)
            return self.faults.next(request.method, path, kind)

    def answer(self, request: Request, head: Head) -> Answer:
        with self.lock:
            try:
                return self._answer(request, head)
            except Refused as refused:
                return refused.answer

    def _answer(self, request: Request, head: Head) -> Answer:
        if len(f"http://{head.host}{request.path}") > LONGEST_URL:
            return html(414)
        self._check_token(head.authorization)
        url = urlsplit(request.path)
        found = find(request.method, url.path)
        if found is None:
            return html(404)
        if request.body and not head.kind.startswith("application/json"):
            return html(415)
        route, names = found[0], {name: unquote(part) for name, part in found[1].items()}
        self._limiter.admit(route.kind)
        call = Call(route.version, names, parse_qs(url.query, keep_blank_values=True), request.body)
        try:
            answer = route.handler(self.account, call)
        except Refused as refused:
            answer = refused.answer
        return answer._replace(headers={**self._limiter.headers(route.kind), **answer.headers})

    def _check_token(self, authorization: str | None) -> None:
        """A malformed token never gets past the network in front."""
        if authorization is None:
            message = "Authentication credentials not found. This API supports OAuth 2.0 authentication."
            raise Refused(problem(401, "INVALID_AUTHENTICATION", message))
        if not re.fullmatch(r"Bearer [\w.~+/=-]+", authorization, re.ASCII):
            raise Refused(html(530))
        if authorization != f"Bearer {self.account.options.token}":
            raise Refused(problem(401, "INVALID_AUTHENTICATION", "The access token is not valid."))
        if self.expired:
            raise Refused(problem(401, "EXPIRED_AUTHENTICATION", "The access token is expired."))
