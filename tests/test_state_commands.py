"""`memsync state`, `status` and `rejects` on stores that are there, missing, empty or damaged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fixtures_state import Clock, accepted, failure, owner
from workplace import MAP

from state import open_store
from state.values import Step
from sync.__main__ import main


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture
def memsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEMSYNC_STATE_URL", "sqlite:///state.db")

    def run(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    with open_store(f"sqlite:///{tmp_path}/state.db") as store:
        lease = store.acquire("contacts", owner())
        number = store.start_run(lease, "run")
        store.apply(lease, accepted("a", "b", at=5))
        store.apply(lease, Step(rejects=[failure("=r"), failure("s", "WORSE")]))
        store.finish_run(lease, number, "ok", {"read": 4, "sent": 2})
        store.release(lease)
    return tmp_path / "state.db"


_READING = [["status"], ["rejects", "list"]]
_OF_ONE = [
    ["status", "contact"],
    ["rejects", "list", "contact"],
    ["rejects", "drop", "contact", "--yes"],
    ["state", "reset", "contact", "--yes"],
    ["state", "set", "contact", "{}", "--yes"],
    ["state", "export", "contact"],
]


@pytest.mark.parametrize("arguments", _READING)
def test_without_a_store_there_is_nothing_to_show_and_none_is_made(
    memsync: Command, tmp_path: Path, arguments: list[str]
) -> None:
    ended = memsync(*arguments)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("No ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", _OF_ONE)
def test_without_a_store_a_named_stream_is_an_error_and_none_is_made(
    memsync: Command, tmp_path: Path, arguments: list[str]
) -> None:
    ended = memsync(*arguments)
    assert ended.code == 2
    assert "nothing is known of 'contact'; no stream has run with this store yet" in ended.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", _OF_ONE)
def test_an_unknown_stream_is_an_error_with_the_nearest_name(
    memsync: Command, filled: Path, arguments: list[str]
) -> None:
    ended = memsync(*arguments)
    assert ended.code == 2
    assert "nothing is known of 'contact'; did you mean contacts?; streams in this state store: contacts" in ended.err
    with open_store(f"sqlite:///{filled}") as store:
        assert store.streams() == ["contacts"]


@pytest.mark.parametrize("arguments", [*_READING, *_OF_ONE])
def test_a_damaged_store_is_one_line_and_exit_code_8(memsync: Command, sqlite_path: Path, arguments: list[str]) -> None:
    sqlite_path.write_bytes(b"garbage" * 1000)
    ended = memsync(*arguments)
    assert (ended.code, ended.out) == (8, "")
    assert "is not a SQLite database; restore a copy, or move the file away" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert sqlite_path.read_bytes() == b"garbage" * 1000


def test_an_address_that_is_no_store_is_exit_code_2(memsync: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMSYNC_STATE_URL", "mysql://host/db")
    ended = memsync("status")
    assert ended.code == 2
    assert "mysql:// is not supported" in ended.err


def test_a_password_in_the_address_is_not_shown(memsync: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMSYNC_STATE_URL", "postgresql://me:hunter2@127.0.0.1:1/db?sslpassword=hunter3")
    for arguments in (["status", "--json"], ["status"], ["rejects", "list", "--json"]):
        ended = memsync(*arguments)
        assert ended.code == 8
        assert "hunter" not in ended.out + ended.err


def test_status_shows_cursors_runs_and_counts(memsync: Command, filled: Path) -> None:
    shown = json.loads(memsync("status", "contacts", "--json").out)
    assert shown["state"] == "state.db"
    (one,) = shown["streams"]
    assert (one["delivered"], one["unsettled_rows"], one["rejected"]) == (2, 2, 2)
    assert one["positions"]["incremental"]["cursor"] == {"v": 1, "at": 5}
    assert [run["status"] for run in one["runs"]] == ["ok"]
    assert "2 rows delivered, 2 of them not settled yet, 0 due again, 2 rejected" in memsync("status", "contacts").out
    assert "contacts" in memsync("status").out


def test_status_lists_a_stream_that_has_a_map_and_never_ran(memsync: Command, filled: Path, tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "new.yaml").write_text(MAP.replace("stream: customers", "stream: new"))
    (tmp_path / "mappings" / "broken.yaml").write_text("stream: [")
    ended = memsync("status")
    assert [line.split()[:2] for line in ended.out.splitlines()[-2:]] == [["contacts", "ok"], ["new", "never"]]
    assert ended.err == ""
    assert "new has not run with this state store yet. Start with: memsync run new" in memsync("status", "new").out
    filled.unlink()
    assert "new     never" in memsync("status").out
    assert "No stream has run with this state store yet" in memsync("status").out
    ((one,),) = [json.loads(memsync("status", "--json").out)["streams"]]
    assert (one["stream"], one["runs"], one["delivered"], one["last_success_at"]) == ("new", [], 0, None)
    assert not filled.exists()


def test_status_shows_a_run_that_was_killed(memsync: Command, sqlite_path: Path) -> None:
    with Clock().open(f"sqlite:///{sqlite_path}") as store:
        store.start_run(store.acquire("contacts", owner()), "run")
    assert "killed" in memsync("status").out


def test_rejects_are_listed_filtered_and_dropped(memsync: Command, filled: Path) -> None:
    listed = json.loads(memsync("rejects", "list", "contacts", "--json").out)
    assert listed["counts"] == {"BAD": 1, "WORSE": 1}
    assert "'=r" in memsync("rejects", "list", "--csv").out
    assert memsync("rejects", "drop", "contacts", "--code", "WORSE", "--yes").out == "contacts: 1 reject dropped\n"
    assert [r["key"] for r in json.loads(memsync("rejects", "list", "--json").out)["rejects"]] == ["=r"]


def test_state_is_set_exported_reset_and_imported(memsync: Command, filled: Path, tmp_path: Path) -> None:
    assert memsync("state", "set", "contacts", '{"v": 1, "at": 9}', "--yes").code == 0
    content = memsync("state", "export", "contacts").out
    (tmp_path / "contacts.json").write_text(content)
    assert memsync("state", "reset", "contacts", "--yes").code == 0
    assert json.loads(memsync("status", "contacts", "--json").out)["streams"][0]["delivered"] == 0
    assert memsync("state", "import", "contacts", "contacts.json", "--yes").code == 0
    assert memsync("state", "export", "contacts").out == content
    assert json.loads(json.loads(content)["tables"]["positions"][0]["cursor"]) == {"v": 1, "at": 9}


def test_an_address_that_may_be_a_secret_is_not_shown(memsync: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMSYNC_STATE_URL", "sk_live_4f2a99://host/db")
    ended = memsync("status")
    assert (ended.code, "sk_live" in ended.err) == (2, False)


def test_a_damaged_export_is_refused_and_changes_nothing(memsync: Command, filled: Path, tmp_path: Path) -> None:
    document = json.loads(memsync("state", "export", "contacts").out)
    document["tables"]["rejects"][0]["attempts"] = "many"
    (tmp_path / "broken.json").write_text(json.dumps(document))
    ended = memsync("state", "import", "contacts", "broken.json", "--yes")
    assert ended.code == 2
    assert "broken.json: is damaged (column attempts: expected int, found str); export it again" in ended.err
    assert json.loads(memsync("status", "--json").out)["streams"][0]["delivered"] == 2


@pytest.mark.parametrize("cursor", ["not json", "[1]", "7", "{}", '{"a": 1}', '{"v": 1e999}'])
def test_a_cursor_that_is_none_of_this_stream_is_refused(memsync: Command, filled: Path, cursor: str) -> None:
    ended = memsync("state", "set", "contacts", cursor, "--yes")
    assert ended.code == 2
    assert "memsync status contacts --json" in ended.err


def test_a_stream_that_is_being_run_cannot_be_changed(memsync: Command, filled: Path) -> None:
    from state.owner import this_process

    with open_store(f"sqlite:///{filled}") as store:
        store.acquire("contacts", this_process())
        for arguments in (["state", "reset"], ["rejects", "drop"]):
            ended = memsync(*arguments, "contacts", "--yes")
            assert ended.code == 7
            assert "another run holds it" in ended.err


def test_a_page_that_is_damaged_is_told_when_it_is_shown(memsync: Command, filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as other:
        page: Any = other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'memsync_rejects'").fetchone()
    with filled.open("r+b") as file:
        file.seek((page[0] - 1) * 4096)
        file.write(b"\xde\xad" * 2048)
    ended = memsync("rejects", "list")
    assert ended.code == 8
    assert "is damaged; restore a copy" in ended.err


@pytest.mark.parametrize("arguments", [("status",), ("status", "contacts")])
def test_status_says_under_its_table_why_the_last_run_failed(
    memsync: Command, filled: Path, arguments: tuple[str, ...]
) -> None:
    assert "contacts:" not in memsync("status").out
    with open_store(f"sqlite:///{filled}") as store:
        lease = store.acquire("contacts", owner())
        number = store.start_run(lease, "backfill --shard 0/4")
        store.finish_run(lease, number, "source", {"read": 4, "message": "the source is away:\ntry again"})
        store.release(lease)
    lines = memsync(*arguments).out.splitlines()
    assert "contacts: the source is away: try again" in lines
    assert any("source (backfill --shard 0/4)" in line or "backfill --shard 0/4  source" in line for line in lines)
