"""What attacks on a state store have in common: a store that was used, and what arrived by the server's own ledger."""

from __future__ import annotations

import hashlib
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from doubles.memory_api import Call, MemoryApi
from doubles.memory_server import Reply
from fixtures_faults import FaultyPlace, end_of, fill
from fixtures_postgres import Database

IN_FLIGHT, PER_CALL = 4, 10
STATE = "memsync-state.db"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def wanted(database: Database) -> dict[str, str]:
    """What memory must hold in the end: the name by e-mail address, of every row that can be sent."""
    return dict(database.do("SELECT email, name FROM customers WHERE email IS NOT NULL"))


def arrived(api: MemoryApi) -> dict[str, str]:
    """What the server took last of each address."""
    return {str(row["email"]): str(row["name"]) for row in list(api.taken)}


def once(name: str, act: Callable[[], Any], at: int = 1) -> Callable[[Call], Reply | None]:
    """Do something while the so-manieth call of a name is being answered."""
    seen = Counter[str]()

    def judge(call: Call) -> None:
        seen[call.name] += 1
        if call.name == name and seen[name] == at:
            act()

    return judge


def put_back(path: Path, content: bytes, log: bytes) -> None:
    """The store file and its log, and nothing else."""
    for ending in ("", "-wal", "-shm"):
        Path(f"{path}{ending}").unlink(missing_ok=True)
    path.write_bytes(content)
    Path(f"{path}-wal").write_bytes(log)


def crash(faulty: FaultyPlace, api: MemoryApi) -> None:
    """Run until the fifth call, and leave the log behind as a crash does."""
    process: list[subprocess.Popen[str]] = []
    faulty.variables["MEMSYNC_IN_FLIGHT"] = "1"
    api.judge = once("batch", lambda: process[0].kill(), at=5)
    process.append(faulty.started_run())
    assert end_of(process[0]).code == -9
    api.judge = lambda _: None


@pytest.fixture
def used(faulty: FaultyPlace, database: Database, api: MemoryApi) -> Path:
    """The state file of a stream that ran once; the ledger is empty again."""
    fill(database, 1, 60)
    assert faulty.run().code == 0
    api.taken.clear()
    api.calls.clear()
    return faulty.folder / STATE
