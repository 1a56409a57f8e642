"""What was told of each stream, and what is to be told next: one message for each change, across restarts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager

from state.errors import StateError
from state.store import Store
from sync.notify import conditions
from sync.notify.courier import Courier
from sync.notify.message import Message, of_lateness, of_run
from sync.summary import Summary

UseStore = Callable[[], AbstractContextManager[Store]]
_ENDED_BY_RECOVERY = {conditions.FAILED, conditions.LATE}


class Teller:
    """Compares what streams are like with what was told of them; the state store remembers what was."""

    def __init__(
        self, courier: Courier, threshold: int, store: UseStore, clock: Callable[[], float] = time.time
    ) -> None:
        self._courier, self._threshold, self._store, self._clock = courier, threshold, store, clock
        self._memory: dict[str, set[str]] = {}
        """What was told and could not be stored: a store that is away is worth a message, and only one."""
        self._pending: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def after_run(self, summary: Summary, *, ordinary: bool = True) -> None:
        """Tell what a run changed; `ordinary`: it read what was due, so its rows can be compared with others'."""
        rejects: dict[str, int] = {}
        odd = None
        try:
            with self._store() as store:
                rejects = store.reject_reasons(summary.stream)
                odd = conditions.unusual(store.last_runs(summary.stream, 30)) if ordinary else None
                before = self._told(store, summary.stream)
        except StateError:
            before = self._memory.get(summary.stream, set())
        after = conditions.after_run(before, summary, sum(rejects.values()), self._threshold, odd)
        told = conditions.changes(before, after)
        self._tell(before, after, summary.stream, [of_run(word, summary, rejects, odd, self._clock()) for word in told])

    def late(self, stream: str, complaint: str) -> None:
        """Tell that a stream does not succeed any more; one that failed is known already. Raises StateError."""
        with self._store() as store:
            before = self._told(store, stream)
        if not before & _ENDED_BY_RECOVERY:
            message = of_lateness(stream, complaint, self._clock())
            self._tell(before, before | {conditions.LATE}, stream, [message])

    def _told(self, store: Store, stream: str) -> set[str]:
        return set(store.told(stream)) | self._memory.get(stream, set())

    def _tell(self, before: set[str], after: set[str], stream: str, messages: Sequence[Message]) -> None:
        recovered = any(message.state == conditions.RECOVERED for message in messages)
        silent = before - after - (_ENDED_BY_RECOVERY if recovered else set())
        if silent:
            self._remember(stream, drop=silent)
        for message in messages:
            self._hand_over(message)

    def _hand_over(self, message: Message) -> None:
        mark = (message.stream, message.state)
        with self._lock:
            if mark in self._pending:
                return
            self._pending.add(mark)

        def done(*, delivered: bool) -> None:
            if delivered and message.state == conditions.RECOVERED:
                self._remember(message.stream, drop=_ENDED_BY_RECOVERY)
            elif delivered:
                self._remember(message.stream, add={message.state})
            with self._lock:
                self._pending.discard(mark)

        self._courier.send(message, done)

    def _remember(self, stream: str, add: Iterable[str] = (), drop: Iterable[str] = ()) -> None:
        with self._lock:
            words = (self._memory.get(stream, set()) | set(add)) - set(drop)
            try:
                with self._store() as store:
                    store.note_told(stream, (set(store.told(stream)) | words) - set(drop))
                words = set()
            except StateError:
                pass
            self._memory[stream] = words
