"""Delivering to one channel beside the work: nothing waits for a channel that is slow or away."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from sync.notify.channels import Channel, Undelivered
from sync.notify.message import Message

PAUSES = (1.0, 5.0, 25.0)
"""Seconds before each further try."""


class Desk(Protocol):
    """Knows what there is to tell of a stream. Asked before every try: what is over by then is told no more."""

    def due(self, stream: str) -> Message | None: ...
    def delivered(self, message: Message) -> None: ...
    def gave_up(self, stream: str) -> None: ...


class Courier:
    """Takes what is due to a channel in a thread of its own, stream by stream, each try again three times."""

    def __init__(
        self, channel: Channel, desk: Desk, warn: Callable[[str], None], pauses: Sequence[float] = PAUSES
    ) -> None:
        self._channel, self._desk, self._warn, self._pauses = channel, desk, warn, pauses
        self._streams: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._closing, self._starting = threading.Event(), threading.Lock()
        self._thread: threading.Thread | None = None

    def call(self, stream: str) -> None:
        """There is something to tell of a stream."""
        with self._starting:
            if self._thread is None:
                self._closing.clear()
                self._thread = threading.Thread(target=self._work, name="notify", daemon=True)
                self._thread.start()
        self._streams.put(stream)

    def begin_to_close(self) -> None:
        """Take nothing more than what is there."""
        if self._thread is not None:
            self._streams.put(None)

    def close(self, patience: float) -> None:
        """Wait so many seconds at most for what is left; what is not delivered by then is given up."""
        if self._thread is None:
            return
        self._thread.join(patience)
        self._closing.set()
        self._thread = None

    def _work(self) -> None:
        while (stream := self._streams.get()) is not None:
            try:
                self._tell(stream)
            except Exception as problem:  # of the store, perhaps; the next stream may do better
                self._warn(f"what became of {stream} could not be told: {type(problem).__name__}")

    def _tell(self, stream: str) -> None:
        pauses = list(self._pauses)
        while (message := self._desk.due(stream)) is not None:
            reason = self._post(message)
            if reason is None:
                self._desk.delivered(message)
                pauses = list(self._pauses)
            elif not pauses or self._closing.wait(pauses.pop(0)):
                self._warn(f"the message that {stream} is in state {message.state} was not delivered: {reason}")
                self._desk.gave_up(stream)

    def _post(self, message: Message) -> str | None:
        """Why the channel did not take it; None when it did."""
        try:
            self._channel.post(message)
        except Undelivered as problem:
            return str(problem)
        except Exception as problem:  # a channel of somebody else's must not end this thread
            return type(problem).__name__
        return None
