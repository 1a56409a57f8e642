"""Records whose identity changed: noticed, named, and on demand kept in their place in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fixtures_postgres import Database
from test_run import add
from workplace import MAP, TABLE, Workplace, at, memory

from sync.maps.marks import marker
from sync.maps.row import HASH_SIZE, identity_moved
from sync.sandbox import Sandbox, SandboxOptions

REKEY = MAP.replace("{rowsPerCall: 10}", "{rowsPerCall: 10, onIdentityChange: rekey}").replace(
    "    plan:", "    source_id: {sourceField: id, collectionName: Contacts}\n    plan:"
)


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


def records_in(sandbox: Sandbox) -> int:
    query = {"type": "contact", "countOnly": True, "page": 1, "pageSize": 1}
    headers = {"Authorization": "Bearer sk_test_1"}
    return int(httpx.post(f"{sandbox.url}/api/v1/search", json=query, headers=headers).json()["data"]["totalMatched"])


def change(database: Database, key: int, email: str) -> None:
    database.do("UPDATE customers SET email = %s, name = 'New', updated_at = now() WHERE id = %s", email, key)


def test_a_record_with_another_address_is_told_and_named(
    place: Workplace, database: Database, sandbox: Sandbox
) -> None:
    add(database, 1, 5)
    assert place.run().stream["identity_changed"] == 0
    change(database, 2, "new@example.com")
    database.do("UPDATE customers SET name = 'Other', updated_at = now() WHERE id = 3")
    ended = place.run()
    assert (ended.stream["sent"], ended.stream["identity_changed"]) == (2, 1)
    assert ended.stream["identity_changed_keys"] == ["2"]
    assert any(
        "1 record with another identity" in note and "under the old one" in note for note in ended.stream["notes"]
    )
    assert memory(sandbox, "p2@example.com") is not None  # the stale twin
    assert place.run().stream["identity_changed"] == 0


def test_letter_case_is_no_change_of_an_address(place: Workplace, database: Database) -> None:
    add(database, 1, 2)
    place.run()
    change(database, 2, "P2@Example.com")
    ended = place.run()
    assert (ended.stream["sent"], ended.stream["identity_changed"]) == (1, 0)


def test_rekey_keeps_one_record_with_what_it_knew(place: Workplace, database: Database, sandbox: Sandbox) -> None:
    place.write_map(REKEY)
    add(database, 1, 5)
    place.run()
    change(database, 2, "new@example.com")
    ended = place.run()
    assert (ended.code, ended.stream["identity_changed"]) == (0, 1), ended.err
    assert any("1 with another identity got the new key" in note for note in ended.stream["notes"])
    assert not any("under the old one" in note for note in ended.stream["notes"])
    assert memory(sandbox, "new@example.com") == memory(sandbox, "p2@example.com")
    assert (memory(sandbox, "new@example.com") or {})["name"] == "New"
    assert records_in(sandbox) == 5


def test_a_new_address_that_another_record_has_is_a_conflict(
    place: Workplace, database: Database, sandbox: Sandbox
) -> None:
    place.write_map(REKEY)
    add(database, 1, 5)
    place.run()
    database.do("DELETE FROM customers WHERE id = 3")
    change(database, 2, "p3@example.com")
    ended = place.run()
    assert any("that another record has" in note for note in ended.stream["notes"])
    assert (ended.code, records_in(sandbox)) == (0, 5)


def people(sandbox: Sandbox) -> dict[str, str]:
    """The records of the sandbox: source_id to name."""
    query = {"type": "contact", "returnRecords": True, "page": 1, "pageSize": 100}
    headers = {"Authorization": "Bearer sk_test_1"}
    found = httpx.post(f"{sandbox.url}/api/v1/search", json=query, headers=headers).json()["data"]["records"]
    return {str(one["source_id"]["value"]): one["name"]["value"] for one in found.values()}


def test_an_address_that_two_records_shared_stays_with_the_other_one(
    place: Workplace, database: Database, sandbox: Sandbox
) -> None:
    place.write_map(REKEY)
    add(database, 1, 2)
    database.do("UPDATE customers SET email = 'shared@example.com'")
    place.run()
    change(database, 2, "new@example.com")
    ended = place.run()
    assert any("shared the old one" in note for note in ended.stream["notes"])
    assert (memory(sandbox, "new@example.com") or {})["name"] == "New"
    assert (memory(sandbox, "new@example.com") or {})["notes"] == "Note about 2."
    assert memory(sandbox, "shared@example.com") is not None
    assert records_in(sandbox) == 2


def test_addresses_that_are_handed_on_lose_nobody(place: Workplace, database: Database, sandbox: Sandbox) -> None:
    place.write_map(REKEY)
    add(database, 1, 4)
    place.run()
    for key in (1, 2, 3):
        database.do("UPDATE customers SET email = %s, updated_at = now() WHERE id = %s", f"p{key + 1}@example.com", key)
    database.do("UPDATE customers SET email = 'p5@example.com', updated_at = now() WHERE id = 4")
    place.run()
    assert people(sandbox).items() >= {"1": "Name 1", "2": "Name 2", "3": "Name 3", "4": "Name 4"}.items()


@pytest.mark.parametrize("policy", ["report", "rekey"])
def test_a_record_that_is_new_in_memory_gets_its_texts(
    place: Workplace, database: Database, sandbox: Sandbox, policy: str
) -> None:
    place.write_map(REKEY.replace("onIdentityChange: rekey", f"onIdentityChange: {policy}"))
    add(database, 1, 3)
    place.run()
    change(database, 2, "new@example.com")
    place.run()
    assert (memory(sandbox, "new@example.com") or {})["notes"] == "Note about 2."


def test_a_limit_of_calls_leaves_progress(place: Workplace, database: Database, sandbox: Sandbox) -> None:
    place.write_map(REKEY)
    add(database, 1, 12)
    place.run()
    database.do("UPDATE customers SET email = 'x' || id || '@example.com', updated_at = now()")
    told = place.run("--dry-run").stream["estimate"]
    assert told["calls_to_rekey"] == 24
    sent = [place.run("--max-calls", "15").stream["sent"] for _ in range(4)]
    assert sum(sent) == 12
    assert all(sent[:2])
    assert records_in(sandbox) == 12


def test_rekey_needs_a_property_with_the_primary_key(place: Workplace, database: Database, sandbox: Sandbox) -> None:
    add(database, 1, 5)
    place.write_map(REKEY.replace("sourceField: id", "sourceField: name"))
    ended = place.run()
    assert (ended.code, ended.stream["sent"]) == (2, 0)
    assert "a property that holds the primary key (id)" in ended.stream["message"]


def test_a_dry_run_rekeys_nothing(place: Workplace, database: Database, sandbox: Sandbox) -> None:
    place.write_map(REKEY)
    add(database, 1, 5)
    place.run()
    change(database, 2, "new@example.com")
    assert place.run("--dry-run").stream["identity_changed"] == 1
    assert memory(sandbox, "new@example.com") is None


@pytest.mark.parametrize("kind", ["email", "website"])
def test_marks_of_addresses_ignore_letter_case_and_those_of_keys_do_not(kind: str) -> None:
    assert marker(kind, b"salt")("Ada@X.org") == marker(kind, b"salt")("ada@x.ORG")
    assert marker("customKey", b"salt")("A1") != marker("customKey", b"salt")("a1")
    assert marker(kind, b"salt")("a@x") != marker(kind, b"pepper")("a@x")


def test_a_row_in_doubt_keeps_the_mark_of_its_identity() -> None:
    from sync.intake import in_doubt

    before = bytes(range(HASH_SIZE + 4 + 8))
    assert not identity_moved(in_doubt(before, before), before)
