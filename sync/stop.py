"""Being asked to stop: one flag that every wait looks at."""

from __future__ import annotations

import queue
import time
import weakref
from contextlib import suppress

_LOOK = 0.05
"""Seconds between looks at whether it is sure again to go on."""


class Stopped(Exception):
    """The run was asked to stop; what was accepted so far is recorded."""


class Stop:
    """Set by a signal; waits end at once when it is."""

    def __init__(self) -> None:
        # `set` is called by signal handlers, which may interrupt a wait of the same thread: the lock of a
        # threading.Event would then never be free again. SimpleQueue.put may be called from anywhere.
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._asked = False
        self._parts: list[weakref.ref[Stop]] = []
        self.signal: int | None = None
        self.sure_until = float("inf")
        """The moment of `time.monotonic` from which on nobody knows, until it is put off, whether to go on."""

    def part(self) -> Stop:
        """A stop of its own for one part of the work: it is set with this one, and may be set alone."""
        part = Stop()
        self._parts = [*(known for known in self._parts if known() is not None), weakref.ref(part)]
        if self.is_set:
            part.set(self.signal)
        return part

    def set(self, signal: int | None = None) -> None:
        """Ask everything to stop. The first signal is the one that is remembered."""
        self.signal = self.signal or signal
        self._asked = True
        self._bell.put(None)
        for known in self._parts:
            part = known()
            if part is not None:
                part.set(signal)

    @property
    def is_set(self) -> bool:
        """Whether a stop was asked for."""
        return self._asked

    def pause(self, seconds: float) -> None:
        """Sleep so many seconds, and on until it is sure to go on; raises Stopped as soon as a stop is asked for."""
        end = time.monotonic() + seconds
        while not self._asked:
            now = time.monotonic()
            left = _LOOK if now >= self.sure_until else end - now
            if left <= 0:
                return
            with suppress(queue.Empty):
                # A single wait may be at most a minute: some platforms refuse very long ones.
                self._bell.get(timeout=min(60.0, left))
        self._bell.put(None)  # for the next one who waits
        raise Stopped
