"""The whole path as a user meets it: Postgres, a map, the command line, a memory service."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fixtures_postgres import Database
from workplace import MAP, TABLE, Workplace, at, memory

from sync.sandbox import Sandbox, SandboxOptions

NAMES = ("read", "filtered", "unchanged", "sent", "rejected")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(database=tmp_path / "sandbox.db")) as one:
        yield one


@pytest.fixture
def place(tmp_path: Path, database: Database, sandbox: Sandbox) -> Workplace:
    database.do(TABLE)
    folder = tmp_path / "work"
    folder.mkdir()
    made = Workplace(folder, at(sandbox) | {"DATABASE_URL": database.url})
    made.write_map(MAP)
    return made


def add(database: Database, first: int, last: int) -> None:
    database.do(
        "INSERT INTO customers (id, email, name, plan, notes) "
        "SELECT n, 'p' || n || '@example.com', 'Name ' || n, ' Team ', 'Note about ' || n || '.' "
        "FROM generate_series(%s::int, %s) n",
        first,
        last,
    )


def counts(summary: dict[str, object]) -> tuple[object, ...]:
    return tuple(summary[name] for name in NAMES)


def test_a_first_run_delivers_everything_and_a_second_one_sends_nothing(
    place: Workplace, database: Database, sandbox: Sandbox
) -> None:
    add(database, 1, 25)
    first = place.run("--wait", "10s")
    assert (first.code, counts(first.stream)) == (0, (25, 0, 0, 25, 0)), first.err
    assert first.stream["settled"] == first.stream["accepted"] == 25
    assert memory(sandbox, "p7@example.com") == {"name": "Name 7", "plan": "team", "notes": "Note about 7."}
    rows = sandbox.seen().rows
    second = place.run()
    assert (second.code, counts(second.stream)[3]) == (0, 0)
    assert sandbox.seen().rows == rows == 25


def test_only_what_changed_is_sent_and_unchanged_text_is_left_out(
    place: Workplace, database: Database, sandbox: Sandbox
) -> None:
    add(database, 1, 25)
    place.run()
    seen = sandbox.seen().bytes
    database.do("UPDATE customers SET plan = 'enterprise', updated_at = now() WHERE id = 3")
    database.do("UPDATE customers SET updated_at = now() WHERE id IN (4, 5)")
    ended = place.run()
    assert (ended.code, counts(ended.stream)) == (0, (3, 0, 2, 1, 0))
    assert memory(sandbox, "p3@example.com") == {"name": "Name 3", "plan": "enterprise", "notes": "Note about 3."}
    assert sandbox.seen().bytes - seen < 1500  # one row without its note


def test_a_row_without_identity_becomes_a_reject_and_leaves_the_list_once_it_is_mended(
    place: Workplace, database: Database, sandbox: Sandbox
) -> None:
    add(database, 1, 3)
    database.do("UPDATE customers SET email = NULL WHERE id = 2")
    ended = place.run()
    assert (ended.code, counts(ended.stream)) == (3, (3, 0, 0, 2, 1))
    assert ended.stream["reasons"] == {"MISSING_IDENTIFIER": 1}
    listed = place.memsync("rejects", "list", "--json").json["rejects"]
    assert [(one["key"], one["code"]) for one in listed] == [("2", "MISSING_IDENTIFIER")]
    assert "Name 2" in place.memsync("rejects", "show", "customers").out
    database.do("UPDATE customers SET email = 'two@example.com' WHERE id = 2")  # updated_at does not move
    assert place.memsync("rejects", "retry", "customers", "--wait", "0s").code == 0
    assert memory(sandbox, "two@example.com")
    assert place.memsync("rejects", "list").out == "No rejects.\n"


def test_a_cleared_value_is_cleared_in_memory(place: Workplace, database: Database, sandbox: Sandbox) -> None:
    add(database, 1, 1)
    place.run()
    database.do("UPDATE customers SET plan = NULL, updated_at = now()")
    assert place.run().code == 0
    assert "plan" not in (memory(sandbox, "p1@example.com") or {})


def test_a_changed_map_sends_everything_again_but_not_the_same_text(
    place: Workplace, database: Database, sandbox: Sandbox
) -> None:
    add(database, 1, 25)
    place.run()
    place.write_map(MAP.replace("    plan:", "    id_in_app: {sourceField: id, collectionName: Contacts}\n    plan:"))
    before = sandbox.seen()
    ended = place.run()
    assert (ended.code, counts(ended.stream)) == (0, (25, 0, 0, 25, 0))
    assert "map changed" in ended.stream["notes"][0]
    assert (memory(sandbox, "p9@example.com") or {})["id_in_app"] in (9, "9")
    assert "Note about" not in str(sandbox.seen().bytes - before.bytes)
    assert counts(place.run().stream)[3] == 0


def test_a_map_that_reads_other_rows_reads_from_the_start(place: Workplace, database: Database) -> None:
    add(database, 1, 20)
    place.write_map(MAP.replace("object: public.customers", "object: public.customers\n  where: id <= 10"))
    assert place.run().stream["sent"] == 10
    place.write_map(MAP)
    ended = place.run()
    assert (ended.stream["sent"], ended.stream["unchanged"]) == (10, 10)


def test_a_dry_run_changes_nothing_anywhere(place: Workplace, database: Database, sandbox: Sandbox) -> None:
    add(database, 1, 25)
    ended = place.run("--dry-run")
    assert (ended.code, ended.stream["sent"], ended.stream["accepted"]) == (0, 25, 0)
    assert ended.stream["estimate"]["calls"] == 3
    assert not (place.folder / "memsync-state.db").exists()
    assert memory(sandbox, "p1@example.com") is None
    place.run()
    before = (place.folder / "memsync-state.db").read_bytes()
    add(database, 26, 30)
    assert place.run("--dry-run").stream["sent"] == 5
    assert (place.folder / "memsync-state.db").read_bytes() == before
    assert memory(sandbox, "p26@example.com") is None


def test_a_limit_sends_so_many_rows_and_the_next_run_goes_on(place: Workplace, database: Database) -> None:
    add(database, 1, 25)
    first = place.run("--limit", "10")
    assert (first.code, counts(first.stream)) == (0, (10, 0, 0, 10, 0))
    second = place.run("--limit", "10")
    assert (second.stream["sent"], second.stream["unchanged"]) == (10, 10)
    assert place.run().stream["sent"] == 5


def test_full_reads_everything_and_resend_sends_it(place: Workplace, database: Database) -> None:
    add(database, 1, 12)
    place.run()
    assert counts(place.run("--full").stream) == (12, 0, 12, 0, 0)
    assert counts(place.run("--full", "--resend").stream) == (12, 0, 0, 12, 0)
    assert counts(place.run().stream)[3] == 0


def test_a_backfill_reads_its_range_and_leaves_the_cursor_alone(place: Workplace, database: Database) -> None:
    database.do("SET TIME ZONE 'UTC'")
    add(database, 1, 10)
    for number in range(1, 11):
        database.do(
            "UPDATE customers SET updated_at = make_timestamptz(2024, %s, 1, 0, 0, 0) WHERE id = %s", number, number
        )
    ended = place.memsync(
        "backfill", "customers", "--since", "2024-03-01", "--until", "2024-06-01", "--wait", "0s", "--json"
    )
    assert (ended.code, ended.stream["sent"]) == (0, 3), ended.err
    positions = place.memsync("status", "customers", "--json").json["streams"][0]["positions"]
    assert list(positions) == ["backfill 2024-03-01 00:00:00+00:00..2024-06-01 00:00:00+00:00"]
    assert counts(place.run().stream) == (10, 0, 3, 7, 0)


def test_an_event_that_ends_later_is_followed_by_the_next_run(
    tmp_path: Path, place: Workplace, database: Database
) -> None:
    add(database, 1, 25)
    with Sandbox(SandboxOptions(database=tmp_path / "late.db", delay=3)) as late:
        place.variables["PERSONIZE_BASE_URL"] = late.url
        first = place.run()
        assert (first.code, first.stream["accepted"], first.stream["settled"], first.stream["waiting"]) == (
            0,
            25,
            0,
            25,
        )
        second = place.run("--wait", "10s")
        assert (second.code, second.stream["sent"], second.stream["settled"], second.stream["waiting"]) == (0, 0, 25, 0)


def test_a_map_that_was_wrong_for_a_run_and_is_put_back_has_not_changed(place: Workplace, database: Database) -> None:
    add(database, 1, 5)
    assert place.run().code == 0
    place.write_map(MAP.replace("sourceField: plan", "sourceField: plann"))
    assert place.run().code == 2
    place.write_map(MAP)
    ended = place.run()
    assert (ended.code, ended.stream["read"], ended.stream["notes"]) == (0, 0, [])


def test_rows_killed_in_the_middle_arrive_with_the_next_run(
    place: Workplace, database: Database, sandbox: Sandbox
) -> None:
    add(database, 1, 400)
    with place.start("run", "--wait", "0s") as process:
        while sandbox.seen().rows < 60:
            time.sleep(0.005)
        process.kill()
        process.communicate()
    ended = place.run()
    assert ended.code == 0, ended.err
    assert ended.stream["sent"] + ended.stream["unchanged"] == 400
    assert all(memory(sandbox, f"p{number}@example.com") for number in (1, 60, 61, 200, 400))
    assert sandbox.seen().rows <= 400 + 4 * 10


def test_a_signal_stops_cleanly_with_its_own_exit_code(tmp_path: Path, place: Workplace, database: Database) -> None:
    add(database, 1, 200)
    with Sandbox(SandboxOptions(database=tmp_path / "slow.db", latency=0.3)) as slow:
        place.variables["PERSONIZE_BASE_URL"] = slow.url
        with place.start("run", "--json") as process:
            while slow.seen().rows < 20:
                time.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            out, _ = process.communicate(timeout=20)
            assert time.monotonic() - began < 8
        assert process.returncode == 143
        assert '"status": "stopped"' in out
        rest = place.run()
        assert rest.code == 0
        assert slow.seen().rows == 200


def test_a_second_runner_leaves_at_once_and_names_the_first(
    tmp_path: Path, place: Workplace, database: Database, sandbox: Sandbox
) -> None:
    add(database, 1, 100)
    with Sandbox(SandboxOptions(database=tmp_path / "slow.db", latency=2.0)) as slow:
        place.variables["PERSONIZE_BASE_URL"] = slow.url
        with place.start("run", "--json", "--wait", "0s") as first:
            while slow.seen().rows < 10:
                time.sleep(0.01)
            place.variables["PERSONIZE_BASE_URL"] = sandbox.url
            second = place.run()
            assert (second.code, second.stream["status"]) == (7, "held")
            assert f"process {first.pid}" in second.stream["message"]
            first.communicate(timeout=30)
            assert first.returncode == 0


def test_the_plan_s_limit_holds_and_a_used_up_month_ends_the_run_cleanly(
    tmp_path: Path, place: Workplace, database: Database
) -> None:
    add(database, 1, 200)
    with Sandbox(SandboxOptions(database=tmp_path / "tight.db", per_month=12)) as tight:
        place.variables["PERSONIZE_BASE_URL"] = tight.url
        ended = place.run()
        assert ended.code == 6
        assert ended.stream["status"] == "quota"
        assert 0 < ended.stream["sent"] < 200
        assert sum(counts(ended.stream)[1:]) == ended.stream["read"]
        again = place.run()
        assert again.code == 6
    place.variables["PERSONIZE_BASE_URL"] = ""


def test_another_organisation_is_refused_before_anything_is_sent(
    tmp_path: Path, place: Workplace, database: Database
) -> None:
    add(database, 1, 5)
    place.run()
    with Sandbox(SandboxOptions(database=tmp_path / "other.db")) as other:
        place.variables["PERSONIZE_BASE_URL"] = other.url
        ended = place.run()
        assert ended.code == 2
        assert "memsync state reset" in ended.stream["message"]
        assert other.seen().rows == 0


def test_verify_finds_what_is_missing_in_memory(place: Workplace, database: Database, sandbox: Sandbox) -> None:
    add(database, 1, 30)
    place.run()
    well = place.memsync("verify", "customers", "--sample", "10", "--json")
    assert (well.code, well.json["equal"]) == (0, 10)
    wrong = {"entityType": "contact", "email": "email", "properties": {"plan": {"sourceField": "plan"}}}
    wrong["properties"]["plan"] |= {"collectionId": "col_contacts", "collectionName": "Contacts"}
    rows = [{"email": f"p{number}@example.com", "plan": "other"} for number in range(1, 31)]
    body = {"source": "x", "mapping": wrong, "rows": rows, "tier": "pro", "dryRun": False, "chunkSize": 1}
    headers = {"Authorization": "Bearer sk_test_1"}
    assert httpx.post(f"{sandbox.url}/api/v1/batch-memorize", json=body, headers=headers).status_code == 200
    bad = place.memsync("verify", "customers", "--sample", "10", "--json")
    assert (bad.code, bad.json["different"]) == (3, 10)


def test_verify_tells_rows_that_a_later_row_of_the_same_person_replaced_from_wrong_ones(
    place: Workplace, database: Database
) -> None:
    add(database, 1, 6)
    database.do("UPDATE customers SET email = 'Ana@example.com' WHERE id <= 2")
    database.do("UPDATE customers SET email = 'ana@example.com' WHERE id = 3")
    place.run()
    found = place.memsync("verify", "customers", "--json")
    numbers = {name: found.json[name] for name in ("sampled", "equal", "overwritten", "different", "missing")}
    assert (found.code, numbers) == (
        0,
        {"sampled": 6, "equal": 4, "overwritten": 2, "different": 0, "missing": 0},
    )
    shown = place.memsync("verify", "customers").out
    assert "2 overwritten" in shown
    assert "newest of them wins" in shown


def test_verify_says_present_or_missing_where_a_map_has_nothing_plain_to_compare(
    tmp_path: Path, place: Workplace, database: Database
) -> None:
    lines = [line for line in MAP.splitlines() if not line.lstrip().startswith(("name:", "plan:"))]
    place.write_map("\n".join(lines))
    add(database, 1, 5)
    place.run()
    well = place.memsync("verify", "customers", "--json")
    assert (well.code, well.json["present"], well.json["equal"], well.json["different"]) == (0, 5, 0, 0)
    shown = place.memsync("verify", "customers")
    assert shown.out.splitlines()[0].split()[-1] == "present"
    assert "nothing to compare by value: 5 are present" in shown.out
    with Sandbox(SandboxOptions(database=tmp_path / "empty.db")) as empty:
        place.variables["PERSONIZE_BASE_URL"] = empty.url
        lost = place.memsync("verify", "customers", "--json")
    assert (lost.code, lost.json["present"], lost.json["missing"]) == (3, 0, 5)


def test_no_secret_and_no_value_of_a_record_reaches_the_state_store_or_the_logs(
    place: Workplace, database: Database
) -> None:
    place.variables |= {"PERSONIZE_SECRET_KEY": "sk_test_CANARYKEY", "MEMSYNC_LOG_LEVEL": "debug"}
    add(database, 1, 5)
    database.do("UPDATE customers SET name = 'CANARYNAME', email = 'canary@example.com' WHERE id = 2")
    database.do("UPDATE customers SET email = NULL, notes = 'CANARYNOTE' WHERE id = 3")
    ended = place.run("--debug")
    assert ended.code == 3
    kept = b"".join(path.read_bytes() for path in place.folder.glob("memsync-state.db*"))
    for canary in ("CANARYKEY", "CANARYNAME", "canary@example.com", "CANARYNOTE"):
        assert canary.encode() not in kept
        assert canary not in ended.out + ended.err


def test_rows_of_a_limited_run_or_a_backfill_belong_to_their_organisation_too(
    tmp_path: Path, place: Workplace, database: Database
) -> None:
    add(database, 1, 25)
    assert place.run("--limit", "5").code == 0
    with Sandbox(SandboxOptions(database=tmp_path / "other.db")) as other:
        place.variables["PERSONIZE_BASE_URL"] = other.url
        assert place.run().code == 2
        assert place.run("--dry-run").code == 2
        assert place.memsync("backfill", "customers", "--wait", "0s").code == 2
        assert other.seen().rows == 0


def test_a_map_that_is_put_back_before_its_reading_ended_is_made_good(
    place: Workplace, database: Database, sandbox: Sandbox
) -> None:
    add(database, 1, 25)
    place.run()
    place.write_map(MAP.replace("[strip, lower]", "[strip, upper]"))
    assert place.run("--limit", "5").stream["sent"] == 5
    place.write_map(MAP)
    assert place.run().stream["sent"] == 5
    assert all((memory(sandbox, f"p{n}@example.com") or {})["plan"] == "team" for n in range(1, 26))


def test_a_limit_gets_on_behind_rows_that_cannot_be_sent(place: Workplace, database: Database) -> None:
    add(database, 1, 20)
    database.do("UPDATE customers SET email = NULL WHERE id <= 8")
    assert place.run("--limit", "5").stream["sent"] == 5
    assert place.run("--limit", "5").stream["sent"] == 5
    assert place.run("--limit", "5").stream["sent"] == 2


def test_a_map_that_most_records_do_not_fit_stops_the_run_and_rejects_nothing(
    place: Workplace, database: Database
) -> None:
    add(database, 1, 60)
    place.write_map(MAP.replace("[strip, lower]", "[number]"))
    ended = place.run()
    assert (ended.code, ended.stream["rejected"]) == (2, 0)
    assert "60 of 60 records cannot be mapped" in ended.stream["message"]
    assert place.memsync("validate").code == 2


def test_every_answer_to_json_is_one_document(place: Workplace) -> None:
    for arguments in (["run", "nobody"], ["run", "--limit", "0"], ["status", "nobody"], ["runn"], ["backfill"]):
        ended = place.memsync(*arguments, "--json")
        assert (ended.code, ended.json["ok"], ended.json["exit"]) == (2, False, 2)
        assert ended.json["error"]


def test_a_signal_while_the_destination_is_asked_who_it_is_ends_with_its_own_code(
    place: Workplace, database: Database, tmp_path: Path
) -> None:
    with Sandbox(SandboxOptions(database=tmp_path / "slow.db", latency=30)) as slow:
        place.variables["PERSONIZE_BASE_URL"] = slow.url
        with place.start("run", "--json") as process:
            while not slow.calls():
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            process.communicate(timeout=20)
        assert process.returncode == 143
        assert time.monotonic() - began < 8.5
