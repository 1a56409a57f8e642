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
from connectors.salesforce.faults import AnswerTooLarge, Refusal, explain, meaning_of
from connectors.salesforce.login import Login
from connectors.salesforce.no_answer import NoAnswer, NotReached, TooLarge
from connectors.salesforce.results import ODD, Result, Sheet, followed, result_of, understood
from connectors.salesforce.transport import Transport

T = TypeVar("T")
Explain = Callable[[Refusal, str], ConnectorError]

TRIES = 5
LOGINS = 2
"""New sessions in a row for one call."""
_FIRST, _LONGEST = 1.0, 60.0
_BUSY_FIRST, _BUSY_LONGEST = 30.0, 120.0
LONGEST_ADDRESS = 12_000
"""Bytes of a statement in an address: Salesforce takes 16,384 with the headers, of which tokens may be long."""
_APART = timedelta(minutes=5)
"""From where on two clocks disagree so much that a person should know."""
_MARGIN = timedelta(hours=1)
"""By which this machine's clock may be ahead where the server tells no time."""
_SMALLEST_PAGE = 200
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
        self.own_words = ""
        """The map's own condition, of which a server's message may show words."""

    @property
    def org(self) -> str | None:
        """The id of the org; None where it cannot be told."""
        if not self.transport.is_open:
            self._repeat(lambda: None, "login")
        return self.transport.org

    def now(self) -> datetime:
        """The earlier of the server's clock, as its last answer told it, and this machine's; to the second."""
        here = self._clock()
        return _to_second(min(self.transport.date or here - _MARGIN, here))

    def latest(self) -> datetime:
        """The later of these two clocks."""
        here = self._clock()
        return _to_second(max(self.transport.date or here, here))

    def clocks_apart(self) -> str:
        """What a person should know of the two clocks; empty where they agree."""
        here, found = self._clock(), self.transport.date
        if found is None:
            return (
                "Salesforce's answers tell no time (the header Date is missing, or nobody can read it), so each run "
                "reads the changes of an hour more; nothing is lost: look at the gateway on the way"
            )
        if abs(found - here) <= _APART:
            return ""
        return (
            f"the clocks are apart: Salesforce says {_to_second(found):%Y-%m-%d %H:%M:%S} and this machine "
            f"{_to_second(here):%Y-%m-%d %H:%M:%S} (UTC). Nothing is lost, for reading goes on from the earlier one; "
            "but each run reads that much again: set this machine's clock, or look at the gateway on the way"
        )

    def ask_for_less(self) -> bool:
        """Take the smallest pages from now on; False: they are small already."""
        if self.transport.batch is not None:
            return False
        self.transport.batch = _SMALLEST_PAGE
        return True

    def query(self, statement: str, what: str, *, everything: bool = True) -> Result:
        """The first page of a result; raises ConnectorError."""
        return result_of(self._repeat(lambda: self.transport.query(statement, everything=everything), what), what)

    def sheets(self, first: Result, what: str, most: int | None = None) -> Iterator[Sheet]:
        """All pages of a result; see `followed` for what is raised."""
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

    def attempt(self, method: str, path: str, body: Any = None) -> None:
        """Make a call on which nothing depends: once, without waiting, whatever comes of it."""
        with suppress(Refusal, NoAnswer):
            self.transport.call(method, path, body)

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
                refusal.own = self.own_words
                meaning = meaning_of(refusal)
                if meaning == "login" and self.login.kind != "session" and logins < LOGINS:
                    logins += 1
                    self.transport.forget()
                    continue
                problem: ConnectorError = self._ended(what) if self._has_ended(meaning) else explained(refusal, what)
                if meaning == "login" and (elsewhere := self._elsewhere()):
                    problem = SourceRefused(f"{problem}{elsewhere}")
                waits = _waits(meaning)
            except TooLarge as large:
                raise AnswerTooLarge(
                    f"{what}: {large}, even for few records: map fewer long texts, or use `api: bulk`"
                ) from None
            except (NoAnswer, *ODD) as lost:
                problem = self._unanswered(lost, what)
                waits = (_FIRST, _LONGEST)
            tries += 1
            if waits is None or tries >= TRIES:
                raise problem from None
            self.pause(min(waits[0] * 2 ** (tries - 1), waits[1]) * (1 + self._chance() / 2))

    def _unanswered(self, lost: Exception, what: str) -> SourceUnreachable:
        login = self.login
        address, named = login.address, login.named_in
        if self.transport.is_open and login.instance is not None:
            address, named = login.instance, "SF_INSTANCE_URL"
        told = lost if isinstance(lost, NoAnswer) else f"one that nobody can read ({type(lost).__name__})"
        advice = f"check the address in {login.variable(named)}; " if isinstance(lost, NotReached) else ""
        host = urlsplit(address.origin).netloc
        return SourceUnreachable(f"{what}: no answer from {host}: {told}: {advice}nothing was lost, run again later")

    def _has_ended(self, meaning: str) -> bool:
        return meaning == "login" and self.login.kind == "session"

    def _ended(self, what: str) -> SourceRefused:
        return SourceRefused(
            f"{what}: the session in {self.login.variables} has ended or was never valid, and it cannot be renewed: "
            "put a new one there, or use client credentials"
        )

    def _elsewhere(self) -> str:
        """What to look at where a new session is turned down at the host that a variable names."""
        instance = self.login.instance
        if instance is None or instance == self.login.address:
            return ""
        name = self.login.variable("SF_INSTANCE_URL")
        return f"; calls go to {instance.host}, as {name} says: remove it if it is another org's"

    def _stay_within_share(self) -> None:
        usage = self.transport.usage
        if usage is not None and self._share < 1 and usage[0] >= self._share * usage[1]:
            raise SourceUnreachable(
                f"{usage[0]:,} of the org's {usage[1]:,} API calls in 24 hours are used, the share up to which this "
                f"stream may read (quotaShare: {self._share:g}); the rest is left to others. Nothing was lost: the "
                "next run goes on from here when fewer are used"
            )


def _to_second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def fits_address(statement: str) -> bool:
    """Whether a statement can be asked by REST."""
    return len(quote_plus(statement)) <= LONGEST_ADDRESS


def _waits(meaning: str) -> tuple[float, float] | None:
    """The first and the longest wait; None: the same call would fail again."""
    return {"again": (_FIRST, _LONGEST), "busy": (_BUSY_FIRST, _BUSY_LONGEST)}.get(meaning)
