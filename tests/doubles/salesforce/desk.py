"""Where calls arrive: recorded, failed on order, admitted, answered."""

import threading
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING

from .answers import Answer, Refusal, refusal
from .endpoints import WITHOUT_SESSION, answer, kind_of
from .faults import suffer
from .logins import soap_answer, token_answer
from .server import Request, too_long

if TYPE_CHECKING:
    from .org import Salesforce

_TOO_LONG = b"<html><head><title>414 URI Too Long</title></head><body></body></html>"


class Desk:
    """Answers the calls of one org."""

    def __init__(self, org: "Salesforce") -> None:
        self.org = org
        self._lock = threading.Lock()

    def respond(self, request: Request, closing: threading.Event) -> Answer:
        kind, parts = kind_of(request.method, request.path)
        request = replace(request, kind=kind)
        with self._lock:
            self.org.calls[kind] += 1
            self.org.requests.append(request)
        fault = self.org.faults.due(request)
        given = suffer(fault, closing) if fault else None
        if given:
            return given
        found = self._answered(request, parts)
        more = {"X-Cut": str(fault.cut)} if fault and fault.cut is not None else {}
        more |= {"X-Drip": str(fault.drip)} if fault and fault.drip is not None else {}
        if kind not in WITHOUT_SESSION:
            more["Sforce-Limit-Info"] = self._limit_info()
        return replace(found, headers={**found.headers, **more})

    def _answered(self, request: Request, parts: dict[str, str]) -> Answer:
        if too_long(request):
            return Answer(414, _TOO_LONG, {"Content-Type": "text/html"})
        try:
            if request.kind == "token":
                return token_answer(self.org.account, self.org.sessions, request, self.org.url, self.org.now())
            if request.kind == "soap":
                return soap_answer(self.org.account, self.org.sessions, request, self.org.url, self.org.now())
            if request.kind not in WITHOUT_SESSION:
                self._admit(request)
            return answer(self.org, request, parts)
        except Refusal as refused:
            return refused.answer
        except Exception as broken:
            # A mistake of the stand-in's own is shown, not taken for a broken connection.
            traceback.print_exc()
            return refusal("UNKNOWN_EXCEPTION", f"the stand-in server failed: {broken!r}").answer

    def _admit(self, request: Request) -> None:
        """Check the session, then the daily limit; count the call."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ").removeprefix("OAuth ")
        with self._lock:
            if not self.org.sessions.good(token, self.org.now()):
                raise refusal("INVALID_SESSION_ID")
            if self.org.used >= self.org.daily_calls:
                raise refusal("REQUEST_LIMIT_EXCEEDED")
            self.org.used += 1

    def _limit_info(self) -> str:
        info = f"api-usage={self.org.used}/{self.org.daily_calls}"
        if self.org.options.per_app is None:
            return info
        used, most, name = self.org.options.per_app
        return f"{info}; per-app-api-usage={used}/{most}(appName={name})"
