"""Nobody who reads along: a run does its work all the same, and its exit code says how that went."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from doubles.memory_api import MemoryApi
from fixtures_faults import OURS, FaultyPlace, fill
from fixtures_postgres import Database

FULL = "memsync: standard output cannot be written (No space left on device); what the command did is kept\n"
Start = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def start(faulty: FaultyPlace) -> Start:
    """Run a command whose streams are redirected as a shell would do it, or given."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}

    def started(redirection: str, *arguments: str, **streams: Any) -> subprocess.CompletedProcess[str]:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
        return subprocess.run(
            ["sh", "-c", f'exec "$0" -m sync "$@" {redirection}', sys.executable, *arguments],
            cwd=faulty.folder,
            env=clean | faulty.variables,
            text=True,
            timeout=60,
            check=False,
            **streams,
        )

    return started


def _bad(database: Database, api: MemoryApi) -> tuple[str, ...]:
    """Twenty rows of which one has no address: a run that must end with 3."""
    number = 1 + database.do("SELECT count(*) FROM customers")[0][0]
    fill(database, number, number + 19)
    database.do("UPDATE customers SET email = NULL WHERE id = %s", number)
    api.taken.clear()
    return "run", "--wait", "0s"


@pytest.mark.parametrize(
    ("redirection", "says"), [("> /dev/full", FULL), ("> /dev/full 2>&1", ""), (">&- 2>&- <&-", "")]
)
def test_streams_that_are_full_or_closed_change_nothing_but_what_is_read_there(
    start: Start, faulty: FaultyPlace, database: Database, api: MemoryApi, redirection: str, says: str
) -> None:
    ended = start(redirection, *_bad(database, api))
    assert (ended.returncode, len(api.taken)) == (3, 19)
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
    status = faulty.memsync("status", "customers", "--json").json["streams"][0]
    assert (status["delivered"], status["rejected"], status["runs"][0]["status"]) == (19, 1, "rejects")


def test_what_was_asked_for_and_could_not_be_written_is_a_failure(start: Start) -> None:
    for command in ("status", "schema"):  # a few lines, and more than fits a buffer
        ended = start("> /dev/full", command)
        assert (ended.returncode, ended.stderr) == (1, FULL)


@pytest.mark.parametrize("which", ["stdout", pytest.param("stderr", marks=pytest.mark.slow), "both"])
def test_a_reader_who_leaves_does_not_end_the_run(start: Start, database: Database, api: MemoryApi, which: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    streams = {name: writing for name in ("stdout", "stderr") if which in (name, "both")}
    try:
        ended = start("", *_bad(database, api), **streams)
        assert (ended.returncode, len(api.taken)) == (3, 19)
        assert not ended.stderr
        if which == "stdout":
            assert start("", "status", **streams).returncode == 0
    finally:
        os.close(writing)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no file system in memory")
def test_warnings_that_nobody_can_read_do_not_end_the_run(
    start: Start, faulty: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        faulty.variables |= {"MEMSYNC_LOG_LEVEL": "debug", "MEMSYNC_STATE_URL": f"sqlite:///{memory}/state.db"}
        command = _bad(database, api)
        assert "is in memory" in start("", *command).stderr
        ended = start("2> /dev/full", *_bad(database, api))
        assert (ended.returncode, len(api.taken)) == (3, 19)
