"""One call to the API: paced, tried again where that helps, its JSON decoded once."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from connectors.hubspot.account import Account
from connectors.hubspot.decoding import NOTHING, decoded
from connectors.hubspot.faults import TRIES, Again, Asked, backoff, judge, unreachable
from connectors.hubspot.pace import Pace, pace_of
from connectors.hubspot.transport import Answer, NoAnswer, Transport

SILENT_TRIES = 2
"""Pauses after a server that takes the connection and says nothing: each costs a minute."""
_NOTABLE = 2.0
"""Seconds by which the server's clock must differ to be followed: its header has whole seconds only."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `kind` chooses the budget: `search`, or anything else."""

    kind: str
    method: str
    path: str
    what: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    scopes: tuple[str, ...] = ()


class Caller:
    """Makes calls for one account; every wait goes through `pause`."""

    def __init__(
        self,
        account: Account,
        pause: Callable[[float], None] = time.sleep,
        *,
        transport: Transport | None = None,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._account, self.pause = account, pause
        self._transport = transport or Transport(account)
        self._pace = pace or pace_of(account.url, account.token)
        self._clock, self._chance = clock, chance
        self._ahead = 0.0
        self._met = False
        self.zone: str | None = None
        """The account's time zone, once it is known."""
        self.made: Counter[str] = Counter()
        """Requests sent, by kind."""

    def now(self) -> datetime:
        """The server's clock, as far as its answers tell."""
        return datetime.fromtimestamp(self._clock() + self._ahead, UTC)

    def ask(self, call: Call) -> Any:
        """Answer the decoded JSON of a call; raises ConnectorError."""
        asked = Asked(
            call.what, self._account.host, self._account.token_variable, call.scopes, self.zone, self._account.version
        )
        pauses = 0
        while True:
            found = self._try(call, asked, pauses)
            if not isinstance(found, Again):
                return found
            if pauses >= found.tries:
                raise found.error
            pauses += 1
            self.pause(found.seconds * (1 + 0.1 * self._chance()))

    def _try(self, call: Call, asked: Asked, pauses: int) -> Any:
        """One attempt: the decoded body, or Again."""
        self._pace.wait(call.kind, self.pause)
        self.made[call.kind] += 1
        try:
            answer = self._transport.send(call.method, call.path, call.query, call.body)
        except NoAnswer as reason:
            if not self._met and not reason.met:  # more likely misspelt than restarting
                raise unreachable(asked, f"{reason}: check {asked.url_variable}, network and proxy") from None
            error = unreachable(asked, str(reason))
            return Again(backoff(pauses), SILENT_TRIES if reason.met else TRIES, error)
        self._met = True
        self._learn(answer)
        if not 200 <= answer.status < 300:
            body = answer.body.replace(self._account.token.encode(), b"***")  # it may be quoted to whom it was sent
            verdict = judge(replace(answer, body=body), asked, pauses, self.now())
            if not isinstance(verdict, Again):
                raise verdict
            return verdict
        found = decoded(answer.body)
        if found is NOTHING:
            return Again(backoff(pauses), SILENT_TRIES, unreachable(asked, "the answer is no JSON"))
        return found

    def _learn(self, answer: Answer) -> None:
        if answer.status != 429:
            self._pace.learn(answer.headers)
        try:
            theirs = parsedate_to_datetime(answer.headers["date"])
            ahead = theirs.timestamp() + 0.5 - self._clock()
        except (KeyError, ValueError, TypeError):
            return
        self._ahead = ahead if abs(ahead) > _NOTABLE else 0.0

    def close(self) -> None:
        """Let go of the connections."""
        self._transport.close()
