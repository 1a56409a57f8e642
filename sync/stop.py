"""Being asked to stop: one flag that every wait looks at."""

from __future__ import annotations

import threading
import time


class Stopped(Exception):
    """The run was asked to stop; what was accepted so far is recorded."""


class Stop:
    """Set by a signal; waits end at once when it is."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._parts: list[Stop] = []
        self.signal: int | None = None

    def part(self) -> Stop:
        """A stop of its own for one part of the work: it is set with this one, and may be set alone."""
        part = Stop()
        self._parts.append(part)
        if self.is_set:
            part.set(self.signal)
        return part

    def set(self, signal: int | None = None) -> None:
        """Ask everything to stop."""
        self.signal = signal
        self._event.set()
        for part in self._parts:
            part.set(signal)

    @property
    def is_set(self) -> bool:
        """Whether a stop was asked for."""
        return self._event.is_set()

    def pause(self, seconds: float) -> None:
        """Sleep so many seconds; raises Stopped as soon as a stop is asked for."""
        end = time.monotonic() + seconds
        # A single wait may be at most a minute: some platforms refuse very long ones.
        while not self._event.wait(max(0.0, min(60.0, end - time.monotonic()))):
            if time.monotonic() >= end:
                return
        raise Stopped
