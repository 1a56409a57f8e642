"""What was told of each stream, and what is to be told next: one message for each change, across restarts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from state.errors import StateError
from state.store import Store
from sync.notify import conditions
from sync.notify.courier import Courier
from sync.notify.message import Message, of_lateness, of_run
from sync.summary import Summary

_ENDS = {conditions.RECOVERED: {conditions.FAILED, conditions.LATE}}


class Teller:
    """Compares what streams are like with what was told of them; the state store remembers what was."""

    def __init__(
        self,
        courier: Courier,
        threshold: int,
        warn: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._courier, self._threshold, self._warn, self._clock = courier, threshold, warn, clock
        self._pending: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def after_run(self, store: Store, summary: Summary, *, ordinary: bool = True) -> None:
        """Tell what a run changed; `ordinary`: it read what was due, so its rows can be compared with others'."""
        try:
            before = store.told(summary.stream)
            rejects = store.reject_reasons(summary.stream)
            odd = conditions.unusual(store.last_runs(summary.stream, 30)) if ordinary else None
            after = conditions.after_run(before, summary, sum(rejects.values()), self._threshold, odd)
            told = conditions.changes(before, after)
            messages = [of_run(state, summary, rejects, odd, self._clock()) for state in told]
            self._tell(store, summary.stream, before, after, messages)
        except StateError as problem:
            self._warn(f"{summary.stream}: nobody could be told of this run: {problem}")

    def late(self, store: Store, stream: str, complaint: str) -> None:
        """Tell that a stream does not succeed any more; one that failed is known already."""
        before = store.told(stream)
        if before & {conditions.LATE, conditions.FAILED}:
            return
        messages = [of_lateness(stream, complaint, self._clock())]
        self._tell(store, stream, before, before | {conditions.LATE}, messages)

    def _tell(
        self, store: Store, stream: str, before: Iterable[str], after: Iterable[str], messages: list[Message]
    ) -> None:
        ended = set(before) - set(after)
        recovery = any(message.state == conditions.RECOVERED for message in messages)
        silent = ended - (_ENDS[conditions.RECOVERED] if recovery else set())
        if silent:
            store.note_told(stream, set(before) - silent)
        for message in messages:
            self._hand_over(store, message)

    def _hand_over(self, store: Store, message: Message) -> None:
        mark = (message.stream, message.state)
        with self._lock:
            if mark in self._pending:
                return
            self._pending.add(mark)

        def delivered() -> None:
            try:
                words = set(store.told(message.stream)) - _ENDS.get(message.state, set())
                store.note_told(message.stream, words | ({message.state} - {conditions.RECOVERED}))
            except StateError as problem:
                self._warn(f"{message.stream}: what was told is not remembered: {problem}")
            dropped()

        def dropped() -> None:
            with self._lock:
                self._pending.discard(mark)

        self._courier.send(message, delivered, dropped)
