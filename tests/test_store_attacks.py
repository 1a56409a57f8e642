"""A state file that cannot be used: exit 8 with a remedy, the file as it was, and no row lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from doubles.memory_api import MemoryApi
from fixtures_attacks import IN_FLIGHT, PER_CALL, STATE, arrived, digest, once, wanted
from fixtures_faults import FaultyPlace, fill
from fixtures_postgres import Database

# -- a file that cannot be used, or is not ours


def _header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\xff" * 20)


def _foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE accounts (id INTEGER)")


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as store:
        store.execute("UPDATE memsync_meta SET version = 99")
        store.commit()


SPOILED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "header": (_header, "is not a SQLite database; restore a copy, or move the file away to start over"),
    "cut off": (lambda path: os.truncate(path, 4096), "is damaged; restore a copy"),
    "empty": (lambda path: os.truncate(path, 0), "is empty, so it is not the store that was here; restore a copy"),
    "foreign": (_foreign, "belongs to another program; change MEMSYNC_STATE_URL"),
    "text": (lambda path: path.write_text("id,email\n" * 900), "is not a SQLite database; restore a copy"),
    "newer": (_newer, "written by a newer memsync (store version 99"),
}
COMMANDS = (
    ("run",),
    ("run", "--full", "--resend"),
    ("run", "--dry-run"),
    ("backfill", "customers"),
    ("status",),
    ("rejects", "list"),
    ("state", "export", "customers"),
    ("state", "reset", "customers", "--yes"),
)


def test_a_file_that_is_no_store_of_ours_stops_every_command_and_stays_as_it_is(
    faulty: FaultyPlace, api: MemoryApi, used: Path
) -> None:
    whole = used.read_bytes()
    for name, (spoil, words) in SPOILED.items():
        spoil(used)
        before = digest(used)
        for command in COMMANDS:
            ended = faulty.memsync(*command)
            assert (name, command, ended.code) == (name, command, 8)
            assert words in ended.err
            assert ended.err.count("\n") == 1
            assert digest(used) == before, (name, command)
            assert sorted(path.name for path in faulty.folder.glob("*state*")) == [STATE]
        used.write_bytes(whole)
    assert api.calls == []
    assert faulty.run().code == 0


def test_a_damaged_page_stops_the_run_where_it_is_met_and_loses_no_row(
    faulty: FaultyPlace, database: Database, api: MemoryApi, used: Path
) -> None:
    """Every page of the file in turn: what cannot be read is never taken for empty."""
    whole = used.read_bytes()
    database.do("UPDATE customers SET name = 'new', updated_at = now() WHERE id % 7 = 0")
    expected = wanted(database)
    changed = {email: name for email, name in expected.items() if name == "new"}
    stopped = 0
    for page in range(1, len(whole) // 4096):
        damaged = b"\xde\xad" * 2048
        used.write_bytes(whole[: page * 4096] + damaged + whole[(page + 1) * 4096 :])
        api.taken.clear()
        ended = faulty.run()
        assert ended.code in (0, 8), (page, ended.err)
        if ended.code == 8:
            stopped += 1
            assert "is damaged; restore a copy" in ended.err + ended.out
            assert used.read_bytes()[page * 4096 : (page + 1) * 4096] == damaged
            assert len(api.taken) <= IN_FLIGHT * PER_CALL
            used.write_bytes(whole)
            for rest in ("-wal", "-shm"):
                Path(f"{used}{rest}").unlink(missing_ok=True)
            assert faulty.run().code == 0
        assert arrived(api) == changed, page
    assert stopped >= 5


def test_a_damaged_page_that_is_read_before_sending_costs_no_call_with_rows(
    faulty: FaultyPlace, database: Database, api: MemoryApi, used: Path
) -> None:
    database.do("UPDATE customers SET updated_at = now()")
    for table in ("memsync_fingerprints", "memsync_positions", "memsync_leases", "memsync_streams"):
        whole = used.read_bytes()
        with closing(sqlite3.connect(f"{used.as_uri()}?immutable=1", uri=True)) as store:
            page = store.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
        used.write_bytes(whole[: (page - 1) * 4096] + b"\xde\xad" * 2048 + whole[page * 4096 :])
        assert (table, faulty.run().code) == (table, 8)
        assert api.taken == []
        used.write_bytes(whole)


AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-m", "sync"]


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="becoming another user takes root")
@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "words"),
    [
        (0o777, 0o644, "is read-only; make it writable or change MEMSYNC_STATE_URL"),
        (0o755, 0o666, "its folder is read-only, but SQLite writes beside the file; make it writable"),
        (0o755, None, "is not open to this user; change its permissions or change MEMSYNC_STATE_URL"),
    ],
    ids=["file", "folder", "no store yet"],
)
def test_what_this_user_may_not_write_is_told_before_anything_is_asked(
    faulty: FaultyPlace, database: Database, api: MemoryApi, folder_mode: int, file_mode: int | None, words: str
) -> None:
    fill(database, 1, 20)
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        path = Path(name) / "state" / "state.db"
        path.parent.mkdir()
        faulty.variables["MEMSYNC_STATE_URL"] = f"sqlite:///{path}"
        before = None
        if file_mode is not None:
            assert faulty.run("--limit", "5").code == 0
            path.chmod(file_mode)
            before = digest(path)
        path.parent.chmod(folder_mode)
        api.calls.clear()
        shutil.copytree(faulty.folder / "mappings", Path(name) / "mappings")
        variables = {"PATH": os.environ["PATH"], **faulty.variables}
        done = subprocess.run([*AS_NOBODY, "run"], cwd=name, env=variables, capture_output=True, text=True, timeout=60)
        assert (done.returncode, api.calls) == (8, []), done.stderr
        assert words in done.stderr
        assert [digest(found) for found in path.parent.iterdir()] == ([before] if before else [])


# -- a file that goes away while it is used


def test_a_store_that_is_deleted_while_a_run_uses_it_ends_the_run_and_is_not_made_anew(
    faulty: FaultyPlace, database: Database, api: MemoryApi, used: Path
) -> None:
    fill(database, 61, 260)
    api.judge = once("batch", used.unlink, at=6)
    ended = faulty.run()
    assert (ended.code, used.exists()) == (8, False)
    assert "was moved or replaced while in use; put it back and run again" in ended.stream["message"]
    assert len(api.taken) < 200
    # Its log is still there, so that the file can be put back; without it everything is read and sent again, as in a
    # job whose cache was not restored, and nothing is lost.
    assert faulty.run().code == 8
    for left in ("-wal", "-shm"):
        Path(f"{used}{left}").unlink()
    assert faulty.run().code == 0
    assert arrived(api) == wanted(database)


def test_a_store_that_is_replaced_while_a_run_uses_it_ends_the_run_and_gets_no_cursor(
    tmp_path: Path, faulty: FaultyPlace, database: Database, api: MemoryApi, used: Path
) -> None:
    cursor, older = faulty.position(), tmp_path / "older.db"
    shutil.copy(used, older)
    before = digest(older)
    fill(database, 61, 260)
    api.judge = once("batch", lambda: shutil.copy(older, tmp_path / "swap") and (tmp_path / "swap").replace(used), at=6)
    ended = faulty.run()
    assert ended.code == 8
    assert digest(used) == before
    sent = len(api.taken)
    for left in ("-wal", "-shm"):
        Path(f"{used}{left}").unlink(missing_ok=True)
    assert faulty.position() == cursor
    assert faulty.run().code == 0
    assert {email: name for email, name in wanted(database).items() if email in arrived(api)} == arrived(api)
    assert len(set(api.emails)) == 200
    assert len(api.taken) == 200 + sent


# -- a store in Postgres


@pytest.fixture
def elsewhere(schema_url: str, faulty: FaultyPlace) -> Iterator[psycopg.Connection[Any]]:
    """A session in the schema that the state is kept in."""
    faulty.variables["MEMSYNC_STATE_URL"] = schema_url
    with psycopg.connect(schema_url, autocommit=True) as session:
        yield session


def test_a_connection_to_the_store_that_is_cut_while_rows_are_sent_costs_nothing(
    faulty: FaultyPlace, database: Database, api: MemoryApi, elsewhere: psycopg.Connection[Any]
) -> None:
    fill(database, 1, 100)
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'memsync' AND datname = current_database()"
    )
    api.judge = once("batch", lambda: elsewhere.execute(cut), at=3)
    ended = faulty.run()
    assert ended.code in (0, 8), ended.err
    sent = len(api.taken)
    assert ended.code == 0 or sent <= 3 * PER_CALL + IN_FLIGHT * PER_CALL
    api.judge = lambda _: None
    assert faulty.run().code in (0, 7)  # 7: what this very process could not give back
    assert len(api.taken) - len(set(api.emails)) <= IN_FLIGHT * PER_CALL


@pytest.mark.parametrize("table", ["memsync_chunks", "memsync_fingerprints", "memsync_leases"])
def test_tables_that_are_dropped_while_rows_are_sent_end_the_run_with_the_remedy(
    faulty: FaultyPlace, database: Database, api: MemoryApi, elsewhere: psycopg.Connection[Any], table: str
) -> None:
    fill(database, 1, 200)
    api.judge = once("batch", lambda: elsewhere.execute(f"DROP TABLE {table}"), at=3)
    ended = faulty.run()
    assert ended.code == 8
    assert "or drop the memsync_ tables that are left to start over" in ended.stream["message"]
    assert len(api.taken) <= 3 * PER_CALL + IN_FLIGHT * PER_CALL
    for (left,) in elsewhere.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE 'memsync%'"
    ).fetchall():
        elsewhere.execute(f"DROP TABLE {left}")
    assert faulty.run().code == 0
    assert arrived(api) == wanted(database)
