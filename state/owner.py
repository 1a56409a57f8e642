"""Who holds a lease: a process, told apart from others well enough to know whether it still lives."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Any


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
    """When a process started, in the kernel's ticks; empty when there is none, or only its unburied rest."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return "" if fields[0] in ("Z", "X") else fields[19]
    except (OSError, IndexError):
        return ""


def is_here(owner: str) -> bool:
    """Whether the owner runs (or ran) on this machine since it was started."""
    facts: dict[str, Any] = json.loads(owner)
    boot = _place().get("boot")
    return boot is not None and facts.get("boot") == boot and facts.get("host") == socket.gethostname()


def is_dead(owner: str) -> bool:
    """Whether this machine can tell that the owner has ended (killed, say) without giving its lease back."""
    facts: dict[str, Any] = json.loads(owner)
    # A pid means nothing in another container, even one with the same host name.
    if not is_here(owner) or facts.get("space") != _place().get("space"):
        return False
    return _started(int(facts["pid"])) != facts.get("started")


def uptime() -> float:
    """Seconds since this machine was started: the same for all its processes, whatever is done to the wall clock."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
