"""Reading calls one after the other: under the plan's limit, 429 waited out, and once more where no answer came."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from sync.destination import answer_of
from sync.memory.errors import AnswerTooLarge, DestinationUnavailable, QuotaExhausted, RateLimited
from sync.memory.pace import Pacer
from sync.memory.retry_after import LONGEST
from sync.memory.writer import ATTEMPTS, LIMITED, pause_before

_T = TypeVar("_T")


def paced(call: Callable[[], _T], pacer: Pacer, pause: Callable[[float], None]) -> _T:
    """Make a reading call when its turn comes; raises the last DestinationError, and what `pause` raises."""
    failures = limited = 0
    while True:
        pacer.wait(pause=pause)
        try:
            return answer_of(call, pause)
        except RateLimited as limit:
            limited += 1
            if limited == LIMITED:
                raise QuotaExhausted(f"{limit}; {LIMITED} times in a row, go on later") from None
            pacer.slow_down(max(1.0, limit.retry_after or 60.0), limit.limit)
        except DestinationUnavailable as problem:
            failures += 1
            hopeless = isinstance(problem, AnswerTooLarge) or (problem.retry_after or 0.0) > LONGEST
            if failures == ATTEMPTS or hopeless:
                raise
            # Asking again changes nothing, so that the longer pause after a lost answer is not needed.
            again = DestinationUnavailable("", ambiguous=False, retry_after=problem.retry_after)
            pause(pause_before(failures, again, random.random()))  # noqa: S311  # nosec B311
