"""How a stream's source and destination looked when a run last saw them: names and types, as text of its writer."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from state.keyed import upsert
from state.tables import shapes


def shape_of(connection: Connection, stream: str) -> str | None:
    """What was kept; None before the first run that looked."""
    return connection.scalar(select(shapes.c.shape).where(shapes.c.stream == stream))


def keep(connection: Connection, stream: str, shape: str) -> None:
    """Put a shape in the place of the one that was kept."""
    upsert(connection, shapes, [{"stream": stream, "shape": shape}])


def forget(connection: Connection, stream: str) -> None:
    """Drop what was kept: the next run sees the stream for the first time."""
    connection.execute(delete(shapes).where(shapes.c.stream == stream))
