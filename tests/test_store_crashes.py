"""Power that fails, copies that are put back, logs that are left behind: a rerun converges, and no row is lost."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from doubles.memory_api import MemoryApi
from fixtures_attacks import PER_CALL, arrived, crash, digest, once, put_back, wanted
from fixtures_faults import FaultyPlace, end_of, fill
from fixtures_postgres import Database
from workplace import MAP, TABLE

from sync.maps.row import HASH_SIZE

# -- power that fails, and copies that are put back


def _remembered(path: Path) -> tuple[str, set[str]]:
    """A digest of everything that a store remembers, and the keys of the rows whose delivery it knows."""
    with closing(sqlite3.connect(path)) as store:
        text = "\n".join(store.iterdump())
        new = {
            key
            for key, known in store.execute("SELECT key, fingerprint FROM memsync_fingerprints")
            if known != FIRST.get(key) and not known.startswith(bytes(HASH_SIZE))  # in doubt: to be sent again
        }
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return hashlib.sha256(text.encode()).hexdigest(), new


FIRST: dict[str, bytes] = {}
"""The fingerprints before the recorded run."""


def _cuts(log: bytes) -> Iterator[tuple[str, bytes]]:
    """The log cut at every frame, torn within some, and with bits that flipped."""
    frame = 24 + 4096
    for end in range(32, len(log) + 1, frame):
        yield f"cut at {end}", log[:end]
    for number, end in enumerate(range(32, len(log), frame * 5)):
        yield f"torn at {end}", log[: end + 1 + 997 * number % frame]
        at = end + 40 + 1013 * number % 4000
        yield f"flipped at {at}", log[:at] + bytes([log[at] ^ 16]) + log[at + 1 :]


def test_power_that_fails_at_any_frame_of_the_log_costs_repeats_of_what_was_cut_and_no_row(
    faulty: FaultyPlace, database: Database, api: MemoryApi, used: Path
) -> None:
    with closing(sqlite3.connect(used)) as store:
        FIRST.clear()
        FIRST.update(store.execute("SELECT key, fingerprint FROM memsync_fingerprints"))
    database.do("UPDATE customers SET name = 'new', updated_at = now() WHERE id <= 15")
    fill(database, 61, 100)
    database.do("UPDATE customers SET email = NULL WHERE id = 77")
    faulty.variables["MEMSYNC_IN_FLIGHT"] = "1"
    process: list[subprocess.Popen[str]] = []
    api.judge = once("batch", lambda: process[0].kill(), at=5)
    process.append(faulty.started_run())
    assert end_of(process[0]).code == -9
    api.judge = lambda _: None
    content, log, ledger = used.read_bytes(), Path(f"{used}-wal").read_bytes(), list(api.taken)
    assert len(ledger) == 5 * PER_CALL
    expected = {email: name for email, name in wanted(database).items() if name == "new" or int(email[1:-12]) > 60}
    seen: dict[str, str] = {}
    for name, part in _cuts(log):
        put_back(used, content, part)
        state, known = _remembered(used)
        if state in seen:
            continue
        seen[state] = name
        put_back(used, content, part)
        api.taken = list(ledger)
        ended = faulty.run()
        assert ended.code == 3, (name, ended.err)  # one row has no address
        assert arrived(api) == expected, name
        again = {str(row["email"]) for row in api.taken[len(ledger) :]}
        assert again == {email for email in expected if email[1:-12] not in known}, name
        assert len(api.taken) - len(ledger) == len(again), name
        assert [one["key"] for one in faulty.rejects()] == ["77"]
    assert len(seen) >= 6  # the lease, the run, and each chunk


def test_an_old_copy_that_is_put_back_sends_what_it_does_not_know_and_nothing_else(
    faulty: FaultyPlace, database: Database, api: MemoryApi, used: Path
) -> None:
    copy = used.read_bytes()
    database.do("UPDATE customers SET name = 'new', updated_at = now() WHERE id <= 5")
    database.do("UPDATE customers SET updated_at = now() WHERE id BETWEEN 10 AND 20")
    fill(database, 61, 75)
    assert faulty.run().code == 0
    first = sorted(api.emails)
    assert len(first) == 20
    put_back(used, copy, b"")
    api.taken.clear()
    ended = faulty.run()
    assert ended.code == 0
    assert sorted(api.emails) == first
    api.taken.clear()
    assert faulty.run().code == 0
    assert api.taken == []


def test_the_log_of_a_store_that_is_gone_is_not_written_into_a_new_one(
    faulty: FaultyPlace, database: Database, api: MemoryApi, used: Path
) -> None:
    fill(database, 61, 160)
    crash(faulty, api)
    used.rename(used.with_name("elsewhere.db"))
    log = Path(f"{used}-wal")
    before, calls = digest(log), len(api.calls)
    ended = faulty.run()
    assert (ended.code, len(api.calls), digest(log), used.exists()) == (8, calls, before, False)
    assert "put the file back, or move that one away too to start over" in ended.err
    kept = log.read_bytes()
    log.unlink()
    Path(f"{used}-shm").unlink()
    ended = faulty.run()
    assert (ended.code, ended.stream["sent"], ended.stream["waiting"]) == (0, 160, 160)
    # Or the file is put back, and all goes on where the crash left it.
    used.with_name("elsewhere.db").replace(used)
    log.write_bytes(kept)
    api.taken.clear()
    assert faulty.run().code == 0
    assert 60 <= len(api.taken) <= 60 + PER_CALL


def test_an_old_copy_that_does_not_fit_the_log_beside_it_is_damaged_and_the_remedy_names_the_log(
    faulty: FaultyPlace, database: Database, api: MemoryApi, used: Path
) -> None:
    copy = used.read_bytes()
    faulty.variables["MEMSYNC_IN_FLIGHT"] = "1"  # the same pages every time
    fill(database, 61, 1300)
    assert faulty.run().code == 0
    fill(database, 1301, 1400)
    crash(faulty, api)
    used.write_bytes(copy)
    api.taken.clear()
    ended = faulty.run()
    assert (ended.code, api.taken) == (8, [])
    assert "take the -wal file beside it away too" in ended.err + ended.out
    put_back(used, copy, b"")
    assert faulty.run().code == 0
    assert arrived(api) == {email: name for email, name in wanted(database).items() if int(email[1:-12]) > 60}


# -- two streams on one store


def test_what_happens_to_one_stream_leaves_the_state_of_another_as_it_is(
    faulty: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    database.do(TABLE.replace("customers", "partners"))
    faulty.write_map(MAP.replace("customers", "partners"), "partners.yaml")
    fill(database, 1, 20)
    fill(database, 21, 40, "partners")
    assert faulty.run().code == 0

    def kept() -> Any:
        tables = faulty.memsync("state", "export", "partners").json["tables"]
        return {name: rows for name, rows in tables.items() if name != "memsync_runs"}

    before = kept()
    assert faulty.run("customers", "--full", "--resend").code == 0
    assert faulty.memsync("state", "reset", "customers", "--yes").code == 0
    assert kept() == before
    fill(database, 41, 45, "partners")
    database.do("DROP TABLE customers")
    ended = faulty.run()
    by_name = {one["stream"]: one for one in ended.json["streams"]}
    assert (ended.code, by_name["customers"]["exit"], by_name["partners"]["exit"]) == (2, 2, 0)
    assert {f"p{number}@example.com" for number in range(21, 46)} <= set(api.emails)
