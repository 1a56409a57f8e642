"""`memsync init` on a terminal: it asks, checks at once, keeps what was checked, and ends with a dry run."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from dotenv import dotenv_values
from doubles.hubspot import HubSpot
from terminal import INTERRUPT, Terminal
from workplace import MEMSYNC, at

from sync.maps.load import load_files
from sync.sandbox import Sandbox, SandboxOptions

OURS = ("MEMSYNC_", "PERSONIZE_", "DATABASE_URL", "HUBSPOT_", "SF_", "EU_")
PROSE = "They asked in week {n} whether the contract can be moved to the next year."


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(database=tmp_path / "sandbox.db")) as one:
        yield one


@pytest.fixture
def table(database):
    database.do(
        "CREATE TABLE people (id int PRIMARY KEY, email text, name text, hobby text, notes text, updated_at date)"
    )
    for n in range(30):
        database.do(
            "INSERT INTO people VALUES (%s, %s, %s, %s, %s, now())",
            n, f"p{n}@example.com", f"Roe {n}", f"likes to sail small boats {n}", PROSE.format(n=n),
        )  # fmt: skip


def terminal(folder: Path, *arguments: str, **variables: str) -> Terminal:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return Terminal([MEMSYNC, *arguments], folder, clean | variables)


def test_the_first_five_minutes_end_with_a_dry_run_and_nothing_was_edited(tmp_path, database, table, sandbox):
    folder = tmp_path / "empty"
    folder.mkdir()
    with terminal(folder, "init", PERSONIZE_BASE_URL=sandbox.url, PERSONIZE_API_VERSION="v1.1") as person:
        person.answer("Source [hubspot]", "2")
        person.answer("(not shown)", "postgresql://nobody@127.0.0.1:1/x")
        person.wait_for("That does not work")
        person.answer("(not shown)", database.url)
        person.wait_for("postgres answers; 1 object to choose from.")
        person.answer("(not shown)", "sk with blanks")
        person.wait_for("That does not work: PERSONIZE_SECRET_KEY holds characters that no key has")
        person.answer("(not shown)", "sk_test_1")
        person.wait_for("Memory answers")
        person.answer("Which object?", "peeple")
        person.wait_for("there is no 'peeple'")
        person.answer("Which object?", "people")
        person.answer("Is it free text? [y/N]", "")
        person.answer("Collection for facts", "")
        person.answer("Collection for free text", "")
        person.answer("Write the map to", "")
        person.wait_for("dry run: nothing was stored")
        assert person.end() == 0, person.screen
        assert database.url not in person.screen
        assert "sk_test_1" not in person.screen
    env = folder / ".env"
    assert dotenv_values(env) == {"DATABASE_URL": database.url, "PERSONIZE_SECRET_KEY": "sk_test_1"}
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    found = load_files([folder / "mappings" / "postgres-people.yaml"])[0]
    assert [name for name, one in found.mapping.properties.items() if one.extract_memories] == ["notes"]
    with terminal(folder, "run", PERSONIZE_BASE_URL=sandbox.url, PERSONIZE_API_VERSION="v1.1") as run:
        assert run.end() == 0, run.screen


def test_what_is_set_is_used_and_lines_of_env_are_changed_only_after_asking(tmp_path, crm: HubSpot, sandbox):
    crm.add("contacts", [{"email": f"p{n}@x.example"} for n in range(3)])
    (tmp_path / ".env").write_text(f"HUBSPOT_BASE_URL={crm.url}\nHUBSPOT_ACCESS_TOKEN=old\n# mine\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with terminal(tmp_path, "init", **at(sandbox)) as person:
        person.answer("Source [hubspot]", "")
        person.wait_for("That does not work")
        person.answer("(not shown)", crm.token)
        person.answer(".env sets HUBSPOT_ACCESS_TOKEN already. Change that? [Y/n]", "y")
        person.wait_for("this folder is a git work tree, and .env is not ignored")
        person.wait_for("Memory answers")
        person.answer("Which object?", "")
        person.answer("Collection for facts", "Contacts")
        person.answer("Collection for free text", "")
        person.answer("Write the map to", "")
        assert person.end() == 0, person.screen
    kept = (tmp_path / ".env").read_text()
    assert kept == f"HUBSPOT_BASE_URL={crm.url}\nHUBSPOT_ACCESS_TOKEN={crm.token}\n# mine\n"


def test_a_map_that_exists_is_replaced_only_after_asking(tmp_path, database, table):
    (tmp_path / "mappings").mkdir()
    file = tmp_path / "mappings" / "postgres-people.yaml"
    file.write_text("stream: mine\n")
    with terminal(tmp_path, "init", "postgres", "people", DATABASE_URL=database.url) as person:
        person.answer("Is it free text?", "n")
        person.answer("Write the map to", "")
        person.answer("exists already. Replace it? [y/N]", "")
        assert person.end() == 2
    assert file.read_text() == "stream: mine\n"


def test_an_object_is_asked_for_where_none_is_named_and_ctrl_c_ends_it(tmp_path, database, table):
    with terminal(tmp_path, "init", "postgres", DATABASE_URL=database.url) as person:
        person.answer("Which object?", INTERRUPT)
        assert person.end() == 130
    assert not (tmp_path / "mappings").exists()


def test_with_yes_nothing_is_asked_even_on_a_terminal(tmp_path, database, table):
    with terminal(tmp_path, "init", "postgres", "people", "--yes", DATABASE_URL=database.url) as person:
        assert person.end() == 0, person.screen
    assert (tmp_path / "mappings" / "postgres-people.yaml").exists()
