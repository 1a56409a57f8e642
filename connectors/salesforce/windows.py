"""Which span of stamps is read next: decided from two clocks, the position, and what the map says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors.salesforce.cursor import Part
from connectors.salesforce.plan import Plan
from connectors.salesforce.values import moment, stamp

SHORTEST = timedelta(minutes=1)
"""Of a window: it is not halved further when queries take too long."""


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of one reading, the last of which goes on to whatever is newest.

    The end of what was read is told by the earlier of two clocks: a position that stands too early costs some reading,
    one that stands too late loses records. The last window has no end of its own, so that a clock that is behind holds
    nothing back.
    """

    plan: Plan
    now: datetime
    """The earlier of the server's clock and this machine's."""
    latest: datetime
    """The later one."""
    until: datetime | None
    """Nothing stamped later is asked for."""
    beyond: bool = False
    """Whether windows go beyond `until` all the same, for records that were created before it."""

    @property
    def present(self) -> datetime:
        """Where the last window ends, as far as the clocks can be believed."""
        present = self.now - self.plan.settle
        return present if self.until is None or self.beyond else min(present, self.until)

    @property
    def bound(self) -> str | None:
        """What the records of the last window are stamped before; None: nothing newer is left to the next run."""
        until = None if self.beyond else self.until
        settled = self.latest - self.plan.settle if self.plan.settle else None
        bounds = [one for one in (until, settled) if one is not None]
        return stamp(min(bounds)) if bounds else None

    def first(self, end: str) -> Part:
        """The window from the look back before a position on, up to the present."""
        return self._last(min(moment(end), self.present) - self.plan.lookback)

    def following(self, end: str, span: timedelta | None) -> Part | None:
        """The window behind a position, no longer than `span`; None where the present is reached."""
        begin = min(moment(end), self.present)
        if begin >= self.present:
            return None
        if span is None:
            return self.first(end)
        if begin + span < self.present:
            return self._part(begin, begin + span, stamp(begin + span))
        return self._last(begin)

    def half(self, part: Part) -> Part:
        """The first half of a window that takes too long."""
        low = moment(part.low or part.end)
        end = low + max(span_of(part) / 2, SHORTEST)
        return replace(part, end=stamp(end), high=stamp(end), after=None)

    def rest(self, part: Part) -> Part:
        """All from the beginning of a window on."""
        return replace(part, end=stamp(max(self.present, moment(part.end))), high=self.bound, after=None)

    def _last(self, low: datetime) -> Part:
        return self._part(low, self.present, self.bound)

    def _part(self, low: datetime, end: datetime, high: str | None) -> Part:
        low = max(low, self.plan.start or low)
        born = stamp(self.until) if self.until and self.beyond and self.plan.has_created else None
        return Part(end=stamp(end), low=stamp(low), high=high, born=born)


def span_of(part: Part) -> timedelta:
    """How much time a window covers."""
    return moment(part.high or part.end) - moment(part.low or part.end)


def is_shortest(part: Part) -> bool:
    """Whether a window is not halved further when queries take too long."""
    return span_of(part) <= SHORTEST
