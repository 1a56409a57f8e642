"""Opening a store: what is made, what is refused with one line and a remedy, and that nothing is overwritten."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fixtures_state import accepted, owner, position, postgres_state_url
from sqlalchemy import Connection

from state import Store, StoreUnusable, migrations, open_store
from state.address import shown, state_url
from state.errors import StateUrlInvalid, StoreUnreachable
from state.migrations import migrate
from state.owner import this_process
from state.tables import VERSION


def _url(path: Path) -> str:
    return f"sqlite:///{path}"


def _print_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _refused(path: Path, words: str) -> None:
    """The file is refused in one line that says so, and is left as it is."""
    before = _print_of(path)
    with pytest.raises(StoreUnusable, match=words) as caught:
        open_store(_url(path)).close()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert _print_of(path) == before
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name]


@pytest.fixture
def filled(sqlite_path: Path) -> Path:
    """A store that was closed in order, with some thousands of rows."""
    with open_store(_url(sqlite_path)) as store:
        lease = store.acquire("contacts", owner())
        store.apply(lease, accepted(*(f"key-{number}" for number in range(3_000))))
        store.release(lease)
    return sqlite_path


def test_a_new_store_and_the_files_beside_it_are_for_their_owner_alone(sqlite_path: Path) -> None:
    with open_store(_url(sqlite_path)) as store:
        store.acquire("contacts", owner())
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in sqlite_path.parent.iterdir()}
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}


def test_a_copy_that_others_could_read_is_made_private(filled: Path) -> None:
    filled.chmod(0o644)
    with open_store(_url(filled)) as store:
        store.acquire("companies", owner())
        assert {stat.S_IMODE(path.stat().st_mode) for path in filled.parent.iterdir()} == {0o600}


def test_a_store_is_as_it_was_when_it_is_opened_again(state_url: str) -> None:
    with open_store(state_url) as store:
        store.apply(store.acquire("contacts", owner()), accepted("a", at=3))
    with open_store(state_url) as store:
        assert store.position("contacts", "incremental") == position(3)


def test_sqlite_is_set_up_for_durability(sqlite_path: Path) -> None:
    with open_store(_url(sqlite_path)) as store, store._reading() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "trusted_schema", "busy_timeout", "foreign_keys")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "trusted_schema": 0,
        "busy_timeout": 15_000,
        "foreign_keys": 1,
    }


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match=r"the folder .*missing does not exist; create it or change"):
        open_store(_url(tmp_path / "missing" / "state.db"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="is a folder, expected a file"):
        open_store(_url(tmp_path))


def test_a_pipe_in_place_of_the_file_is_refused_and_not_waited_for(sqlite_path: Path) -> None:
    os.mkfifo(sqlite_path)
    with pytest.raises(StoreUnusable, match="is not an ordinary file"):
        open_store(_url(sqlite_path))


def test_a_name_that_the_system_does_not_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="the name is too long"):
        open_store(_url(tmp_path / ("x" * 300)))


def test_a_folder_that_takes_no_files_is_named() -> None:
    with pytest.raises(StoreUnusable, match=r"/proc/state\.db: .*(folder|cannot be opened)"):
        open_store("sqlite:////proc/state.db")


def test_an_empty_file_is_refused_because_the_store_was_elsewhere(sqlite_path: Path) -> None:
    sqlite_path.touch()
    _refused(sqlite_path, "is empty, so it is not the store that was here; restore a copy, or move the file away")


def test_a_file_that_is_no_database_is_refused(sqlite_path: Path) -> None:
    sqlite_path.write_bytes(b"name,email\n" * 1000)
    _refused(sqlite_path, "is not a SQLite database; restore a copy")


@pytest.mark.parametrize("application", [0, 7])
def test_a_database_of_another_program_is_refused(sqlite_path: Path, application: int) -> None:
    with closing(sqlite3.connect(sqlite_path)) as other:
        other.execute("CREATE TABLE memsync_meta (id INTEGER, version INTEGER)")
        other.execute(f"PRAGMA application_id={application}")
    _refused(sqlite_path, "belongs to another program; change MEMSYNC_STATE_URL")


def test_a_store_whose_header_is_garbage_is_refused(filled: Path) -> None:
    with filled.open("r+b") as file:
        file.write(b"\xff" * 20)
    _refused(filled, "is not a SQLite database")


def test_a_store_that_was_cut_off_is_refused(filled: Path) -> None:
    os.truncate(filled, 4096)
    _refused(filled, "is damaged; restore a copy")


def test_a_store_of_a_newer_version_is_refused(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as other:
        other.execute("UPDATE memsync_meta SET version = 99")
        other.commit()
    _refused(filled, r"was written by a newer memsync \(store version 99, this one knows \d+\); upgrade memsync")


def test_a_store_that_does_not_say_its_version_is_refused(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as other:
        other.execute("DELETE FROM memsync_meta")
        other.commit()
    _refused(filled, "does not say its version, so it is damaged")


def test_a_damaged_page_is_told_when_it_is_touched(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as other:
        page = other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'memsync_fingerprints'").fetchone()[0]
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with filled.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xde\xad" * 2048)
    before = _print_of(filled)
    with open_store(_url(filled)) as store:
        assert store.position("contacts", "incremental") == position(1)
        with pytest.raises(StoreUnusable, match="is damaged; restore a copy, or move the file away"):
            store.fingerprints("contacts", ["key-1"])
        with pytest.raises(StoreUnusable, match="is damaged"):
            store.apply(store.acquire("contacts", owner()), accepted("new"))
    with closing(sqlite3.connect(filled)) as other:
        assert other.execute("SELECT count(*) FROM memsync_chunks").fetchone() == (1,)
    assert before  # the lease was written, so the file itself may differ


@pytest.mark.parametrize("change", ["deleted", "replaced"])
def test_a_file_that_goes_away_while_in_use_is_noticed_at_the_next_step(filled: Path, change: str) -> None:
    with open_store(_url(filled)) as store:
        lease = store.acquire("contacts", owner())
        if change == "replaced":
            copy = filled.with_name("copy.db")
            with closing(sqlite3.connect(filled)) as source:
                source.execute(f"VACUUM INTO '{copy}'")
            copy.replace(filled)
        else:
            filled.unlink()
        with pytest.raises(StoreUnusable, match="was moved or replaced while in use; put it back and run again"):
            store.apply(lease, accepted("late"))
    assert filled.exists() == (change == "replaced")


def test_a_store_that_was_closed_says_so(filled: Path) -> None:
    store = open_store(_url(filled))
    store.close()
    with pytest.raises(StoreUnusable, match="is closed"):
        store.streams()


def test_a_backup_made_while_it_is_in_use_is_a_store(filled: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with open_store(_url(filled)) as store:
        store.apply(store.acquire("contacts", owner()), accepted("after", at=2))
        with closing(sqlite3.connect(filled)) as other:
            other.execute(f"VACUUM INTO '{copy}'")
    with open_store(_url(copy)) as store:
        assert store.position("contacts", "incremental") == position(2)
        assert store.counts("contacts")["delivered"] == 3_001


# -- disks that are full, read-only or somebody else's


def _fill_up(store: Store) -> None:
    with store._reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}").close()


def test_a_full_disk_undoes_the_whole_step_and_says_what_to_do(filled: Path) -> None:
    with open_store(_url(filled)) as store:
        lease = store.acquire("contacts", owner())
        _fill_up(store)
        with pytest.raises(StoreUnusable, match="the disk is full; free space and run again, nothing is lost"):
            store.apply(lease, accepted(*(f"more-{number}" for number in range(5_000)), at=2))
        assert store.position("contacts", "incremental") == position(1)
        assert store.fingerprints("contacts", ["more-1"]) == {}
        with store._reading() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=1000000").close()
        store.apply(lease, accepted("more-1", at=2))
        assert store.position("contacts", "incremental") == position(2)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(options, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting takes root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_full_from_the_start_gets_no_half_made_store(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 500 * 1024)
    with pytest.raises(StoreUnusable, match=r"full.*; free space"):
        open_store(_url(small_disk / "state.db"))
    assert list(small_disk.iterdir()) == [ballast]
    ballast.unlink()
    open_store(_url(small_disk / "state.db")).close()


def test_a_disk_that_fills_up_in_a_run_keeps_every_step_before(small_disk: Path) -> None:
    with open_store(_url(small_disk / "state.db")) as store:
        lease, done = store.acquire("contacts", owner()), 0
        with pytest.raises(StoreUnusable, match="disk"):  # noqa: PT012
            for step in range(1, 1000):
                store.apply(lease, accepted(*(f"{step}-{number}" for number in range(200)), at=step))
                done = step
    for found in small_disk.iterdir():
        shutil.copy(found, small_disk.parent / found.name.replace("state", "rescued"))
    with open_store(_url(small_disk.parent / "rescued.db")) as store:
        assert done > 3
        assert store.position("contacts", "incremental") == position(done)
        assert store.counts("contacts")["delivered"] == done * 200


_AS_NOBODY = """
import os, sys
from state import StoreUnusable, open_store
import state.keyed, sqlalchemy.dialects.sqlite
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    open_store(sys.argv[1]).close()
    print("opened")
