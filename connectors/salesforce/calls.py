"""Calls with everything that belongs to them: a session, patience, the share of the quota that is ours."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import IO, Any, TypeVar
from urllib.parse import quote_plus, urlsplit

from connectors.base import ConnectorError, SourceRefused, SourceUnreachable
from connectors.salesforce.faults import Refusal, explain, meaning_of
from connectors.salesforce.login import Login
from connectors.salesforce.results import ODD, Result, followed, result_of, understood
from connectors.salesforce.transport import NoAnswer, Transport

T = TypeVar("T")
Explain = Callable[[Refusal, str], ConnectorError]

TRIES = 5
LOGINS = 2
"""New sessions in a row for one call."""
_FIRST, _LONGEST = 1.0, 60.0
_BUSY_FIRST, _BUSY_LONGEST = 30.0, 120.0
LONGEST_ADDRESS = 12_000
"""Bytes of a statement in an address: Salesforce takes 16,384 with the headers, of which tokens may be long."""
_APART, _AHEAD = timedelta(hours=1), timedelta(minutes=5)
"""From where on two clocks disagree, and how far the server's may then be ahead of this machine's."""
_VERSION = re.compile(r"\d{2,3}\.\d")


class Caller:
    """Makes calls of one stream; every wait goes through `pause`."""

    def __init__(
        self,
        login: Login,
        pause: Callable[[float], None] = time.sleep,
        *,
        share: float = 1.0,
        transport: Transport | None = None,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.login, self.transport = login, transport or Transport(login)
        self.pause, self._chance, self._clock = pause, chance, clock
        self._share = share

    @property
    def org(self) -> str | None:
        """The id of the org; None where it cannot be told."""
        if not self.transport.is_open:
            self._repeat(lambda: None, "login")
        return self.transport.org

    def now(self) -> datetime:
        """The server's clock, to the second, as its last answer told it; never far ahead of this machine's."""
        here = self._clock()
        found = self.transport.date or here
        if abs(found - here) > _APART:
            found = min(found, here + _AHEAD)
        return found.astimezone(UTC).replace(microsecond=0)

    def query(self, statement: str, what: str, *, everything: bool = True) -> Result:
        """The first page of a result; raises ConnectorError."""
        return result_of(self._repeat(lambda: self.transport.query(statement, everything=everything), what), what)

    def rows(self, first: Result, what: str, most: int | None = None) -> Iterator[list[dict[str, Any]]]:
        """The rows of a result, page by page; see `followed` for what is raised."""
        return followed(first, self.more, what, most)

    def more(self, path: str, what: str) -> Result:
        """A later page. Only the path counts: the token never goes to another host."""
        with understood(what):
            parts = urlsplit(path)
        inner = parts.path + (f"?{parts.query}" if parts.query else "")
        if not inner.startswith("/services/data/"):
            raise SourceUnreachable(f"{what}: the next page has an address that is none of the API's")
        return result_of(self._repeat(lambda: self.transport.more(inner), what), what)

    def call(self, method: str, path: str, what: str, body: Any = None, explained: Explain = explain) -> Any:
        """Any other call below the API's root; `explained` names what a refusal means."""
        return self._repeat(lambda: self.transport.call(method, path, body), what, explained)

    def attempt(self, method: str, path: str) -> None:
        """Make a call on which nothing depends: once, without waiting, whatever comes of it."""
        with suppress(Refusal, NoAnswer):
            self.transport.call(method, path)

    def versions(self) -> list[str]:
        """The versions of the API that the org has: `62.0`."""
        found = self._repeat(self.transport.versions, "versions of the API")
        named = found if isinstance(found, list) else ()
        offered = [str(one.get("version")) for one in named if isinstance(one, dict)]
        return [one for one in offered if _VERSION.fullmatch(one)]

    def download(
        self, path: str, query: Mapping[str, str], target: IO[bytes], what: str, explained: Explain = explain
    ) -> Mapping[str, str]:
        """Write an answer's body to a file, from its beginning at each try; its headers."""

        def fetch() -> Mapping[str, str]:
            target.seek(0)
            target.truncate()
            return self.transport.download(path, query, target)

        try:
            return self._repeat(fetch, what, explained)
        except OSError as error:
            raise SourceUnreachable(
                f"{what}: results cannot be written to the folder for temporary files ({error.strerror}): make room "
                "there, or name another one in TMPDIR"
            ) from None

    def close(self) -> None:
        """Let go of connections."""
        self.transport.close()

    # Help

    def _repeat(self, send: Callable[[], T], what: str, explained: Explain = explain) -> T:
        logins = tries = 0
        while True:
            try:
                self._stay_within_share()
                if not self.transport.is_open:
                    self.transport.open()
                return send()
            except Refusal as plain:
                refusal = self.transport.masked(plain)
                meaning = meaning_of(refusal)
                if meaning == "login" and self.login.kind != "session" and logins < LOGINS:
                    logins += 1
                    self.transport.forget()
                    continue
                problem: ConnectorError = self._ended(what) if self._has_ended(meaning) else explained(refusal, what)
                waits = _waits(meaning)
            except (NoAnswer, *ODD) as lost:
                told = lost if isinstance(lost, NoAnswer) else f"one that nobody can read ({type(lost).__name__})"
                host = urlsplit(self.login.address.origin).netloc
                problem = SourceUnreachable(f"{what}: no answer from {host}: {told}. Nothing was lost: run again later")
                waits = (_FIRST, _LONGEST)
            tries += 1
            if waits is None or tries >= TRIES:
                raise problem from None
            self.pause(min(waits[0] * 2 ** (tries - 1), waits[1]) * (1 + self._chance() / 2))

    def _has_ended(self, meaning: str) -> bool:
        return meaning == "login" and self.login.kind == "session"

    def _ended(self, what: str) -> SourceRefused:
        return SourceRefused(
            f"{what}: the session in {self.login.variables} has ended or was never valid, and it cannot be renewed: "
            "put a new one there, or use client credentials"
        )

    def _stay_within_share(self) -> None:
        usage = self.transport.usage
        if usage is not None and self._share < 1 and usage[0] >= self._share * usage[1]:
            raise SourceUnreachable(
                f"{usage[0]:,} of the org's {usage[1]:,} API calls in 24 hours are used, the share up to which this "
                f"stream may read (quotaShare: {self._share:g}); the rest is left to others. Nothing was lost: the "
                "next run goes on from here when fewer are used"
            )


def fits_address(statement: str) -> bool:
    """Whether a statement can be asked by REST."""
    return len(quote_plus(statement)) <= LONGEST_ADDRESS


def _waits(meaning: str) -> tuple[float, float] | None:
    """The first and the longest wait; None: the same call would fail again."""
    return {"again": (_FIRST, _LONGEST), "busy": (_BUSY_FIRST, _BUSY_LONGEST)}.get(meaning)
