"""Telling what runs changed: one message for each change to each channel, across restarts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from state.errors import StateError
from state.overview import ALL_MAPS
from sync.notify import conditions
from sync.notify.channels import Channel
from sync.notify.courier import PAUSES, Courier
from sync.notify.desk import ENDED_BY_RECOVERY, ChannelDesk, Finding, UseStore
from sync.notify.message import Message, of_lateness, of_maps, of_maps_mended, of_run
from sync.summary import Summary


class Teller:
    """Compares what streams are like with what each channel was told of them."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        threshold: int,
        store: UseStore,
        warn: Callable[[str], None],
        pauses: Sequence[float] = PAUSES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._threshold, self._store, self._clock = threshold, store, clock
        lock = threading.RLock()  # channels share one entry of the store
        desks = {name: ChannelDesk(name, store, lock) for name in channels}
        self._desks = [(desk, Courier(channels[name], desk, warn, pauses)) for name, desk in desks.items()]

    def after_run(self, summary: Summary, *, ordinary: bool = True) -> None:
        """Tell what a run changed; `ordinary`: it read what was due, so its rows can be compared with others'."""
        rejects: dict[str, int] | None = None
        odd = None
        try:
            with self._store() as store:
                rejects = store.reject_reasons(summary.stream)
                odd = conditions.unusual(store.last_runs(summary.stream, 30)) if ordinary else None
        except StateError:
            pass  # the run says so itself
        now = self._clock()

        def message(word: str) -> Message:
            return of_run(word, summary, rejects or {}, odd, now)

        for desk, courier in self._desks:
            before = desk.before(summary.stream)
            after = conditions.after_run(before, summary, sum((rejects or {}).values()), self._threshold, odd)
            if rejects is None:  # nobody knows how many there are
                after |= before & {conditions.REJECTS}
            news = {*(after - before), *conditions.changes(before, after), conditions.RECOVERED} - {conditions.LATE}
            found = Finding(frozenset(after), {word: message(word) for word in news})
            if desk.put(summary.stream, found):
                courier.call(summary.stream)

    def late(self, stream: str, complaint: str) -> None:
        """Tell that a stream does not succeed any more; one that failed is known already."""
        message = of_lateness(stream, complaint, self._clock())
        for desk, courier in self._desks:
            before = desk.before(stream)
            if not before & ENDED_BY_RECOVERY and desk.put(
                stream, Finding(before | {conditions.LATE}, {conditions.LATE: message})
            ):
                courier.call(stream)

    def maps(self, problems: Sequence[str]) -> None:
        """Tell that property maps cannot be used, and that all can again."""
        now = self._clock()
        words = frozenset({conditions.FAILED} if problems else ())
        messages = {conditions.FAILED: of_maps(ALL_MAPS, problems, now)} if problems else {}
        found = Finding(words, messages | {conditions.RECOVERED: of_maps_mended(ALL_MAPS, now)})
        for desk, courier in self._desks:
            if desk.put(ALL_MAPS, found):
                courier.call(ALL_MAPS)

    def close(self, patience: float) -> None:
        """Wait so many seconds at most for what is under way."""
        end = time.monotonic() + patience
        couriers = [courier for _, courier in self._desks]
        for courier in couriers:
            courier.begin_to_close()
        for courier in couriers:
            courier.close(max(0.0, end - time.monotonic()))
