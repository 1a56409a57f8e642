"""Who may run a stream now: a lease with an owner, an expiry and a fencing number that only grows."""

from __future__ import annotations

import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from state.errors import LeaseHeld, LeaseLost
from state.tables import leases
from state.values import Lease

TTL = 60.0
"""Seconds after which a lease that was not renewed may be taken over."""


def this_process() -> str:
    """This process as JSON: enough to say on the same machine whether it is still alive."""
    return json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "started": _started(os.getpid()), **_place()})


def _place() -> dict[str, str]:
    """The boot and the process-number space in which a pid means something; empty where neither is known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return {"boot": boot, "space": str(os.stat("/proc/self/ns/pid").st_ino)}
    except OSError:
        return {}


def _started(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def is_dead(owner: str) -> bool:
    """Whether this machine can tell that the owner has ended (killed, say) without giving its lease back."""
    facts: dict[str, Any] = json.loads(owner)
    here = _place()
    if facts.get("host") != socket.gethostname() or not here or any(facts.get(k) != v for k, v in here.items()):
        return False
    return _started(int(facts["pid"])) != facts.get("started")


def acquire(connection: Connection, name: str, owner: str, now: float) -> Lease:
    """Take the lease, or raise LeaseHeld naming its holder."""
    row = connection.execute(select(leases).where(leases.c.name == name).with_for_update()).first()
    if row is None:
        connection.execute(insert(leases).values(name=name, owner=owner, fence=1, since=now, expires_at=now + TTL))
        return Lease(name, owner, 1)
    if row.owner is not None and row.expires_at > now and not is_dead(row.owner):
        raise LeaseHeld(_held(row))
    fence = row.fence + 1
    taken = {"owner": owner, "fence": fence, "since": now, "expires_at": now + TTL}
    connection.execute(update(leases).where(leases.c.name == name).values(taken))
    return Lease(name, owner, fence)


def _held(row: Row[Any]) -> str:
    facts = json.loads(row.owner)
    since = datetime.fromtimestamp(row.since, UTC).isoformat(timespec="seconds")
    return (
        f"stream {row.name}: another run holds it (host {facts['host']}, process {facts['pid']}, since {since}); "
        "wait for it to end"
    )


def check(connection: Connection, lease: Lease) -> None:
    """Raise LeaseLost unless the lease is still the newest: to be called in every writing transaction."""
    held = connection.execute(
        select(leases.c.fence, leases.c.owner).where(leases.c.name == lease.name).with_for_update()
    ).first()
    if held is None or held.fence != lease.fence or held.owner != lease.owner:
        raise LeaseLost(f"stream {lease.name}: another run took over while this one was stopped; this one ends")


def renew(connection: Connection, lease: Lease, now: float) -> None:
    """Put the expiry off by another TTL; raises LeaseLost."""
    check(connection, lease)
    connection.execute(update(leases).where(leases.c.name == lease.name).values(expires_at=now + TTL))


def release(connection: Connection, lease: Lease) -> None:
    """Give the lease back, if it is still ours."""
    mine = (leases.c.name == lease.name) & (leases.c.fence == lease.fence)
    connection.execute(update(leases).where(mine).values(owner=None, expires_at=0))
