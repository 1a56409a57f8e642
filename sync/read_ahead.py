"""Reading the next page while the last one is being mapped and sent."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

from connectors.base import Page
from sync.stop import Stop, Stopped

_END = object()
_LOOK = 0.2
"""Seconds between looks at the stop flag."""
_PATIENCE = 2.0
"""Seconds that a reading which is no longer wanted has to end; a slow query is left behind."""


def read_ahead(pages: Iterator[Page], stop: Stop) -> Iterator[Page]:
    """Yield the pages, one page read ahead on a thread of its own; raises what the reading raises, or Stopped."""
    shelf: queue.Queue[Any] = queue.Queue(maxsize=1)
    done = threading.Event()
    reader = threading.Thread(target=_read, args=(pages, shelf, done), name="read", daemon=True)
    reader.start()
    try:
        while (found := _take(shelf, stop)) is not _END:
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        done.set()
        reader.join(timeout=_PATIENCE)


def _take(shelf: queue.Queue[Any], stop: Stop) -> Any:
    while not stop.is_set:
        try:
            return shelf.get(timeout=_LOOK)
        except queue.Empty:
            continue
    raise Stopped


def _read(pages: Iterator[Page], shelf: queue.Queue[Any], done: threading.Event) -> None:
    try:
        for page in pages:
            _put(shelf, page, done)
            if done.is_set():
                return
        _put(shelf, _END, done)
    except BaseException as error:  # it is raised again by the reader's consumer
        _put(shelf, error, done)


def _put(shelf: queue.Queue[Any], found: Any, done: threading.Event) -> None:
    while not done.is_set():
        try:
            shelf.put(found, timeout=_LOOK)
        except queue.Full:
            continue
        return
