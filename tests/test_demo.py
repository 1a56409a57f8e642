"""The demo as a newcomer starts it, and the folder that it leaves."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest
from workplace import Workplace


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    tmp_path.chmod(0o755)
    return Workplace(tmp_path)


def servers_in(folder: Path) -> list[int]:
    """Postgres processes that work on data in the folder."""
    found = psutil.process_iter(["cmdline"])
    return [one.pid for one in found if any(str(folder) in part for part in one.info["cmdline"] or [])]


def test_the_demo_shows_both_runs_and_leaves_a_folder_that_works(place: Workplace) -> None:
    began = time.monotonic()
    ended = place.memsync("demo", "--rows", "1300")
    assert ended.code == 0, ended.err
    assert time.monotonic() - began < 30
    assert "read 1,300 = sent 1,300 + unchanged 0 + rejected 0 + filtered 0" in ended.out
    assert "read 6 = sent 5 + unchanged 0 + rejected 1 + filtered 0" in ended.out
    assert "20 equal, 0 different, 0 missing" in ended.out
    folder = place.folder / "memsync-demo"
    assert not servers_in(folder)
    inside = Workplace(folder)
    with inside.start("sandbox") as sandbox:
        assert sandbox.stderr
        assert "Sandbox at" in sandbox.stderr.readline()
        again = inside.run()
        sandbox.send_signal(signal.SIGTERM)
    assert (again.code, again.stream["sent"]) == (0, 0), again.err
    assert not servers_in(folder)
    assert [one["key"] for one in inside.memsync("rejects", "list", "--json").json["rejects"]] == ["3003"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_demo_leaves_no_process_behind(place: Workplace, number: signal.Signals) -> None:
    with place.start("demo", "--rows", "1300") as process:
        while not servers_in(place.folder / "memsync-demo" / "postgres"):
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(number)
        process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert [pid for pid in servers_in(place.folder) if pid != os.getpid()] == []


def test_a_folder_of_somebody_s_own_is_never_replaced(place: Workplace) -> None:
    (place.folder / "memsync-demo").mkdir()
    (place.folder / "memsync-demo" / "thesis.txt").write_text("years of work")
    ended = place.memsync("demo")
    assert ended.code == 2
    assert "--folder" in ended.err
    assert (place.folder / "memsync-demo" / "thesis.txt").exists()
