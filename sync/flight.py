"""Calls in flight: a few threads that work on tasks while the caller goes on reading."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Set
from typing import Any, NamedTuple

_NOBODY: frozenset[str] = frozenset()


class Landed(NamedTuple):
    """A finished task: what it was for, and what it returned."""

    subject: Any
    result: Any


class Flight:
    """Runs up to `places` tasks at once, on threads that never keep the process alive. Used by one thread."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._tasks: queue.SimpleQueue[tuple[int, Any, Callable[[], Any]] | None] = queue.SimpleQueue()
        self._landed: queue.SimpleQueue[tuple[int, Landed]] = queue.SimpleQueue()
        self._aloft: dict[int, Set[str]] = {}
        self._threads = 0
        self._number = 0

    @property
    def count(self) -> int:
        """How many tasks are not collected yet."""
        return len(self._aloft)

    def has_place(self, marks: Set[str] = _NOBODY) -> bool:
        """Whether a task with these marks may start: a thread is free, and no task aloft shares a mark."""
        return len(self._aloft) < self._places and all(marks.isdisjoint(other) for other in self._aloft.values())

    def launch(self, subject: Any, task: Callable[[], Any], marks: Set[str] = _NOBODY) -> None:
        """Start a task, which must not raise; call only when there is a place for it."""
        self._number += 1
        self._aloft[self._number] = marks
        if self._threads < min(len(self._aloft), self._places):
            self._threads += 1
            threading.Thread(target=self._work, name=f"send-{self._threads}", daemon=True).start()
        self._tasks.put((self._number, subject, task))

    def landed(self, wait: float = 0.0) -> Iterator[Landed]:
        """Hand out the finished tasks; waits so many seconds for the first. Raises what a task raised after all."""
        try:
            number, landed = self._landed.get(timeout=wait) if wait else self._landed.get_nowait()
            while True:
                del self._aloft[number]
                if isinstance(landed.result, BaseException):
                    raise landed.result
                yield landed
                number, landed = self._landed.get_nowait()
        except queue.Empty:
            return

    def close(self) -> None:
        """Let the threads end when their tasks are done."""
        for _ in range(self._threads):
            self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            number, subject, run = task
            try:
                result = run()
            except BaseException as error:  # a thread that died in silence would be waited for for ever
                result = error
            self._landed.put((number, Landed(subject, result)))
