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
from doubles.salesforce import Salesforce
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
        person.answer("Source [1]", "2")
        person.answer("(not shown)", "postgresql://nobody@127.0.0.1:1/x")
        person.wait_for("That does not work")
        person.answer("(not shown)", database.url)
        person.wait_for("postgres answers; 1 object to choose from.")
        person.answer("(not shown)", "sk with blanks")
        person.wait_for(f"That does not work (at {sandbox.url}): PERSONIZE_SECRET_KEY holds characters that no key has")
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
    assert dotenv_values(env) == {
        "DATABASE_URL": database.url,
        "PERSONIZE_SECRET_KEY": "sk_test_1",
        "PERSONIZE_BASE_URL": sandbox.url,  # what the check needed, the next shell needs too
        "PERSONIZE_API_VERSION": "v1.1",
    }
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    found = load_files([folder / "mappings" / "postgres-people.yaml"])[0]
    assert [name for name, one in found.mapping.properties.items() if one.extract_memories] == ["notes"]
    with terminal(folder, "run") as run:
        assert run.end() == 0, run.screen


def test_what_is_set_is_used_and_lines_of_env_are_changed_only_after_asking(tmp_path, crm: HubSpot, sandbox):
    crm.add("contacts", [{"email": f"p{n}@x.example"} for n in range(3)])
    (tmp_path / ".env").write_text(f"HUBSPOT_BASE_URL={crm.url}\nHUBSPOT_ACCESS_TOKEN=old\n# mine\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with terminal(tmp_path, "init", **at(sandbox)) as person:
        person.answer("Source [1]", "")
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


def test_what_was_given_stays_as_the_default_and_what_the_shell_set_is_kept(tmp_path, crm: HubSpot):
    crm.add("contacts", [{"email": f"p{n}@x.example"} for n in range(3)])
    with terminal(tmp_path, "init", "hubspot", "contacts", HUBSPOT_BASE_URL=crm.url) as person:
        person.answer("Give it now? What works is kept in .env. [Y/n]", "")
        person.answer("(not shown)", crm.token)
        person.wait_for("hubspot answers")
        person.answer("Write the map to", "hello")
        assert person.end() == 0, person.screen
    assert dotenv_values(tmp_path / ".env") == {"HUBSPOT_ACCESS_TOKEN": crm.token, "HUBSPOT_BASE_URL": crm.url}
    assert load_files([tmp_path / "mappings" / "hello.yaml"])[0].stream == "hubspot-contacts"


def test_a_login_is_corrected_where_it_is_wrong(tmp_path):
    with Salesforce() as org, terminal(tmp_path, "init", "salesforce") as person:
        person.answer("Give it now?", "")
        person.answer("Log in with [1]", "")
        person.answer("SF_LOGIN_URL", "mycompany")
        person.wait_for("expected an address such as https://mycompany.my.salesforce.com")
        person.answer("SF_LOGIN_URL", org.url)
        person.answer("SF_CLIENT_ID", org.client_id)
        person.answer("SF_CLIENT_SECRET", "wrong")
        person.wait_for("That does not work")
        person.wait_for("Another try, SF_CLIENT_ID and SF_CLIENT_SECRET alone:")
        person.answer(f"SF_CLIENT_ID (The consumer key of the External Client App) [{org.client_id}]", "")
        person.answer("(not shown)", org.client_secret)
        person.wait_for("salesforce answers")
        person.answer("Which object?", INTERRUPT)
        assert person.end() == 130
    kept = dotenv_values(tmp_path / ".env")
    assert kept["SF_CLIENT_SECRET"] == org.client_secret
    assert kept["SF_LOGIN_URL"] == org.url


def test_a_file_is_asked_for_until_a_run_would_read_it(tmp_path, database, table):
    with terminal(tmp_path, "init", "postgres", "people", DATABASE_URL=database.url) as person:
        person.answer("Is it free text?", "n")
        person.answer("Write the map to", "map.txt")
        person.wait_for("expected a file that ends in .yaml or .yml")
        person.answer("Write the map to", "y")
        assert person.end() == 0, person.screen
    assert (tmp_path / "mappings" / "postgres-people.yaml").exists()


def test_all_addresses_are_offered_and_the_address_of_a_sandbox_is_asked_for(tmp_path, database, sandbox):
    database.do("CREATE TABLE leads (id int PRIMARY KEY, work_email text, private_email text)")
    database.do("INSERT INTO leads SELECT n, n || '@x.example', n || '@y.example' FROM generate_series(1, 30) n")
    with terminal(tmp_path, "init", DATABASE_URL=database.url) as person:
        person.answer("Source [2]", "")
        person.answer("(not shown)", "sandbox")
        person.answer("Its address, when it runs [http://127.0.0.1:8765]", "there")
        person.wait_for("expected an address such as http://127.0.0.1:8765")
        person.answer("Its address, when it runs", sandbox.url)
        person.wait_for("Memory answers")
        person.answer("Which object?", "leads")
        person.wait_for("private_email")
        person.answer("Identity [1]", "private_email")
        person.answer("Collection for facts [1]", "")
        person.answer("Collection for free text", "")
        person.answer("Write the map to", "")
        assert person.end() == 0, person.screen
    found = load_files([tmp_path / "mappings" / "postgres-leads.yaml"])[0]
    assert found.mapping.identity == ("email", "private_email")
    assert dotenv_values(tmp_path / ".env")["PERSONIZE_BASE_URL"] == sandbox.url
