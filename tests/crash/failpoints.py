"""The places at which a run is killed, by name: a function of memsync, and whether before or after it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from importlib import import_module
from typing import Any

FAILPOINTS: dict[str, tuple[str, str, str]] = {
    # name: (module, attribute, moment)
    "lease.after": ("state.store", "Store.acquire", "after"),
    "begin.after": ("sync.hold", "HeldState.begin", "after"),
    "page.read": ("sync.deliver", "take_in", "before"),
    "page.entered": ("sync.record", "Recorder.enter", "after"),
    "post.before": ("sync.memory.client", "MemoryClient.batch", "before"),
    "post.answered": ("sync.memory.client", "MemoryClient.batch", "after"),
    "split.after": ("sync.memory.writer", "halves", "after"),
    "outcome.landed": ("sync.record", "Recorder.record", "before"),
    "accept.before": ("state.store", "Store.apply", "before"),
    "accept.mid": ("state.delivery", "forget", "before"),
    "accept.after": ("state.store", "Store.apply", "after"),
    "reject.mid": ("state.delivery", "file_rejects", "after"),
    "cursor.mid": ("state.delivery", "set_position", "after"),
    "conclude.before": ("sync.hold", "HeldState.conclude", "before"),
    "conclude.after": ("sync.hold", "HeldState.conclude", "after"),
    "poll.after": ("sync.memory.client", "MemoryClient.event", "after"),
    "settle.before": ("state.store", "Store.settle", "before"),
    "settle.mid": ("state.delivery", "fail", "before"),
    "settle.after": ("state.store", "Store.settle", "after"),
    "redeliver.read": ("sync.due", "fetched_pages", "before"),
    "release.before": ("state.store", "Store.release", "before"),
}


def arm(name: str, hit: int) -> None:
    """Kill this process when it comes to a place for the `hit`-th time."""
    module, attribute, moment = FAILPOINTS[name]
    left = [hit]

    def reached() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    wrap(module, attribute, _killing(reached, moment))


def _killing(reached: Callable[[], None], moment: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            if moment == "before":
                reached()
            result = original(*arguments, **named)
            if moment == "after":
                reached()
            return result

        return wrapped

    return around


def wrap(module: str, attribute: str, around: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace a function of a module or class by one around it; AttributeError when it is no longer there."""
    owner: Any = import_module(module)
    *classes, name = attribute.split(".")
    for one in classes:
        owner = getattr(owner, one)
    setattr(owner, name, around(getattr(owner, name)))
