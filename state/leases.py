"""Who may run a stream now: a lease with an owner, an expiry and a fencing number that only grows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, text, update

from state.errors import LeaseHeld, LeaseLost
from state.owner import is_dead, is_here
from state.tables import leases
from state.values import PART, Lease

TTL = 60.0
"""Seconds after which a lease that was not renewed may be taken over."""

_NEW = text(
    "INSERT INTO memsync_leases (name, fence, expires_at, beat) VALUES (:name, 0, 0, 0) ON CONFLICT (name) DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, twice: the wall clock that all machines share more or less, and this machine's uptime, which never jumps."""

    wall: float
    uptime: float


def acquire(connection: Connection, stream: str, owner: str, now: Moment, part: str = "") -> Lease:
    """Take the lease of a stream, or of one part of it such as `#0/4`; raises LeaseHeld naming its holder.

    Parts of one division may be held side by side; whoever holds the whole stream holds it alone.
    """
    name = stream + part
    for each in dict.fromkeys((stream, name)):
        connection.execute(_NEW, {"name": each})
    # One row that everybody locks: two that come at once would otherwise not see each other.
    connection.execute(select(leases).where(leases.c.name == stream).with_for_update()).one()
    rows = {row.name: row for row in connection.execute(_of_stream(stream))}
    excluded = [row for row in rows.values() if _excludes(row.name, name)]
    for row in excluded:
        if _lives(row, now):
            raise LeaseHeld(_held(row))
    for row in excluded:  # whoever held them may only be standing still: its number must not be the newest any more
        taken_over = {"owner": None, "fence": row.fence + 1, "expires_at": 0, "beat": 0}
        connection.execute(update(leases).where(leases.c.name == row.name).values(taken_over))
    lease = Lease(name, owner, rows[name].fence + 1)
    taken = {"owner": owner, "fence": lease.fence, "since": now.wall, **_renewed(now)}
    connection.execute(update(leases).where(leases.c.name == name).values(taken))
    return lease


def _of_stream(stream: str) -> Select[Any]:
    begins_so = func.substr(leases.c.name, 1, len(stream) + 1) == stream + PART
    return select(leases).where((leases.c.name == stream) | begins_so)


def _excludes(held: str, wanted: str) -> bool:
    """Whether who holds the one keeps others from the other: all but two different parts of one division."""
    if PART not in held or PART not in wanted:
        return True
    return held == wanted or held.rpartition("/")[2] != wanted.rpartition("/")[2]


def _renewed(now: Moment) -> dict[str, float]:
    return {"expires_at": now.wall + TTL, "beat": now.uptime}


def _lives(row: Row[Any], now: Moment) -> bool:
    if row.owner is None or is_dead(row.owner):
        return False
    if is_here(row.owner) and row.beat <= now.uptime:
        return bool(now.uptime - row.beat < TTL)  # a wall clock that was set forward must not steal a live lease
    return bool(row.expires_at > now.wall)


def is_held(connection: Connection, name: str, now: Moment) -> bool:
    """Whether a run has the stream now, as far as can be told from here."""
    return any(_lives(row, now) for row in connection.execute(_of_stream(name)))


def _held(row: Row[Any]) -> str:
    facts = json.loads(row.owner)
    since = datetime.fromtimestamp(row.since, UTC).isoformat(timespec="seconds")
    return (
        f"stream {row.name}: another run holds it (host {facts['host']}, process {facts['pid']}, since {since}); "
        f"wait for it to end (the lease of one that was killed ends after {TTL:.0f} s)"
    )


def check(connection: Connection, lease: Lease) -> None:
    """Raise LeaseLost unless the lease is still the newest: to be called in every writing transaction."""
    # Written for the driver: it runs once for each chunk.
    lite = connection.dialect.name == "sqlite"
    query = "SELECT fence, owner FROM memsync_leases WHERE name = " + ("?" if lite else "%s FOR UPDATE")
    held = connection.exec_driver_sql(query, (lease.name,)).first()
    if held is None or tuple(held) != (lease.fence, lease.owner):
        raise LeaseLost(f"stream {lease.name}: another run took over while this one was stopped; this one ends")


def renew(connection: Connection, lease: Lease, now: Moment) -> None:
    """Put the expiry off by another TTL; raises LeaseLost."""
    check(connection, lease)
    connection.execute(update(leases).where(leases.c.name == lease.name).values(_renewed(now)))


def release(connection: Connection, lease: Lease) -> None:
    """Give the lease back, if it is still ours."""
    mine = (leases.c.name == lease.name) & (leases.c.fence == lease.fence) & (leases.c.owner == lease.owner)
    connection.execute(update(leases).where(mine).values(owner=None, expires_at=0, beat=0))