except StoreUnusable as problem:
    print(problem)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user takes root")
@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "words"),
    [
        (0o755, 0o644, "is read-only; make it writable or change MEMSYNC_STATE_URL"),
        (0o755, 0o666, "its folder is read-only, but SQLite writes beside the file"),
        (0o777, 0o600, "is read-only"),
        (0o700, 0o666, "is not open to this user; change its permissions"),
        (0o755, None, "is not open to this user; change its permissions"),
        (0o777, None, "opened"),
    ],
)
def test_what_another_user_may_not_touch_is_told_with_the_remedy(
    other_process: Callable[..., subprocess.Popen[str]], folder_mode: int, file_mode: int | None, words: str
) -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "state"
        folder.mkdir()
        path = folder / "state.db"
        if file_mode is not None:
            open_store(_url(path)).close()
            path.chmod(file_mode)
        folder.chmod(folder_mode)
        said, _ = other_process(_AS_NOBODY, _url(path)).communicate(timeout=30)
    assert words in said


# -- many at once, and the address itself


def test_many_that_open_at_once_where_nothing_is_get_one_and_the_same_store(state_url: str) -> None:
    gate, salts, problems = threading.Barrier(6), [], []

    def come() -> None:
        gate.wait()
        try:
            with open_store(state_url) as store:
                store.release(store.acquire(f"stream-{threading.get_ident()}", owner()))
                salts.append(len(store.streams()))
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=come) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    with open_store(state_url) as store:
        assert len(store.streams()) == 6


