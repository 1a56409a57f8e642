"""Since when a stream is on a schedule, and what notifications last said of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select, text, update

from state.tables import watch

_NEW = text("INSERT INTO memsync_watch (stream, since, told) VALUES (:stream, :since, '[]') ON CONFLICT DO NOTHING")


def begin(connection: Connection, streams: Sequence[str], now: float) -> None:
    """Enter streams that are new; what is known of the others stays."""
    known = set(connection.scalars(select(watch.c.stream)))
    for stream in streams:
        if stream not in known:
            connection.execute(_NEW, {"stream": stream, "since": now})


def told(connection: Connection, stream: str) -> frozenset[str]:
    """What was last said of a stream."""
    found = connection.scalar(select(watch.c.told).where(watch.c.stream == stream))
    return frozenset(json.loads(found)) if found else frozenset()


def note_told(connection: Connection, stream: str, words: Iterable[str], now: float) -> None:
    """Remember what was said of a stream."""
    connection.execute(_NEW, {"stream": stream, "since": now})
    connection.execute(update(watch).where(watch.c.stream == stream).values(told=json.dumps(sorted(words))))
