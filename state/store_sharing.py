"""Calls of the store about what runs share: leases, limits, and a quota that is used up."""

from __future__ import annotations

from collections.abc import Mapping

from state import history, leases, limiter, quota
from state.database import Database
from state.values import Lease


class Sharing(Database):
    """What keeps runs apart, and within what they may use together."""

    def acquire(self, stream: str, owner: str, part: str = "") -> Lease:
        """Take the stream's lease, or that of one part of it such as `#0/4`; raises LeaseHeld."""
        with self._transaction() as connection:
            history.ensure_salt(connection, stream)
            return leases.acquire(connection, stream, owner, self._now(connection), part)

    def renew(self, lease: Lease) -> None:
        """Keep a lease alive; raises LeaseLost."""
        with self._transaction() as connection:
            leases.renew(connection, lease, self._now(connection))

    def release(self, lease: Lease) -> None:
        """Give a lease back."""
        with self._transaction() as connection:
            leases.release(connection, lease)

    def reserve(self, name: str, span: float, burst: float) -> float:
        """Book a call's share of a rate limit; returns the seconds to wait first."""
        with self._transaction() as connection:
            return limiter.reserve(connection, name, span, burst, self._limiter_clock())

    def postpone(self, name: str, seconds: float) -> None:
        """Let no call under this limit start for so many seconds."""
        with self._transaction() as connection:
            limiter.postpone(connection, name, seconds, self._limiter_clock())

    def exhausted(self, name: str) -> Mapping[str, str] | None:
        """What was noted when this destination's quota was found used up; None when it was not."""
        with self._reading() as connection:
            return quota.facts_of(connection, name)

    def note_exhausted(self, name: str, facts: Mapping[str, str] | None) -> None:
        """This destination's quota is used up, or (None) no longer."""
        with self._transaction() as connection:
            if facts is None:
                quota.clear(connection, name)
            else:
                quota.note(connection, name, facts, self._clock())

    def _limiter_clock(self) -> float | None:
        return None if self._asks_server else self._clock()
