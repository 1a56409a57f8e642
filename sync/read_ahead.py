"""Reading the next page while the last one is being mapped and sent."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

from sync.stop import Stop, Stopped

_Page = TypeVar("_Page")
_END = object()
_LOOK = 0.2
"""Seconds between looks at the stop flag."""
_PATIENCE = 2.0
"""Seconds that a reading which is no longer wanted has to end; a slow query is left behind."""


def read_ahead(pages: Iterator[_Page], stop: Stop) -> Iterator[_Page]:
    """Yield the pages, one page read ahead on a thread of its own; raises what the reading raises, or Stopped."""
    shelf: queue.SimpleQueue[Any] = queue.SimpleQueue()
    # A page is read when the one before it was taken: several that lie ready would only fill the memory.
    wanted, done = threading.Semaphore(1), threading.Event()
    reader = threading.Thread(target=_read, args=(pages, shelf, wanted, done), name="read", daemon=True)
    reader.start()
    try:
        while (found := _take(shelf, stop)) is not _END:
            if isinstance(found, BaseException):
                raise found
            wanted.release()
            yield found
    finally:
        done.set()
        wanted.release()
        reader.join(timeout=_PATIENCE)


def _take(shelf: queue.SimpleQueue[Any], stop: Stop) -> Any:
    while not stop.is_set:
        try:
            return shelf.get(timeout=_LOOK)
        except queue.Empty:
            continue
    raise Stopped


def _read(
    pages: Iterator[Any], shelf: queue.SimpleQueue[Any], wanted: threading.Semaphore, done: threading.Event
) -> None:
    try:
        while wanted.acquire() and not done.is_set():
            shelf.put(page := next(pages, _END))
            if page is _END:
                return
            del page  # whoever took it lets it go before the next one is read
    except BaseException as error:  # it is raised again by the reader's consumer
        shelf.put(error)
