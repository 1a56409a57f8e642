"""Waiting until what was accepted is stored, for commands that look at memory."""

from __future__ import annotations

from collections.abc import Collection

from state.errors import LeaseHeld
from state.store import Store
from state.values import Lease, Unsettled
from sync.assemble import follower_for, identity_hasher
from sync.hold import HeldState, hold
from sync.request import Surroundings
from sync.summary import Summary


class _Chosen(HeldState):
    """The state of a stream, of whose open events only these are seen; all of them where none is named."""

    def __init__(self, store: Store, lease: Lease, events: Collection[str]) -> None:
        super().__init__(store, lease)
        self._events = events

    def unsettled(self) -> list[Unsettled]:
        return [one for one in super().unsettled() if not self._events or one.event_id in self._events]


def settle_first(stream: str, around: Surroundings, wait: float, events: Collection[str] = ()) -> Summary:
    """Follow open events of a stream, all or these, for so many seconds, as a run does at its end; what came of it.

    Where another run holds the stream, that one follows them: a note says so.
    """
    summary, store = Summary(stream), around.store
    if store is None or wait <= 0 or not store.counts(stream)["unsettled_chunks"]:
        return summary
    try:
        with hold(store, stream, around.stop) as lease:
            hashed = identity_hasher(store.salt(stream) or b"")
            follower_for(around, _Chosen(store, lease, events), hashed, summary).follow(wait)
    except LeaseHeld:
        summary.note("another run holds the stream and follows its events: they were not waited for")
    return summary
