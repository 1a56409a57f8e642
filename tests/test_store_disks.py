"""A disk that is full, and who may read what is on it: what a whole command does about it."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from doubles.memory_api import MemoryApi
from fixtures_attacks import IN_FLIGHT, PER_CALL, STATE, arrived, once, wanted
from fixtures_faults import FaultyPlace, end_of, fill
from fixtures_postgres import Database

# -- a disk that is full


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mounted, check=False, capture_output=True).returncode:
        pytest.skip("mounting takes root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill_up(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, suppress(OSError):  # there is no space left
        while True:
            file.write(b"x" * 4096)


@pytest.mark.parametrize("moment", ["before a row is sent", "after rows were sent"])
def test_a_disk_that_is_full_ends_the_run_and_the_next_one_makes_it_good(
    tmp_path: Path, faulty: FaultyPlace, database: Database, api: MemoryApi, moment: str
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        faulty.variables["MEMSYNC_STATE_URL"] = f"sqlite:///{disk}/state.db"
        fill(database, 1, 30)
        assert "in memory (tmpfs), so the state is gone after a restart" in faulty.run().err
        before, cursor = len(api.taken), faulty.position()
        fill(database, 31, 230)
        sends = moment == "after rows were sent"
        api.judge = once("batch" if sends else "me", lambda: fill_up(disk / "ballast"))
        ended = end_of(faulty.started_run())  # a process of its own: what it could not give back dies with it
        assert ended.code == 8
        assert "free space" in ended.out
        in_flight = len(api.taken) - before
        assert 0 < in_flight <= IN_FLIGHT * PER_CALL if sends else in_flight == 0
        (disk / "ballast").unlink()
        assert faulty.position() == cursor
        assert faulty.run().code == 0
    assert arrived(api) == wanted(database)
    assert len(api.taken) - len(set(api.emails)) <= in_flight


@pytest.mark.parametrize("moment", ["before a row is sent", "after rows were sent"])
def test_a_file_that_may_not_grow_is_like_a_full_disk(
    faulty: FaultyPlace, database: Database, api: MemoryApi, moment: str
) -> None:
    fill(database, 1, 200)
    process: list[subprocess.Popen[str]] = []
    sends = moment == "after rows were sent"

    def limit() -> None:
        while not process:
            pass
        size = max(path.stat().st_size for path in faulty.folder.glob(f"{STATE}-wal"))
        resource.prlimit(process[0].pid, resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    api.judge = once("batch" if sends else "collections", limit)
    process.append(faulty.started_run())
    ended = end_of(process[0])
    assert ended.code == 8
    assert "free space or check it, and run again" in ended.stream["message"]
    in_flight = len(api.taken)
    assert 0 < in_flight <= IN_FLIGHT * PER_CALL if sends else in_flight == 0
    assert faulty.run().code == 0
    assert arrived(api) == wanted(database)
    assert len(api.taken) - 200 <= in_flight


# -- who may read it


@pytest.mark.parametrize("umask", [0o000, pytest.param(0o022, marks=pytest.mark.slow)], ids=["000", "022"])
def test_the_store_is_its_owner_s_alone_after_every_command_and_while_it_is_used(
    tmp_path: Path, faulty: FaultyPlace, database: Database, api: MemoryApi, umask: int
) -> None:
    fill(database, 1, 30)
    database.do("UPDATE customers SET email = NULL WHERE id IN (3, 4)")
    state, during = faulty.folder / STATE, []

    def modes() -> set[tuple[str, int]]:
        return {(path.name, stat.S_IMODE(path.stat().st_mode)) for path in faulty.folder.glob(f"*{STATE}*")}

    api.judge = lambda _: during.extend(modes())
    before = os.umask(umask)
    try:
        assert faulty.run().code == 3
        exported = faulty.memsync("state", "export", "customers").out
        (tmp_path / "export.json").write_text(exported)
        for command, code in (
            (("status",), 0),
            (("run", "--dry-run"), 0),
            (("run", "--full", "--wait", "0s"), 3),
            (("validate",), 0),
            (("rejects", "list"), 0),
            (("rejects", "retry", "customers", "--wait", "0s"), 3),
            (("rejects", "drop", "customers", "--key", "3", "--yes"), 0),
            (("backfill", "customers", "--wait", "0s"), 3),
            (("state", "import", "customers", str(tmp_path / "export.json"), "--yes"), 0),
            (("state", "reset", "customers", "--yes"), 0),
            (("run", "--wait", "0s"), 3),
        ):
            ended = faulty.memsync(*command)
            assert (command, ended.code) == (command, code), ended.err
            assert modes() == {(STATE, 0o600)}, command
        state.chmod(0o644)  # a copy that somebody made
        assert faulty.run().code == 0
        assert modes() == {(STATE, 0o600)}
    finally:
        os.umask(before)
    assert {(STATE, 0o600), (f"{STATE}-wal", 0o600), (f"{STATE}-shm", 0o600)} <= set(during)
    assert {mode for _, mode in during} == {0o600}