def test_a_reader_waits_for_no_writer_and_holds_none_up(filled: Path) -> None:
    with open_store(_url(filled)) as store, closing(sqlite3.connect(filled, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM memsync_positions")
        assert store.position("contacts", "incremental") == position(1)
        with store._reading() as connection:
            connection.exec_driver_sql("SELECT 1 FROM memsync_positions").close()
            other.execute("COMMIT")
        assert store.position("contacts", "incremental") is None


def test_a_store_that_another_program_keeps_locked_is_told_as_such(filled: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("state.opening._SQLITE_SETTINGS", ("busy_timeout=50",))
    with open_store(_url(filled)) as store, closing(sqlite3.connect(filled, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnreachable, match="is locked by another program; end that program and run again"):
            store.acquire("contacts", owner())
        other.execute("ROLLBACK")
        store.acquire("contacts", owner())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "state.db",
        "mysql://host/db",
        "postgresql+psycopg2://host/db",
        "postgresql+psycopg_async://host/db",
        "postgresql://host:port/db",
        "sqlite://",
        "sqlite:///",
        "sqlite://state.db",
        "sqlite:///state.db?mode=ro",
    ],
)
def test_an_address_that_is_no_store_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(StateUrlInvalid, match=r"MEMSYNC_STATE_URL: .*(sqlite:///FILE)"):
        state_url(text)


def test_an_address_is_shown_without_user_password_or_options() -> None:
    secret = "postgresql://someone:hunter2@db.example.com:6432/memory?sslpassword=hunter3&password=hunter4"
    assert shown(state_url(secret)) == "postgresql://db.example.com:6432/memory"
    assert shown(state_url("postgres:///memory?host=/run/postgres")) == "postgresql:///run/postgres/memory"
    assert shown(state_url("sqlite:///a b/state.db")) == "a b/state.db"


def test_a_file_name_with_odd_characters_is_taken_literally(tmp_path: Path) -> None:
    path = tmp_path / "état 50% #1?x.db"
    with pytest.raises(StateUrlInvalid):
        open_store(_url(path))
    plain = tmp_path / "état 50% #1.db"
    open_store(_url(plain)).close()
    assert [p.name for p in tmp_path.iterdir()] == [plain.name]


def test_a_link_to_a_store_elsewhere_is_followed(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    (tmp_path / "state.db").symlink_to(tmp_path / "volume" / "real.db")
    open_store(_url(tmp_path / "state.db")).close()
    assert [p.name for p in (tmp_path / "volume").iterdir()] == ["real.db"]


def test_a_store_in_memory_works_as_long_as_it_is_open() -> None:
    with open_store("sqlite:///:memory:") as store:
        store.apply(store.acquire("contacts", owner()), accepted("a"))
        assert store.streams() == ["contacts"]


# -- versions


def _rename(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE memsync_runs ADD COLUMN note TEXT")
    connection.exec_driver_sql("UPDATE memsync_runs SET note = command")


def _explode(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE memsync_runs ADD COLUMN worse TEXT")
    raise RuntimeError("half way")


def test_steps_from_an_older_version_are_taken_in_order_and_with_the_version_in_one_transaction(
    store: Store, monkeypatch: Any, state_url: str
) -> None:
    store.start_run(store.acquire("contacts", owner()), "run")
    with pytest.raises(RuntimeError), store._transaction() as connection:
        migrate(connection, store.where, {VERSION: _rename, VERSION + 1: _explode}, VERSION + 2)
    with store._transaction() as connection:
        migrate(connection, store.where, {VERSION: _rename}, VERSION + 1)
        assert connection.exec_driver_sql("SELECT note FROM memsync_runs").scalars().all() == ["run"]
    with pytest.raises(StoreUnusable, match=f"newer memsync .store version {VERSION + 1}, this one knows {VERSION}."):
        open_store(state_url)


def test_a_version_without_a_way_up_is_refused(store: Store) -> None:
    with pytest.raises(StoreUnusable, match="too old to be migrated"), store._transaction() as connection:
        migrate(connection, store.where, {}, VERSION + 1)
    assert len(migrations.STEPS) == VERSION - 1


# -- Postgres


def test_a_database_with_a_table_of_the_same_name_is_left_alone(database: Any) -> None:
    database.do("CREATE TABLE memsync_runs (id int)")
    with pytest.raises(StoreUnusable, match="belongs to another program"):
        open_store(postgres_state_url(database.url))
    assert database.do("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'memsync%'") == [(1,)]


def test_tables_of_the_source_beside_the_state_are_no_trouble(database: Any) -> None:
    database.do("CREATE TABLE runs (id int); CREATE TABLE streams (id int)")
    open_store(postgres_state_url(database.url)).close()


def test_a_connection_that_was_cut_is_made_again(database: Any) -> None:
    with open_store(postgres_state_url(database.url)) as store:
        lease = store.acquire("contacts", owner())
        cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'memsync'"
        assert database.do(cut) == [(1,)]
        store.apply(lease, accepted("a"))
        assert store.has_fingerprints("contacts")


def test_a_connection_that_is_cut_in_a_transaction_undoes_it_and_may_be_tried_again(database: Any) -> None:
    with open_store(postgres_state_url(database.url)) as store:
        lease = store.acquire("contacts", owner())
        with pytest.raises(StoreUnreachable, match=r"stopping or starting|cannot be reached"):  # noqa: PT012, SIM117
            with store._transaction(lease) as connection:
                connection.exec_driver_sql("DELETE FROM memsync_leases")
                database.do("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'memsync'")
                connection.exec_driver_sql("SELECT 1")
        store.renew(lease)


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(StoreUnreachable, match=r"postgresql://127.0.0.1:1/memory: its server cannot be reached") as it:
        open_store("postgresql://me:hunter2@127.0.0.1:1/memory")
    assert "hunter2" not in str(it.value)


def test_a_database_that_does_not_exist_is_told_as_such(database: Any) -> None:
    url = postgres_state_url(psycopg.conninfo.make_conninfo(database.url, dbname="nowhere"))
    with pytest.raises(StoreUnusable, match="the database does not exist; create it or change MEMSYNC_STATE_URL"):
        open_store(url)


def test_a_user_without_rights_is_told_what_to_grant(database: Any) -> None:
    database.do("CREATE ROLE state_guest LOGIN")
    try:
        with pytest.raises(StoreUnusable, match="GRANT it CREATE on the schema"):
            open_store(postgres_state_url(database.as_role("state_guest")))
    finally:
        database.do("DROP ROLE state_guest")


def test_a_read_only_database_is_told_as_such(database: Any) -> None:
    url = postgres_state_url(database.url)
    open_store(url).close()
    database.do("DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() "
                "|| ' SET default_transaction_read_only = on'; END $$")  # fmt: skip
    with open_store(url) as store:
        assert store.streams() == []
        with pytest.raises(StoreUnusable, match="is read-only"):
            store.acquire("contacts", owner())


def test_a_lock_that_another_session_keeps_is_not_waited_for_for_ever(database: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("state.opening._POSTGRES_SETTINGS", "SET LOCAL lock_timeout = 50")
    with open_store(postgres_state_url(database.url)) as store:
        lease = store.acquire("contacts", owner())
        database.do("BEGIN")
        database.do("SELECT * FROM memsync_leases FOR UPDATE")
        with pytest.raises(StoreUnreachable, match="another session holds a lock"):
            store.renew(lease)
        database.do("ROLLBACK")
        store.renew(lease)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
@pytest.mark.parametrize("size", ["60k", "120k", "160k"])
def test_a_disk_that_is_full_while_the_store_is_made_leaves_none_behind(tmp_path: Path, size: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        with pytest.raises(StoreUnusable, match="full"):
            open_store(_url(disk / "state.db")).close()
        assert list(disk.iterdir()) == []
        subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
        open_store(_url(disk / "state.db")).close()
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_second_look_at_a_store_in_use_leaves_its_locks_alone(tmp_path):
    """Once they are gone, the next process that closes the store deletes the log under the one that is writing."""
    url = f"sqlite:///{tmp_path / 'state.db'}"
    with open_store(url) as kept:
        lease = kept.acquire("s", this_process())
        with open_store(url):
            pass
        look = f"from state.store import open_store; open_store({url!r}).close()"
        subprocess.run([sys.executable, "-c", look], check=True, timeout=60)
        assert (tmp_path / "state.db-wal").exists()
        kept.start_run(lease, "run")
        with open_store(url) as other:
            assert [run.command for run in other.last_runs("s")] == ["run"]
