"""The limiter's one row: when the next call may start, for all processes that share the store."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from state.tables import limiter


def reserve(connection: Connection, name: str, span: float, burst: float, now: float) -> float:
    """Book `span` seconds of the allowance and return the seconds to wait before using them.

    Calls may run ahead of the even pace by `burst` seconds' worth.
    """
    free_at = _free_at(connection, name)
    start = now if free_at is None else max(free_at, now)
    _write(connection, name, start + span, new=free_at is None)
    return max(0.0, start - now - burst)


def postpone(connection: Connection, name: str, until: float) -> None:
    """Let no call start before `until`: the server said so."""
    free_at = _free_at(connection, name)
    _write(connection, name, max(free_at or 0.0, until), new=free_at is None)


def _free_at(connection: Connection, name: str) -> float | None:
    row = connection.execute(select(limiter.c.free_at).where(limiter.c.name == name).with_for_update()).first()
    return None if row is None else float(row.free_at)


def _write(connection: Connection, name: str, free_at: float, *, new: bool) -> None:
    if new:
        connection.execute(insert(limiter).values(name=name, free_at=free_at))
    else:
        connection.execute(update(limiter).where(limiter.c.name == name).values(free_at=free_at))
