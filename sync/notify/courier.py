"""Delivering messages beside the work: nothing waits for a channel that is slow or away."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from sync.notify.channels import Channel, Undelivered
from sync.notify.message import Message

PAUSES = (1.0, 5.0, 25.0)
"""Seconds before each further try."""
WAITING = 1000
"""Messages that wait at most; more than that, and nobody reads them anyway."""


class Done(Protocol):
    """Is told what became of a message."""

    def __call__(self, *, delivered: bool) -> None: ...


class Courier:
    """Hands messages to channels in a thread of its own, one after another, each tried again three times."""

    def __init__(
        self, channels: Sequence[Channel], warn: Callable[[str], None], pauses: Sequence[float] = PAUSES
    ) -> None:
        self._channels, self._warn, self._pauses = channels, warn, pauses
        self._tasks: queue.Queue[tuple[Message, Done] | None] = queue.Queue(WAITING)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def send(self, message: Message, done: Done) -> None:
        """Deliver a message some time soon, and say afterwards what became of it."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="notify", daemon=True)
            self._thread.start()
        try:
            self._tasks.put_nowait((message, done))
        except queue.Full:
            done(delivered=False)

    def close(self, patience: float) -> None:
        """Wait so many seconds at most for what is left."""
        if self._thread is None:
            return
        try:
            self._tasks.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(patience)
        self._closing.set()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            message, done = task
            results = [self._deliver(channel, message) for channel in self._channels]
            done(delivered=any(results))

    def _deliver(self, channel: Channel, message: Message) -> bool:
        for pause in (*self._pauses, None):
            try:
                channel.post(message)
            except Undelivered as problem:
                reason = str(problem)
            except Exception as problem:  # a channel of somebody else's must not end this thread
                reason = type(problem).__name__
            else:
                return True
            if pause is None or self._closing.wait(pause):
                break
        self._warn(f"the message that {message.stream} is in state {message.state} was not delivered: {reason}")
        return False
