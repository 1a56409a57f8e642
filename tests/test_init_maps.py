"""`memsync init` without a terminal: maps of real tables and accounts, and answers to input that makes no map."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles.hubspot import HubSpot
from doubles.salesforce import Salesforce
from salesforce_streams import contacts
from workplace import Workplace, at, memory

from sync.maps.load import load_files
from sync.sandbox import Sandbox, SandboxOptions

PROSE = "They asked in week {n} whether the contract can be moved to the next year, and for a <b>discount</b>."
PEOPLE = """
CREATE TABLE people (id int PRIMARY KEY, email text, first_name text, last_name text, plan text, notes text,
                     password_hash text, updated_at timestamptz NOT NULL DEFAULT now());
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(database=tmp_path / "sandbox.db")) as one:
        yield one


def people(database, number=40):
    database.do(PEOPLE)
    for n in range(number):
        database.do(
            "INSERT INTO people VALUES (%s, %s, 'Ana', %s, %s, %s, 'x')",
            n, f"p{n}@example.com" if n else None, f"Roe{n}", ["free", "pro"][n % 2], PROSE.format(n=n),
        )  # fmt: skip


def written(inside: Workplace, stream: str):
    """The map that was written, and its text."""
    file = inside.folder / "mappings" / f"{stream}.yaml"
    return load_files([file])[0], file.read_text(encoding="utf-8")


def test_the_map_of_a_table_is_commented_and_runs_unchanged(inside, database, sandbox):
    people(database)
    inside.variables |= at(sandbox)
    made = inside.memsync("init", "postgres", "people", "--yes")
    assert made.code == 0, made.err
    found, text = written(inside, "postgres-people")
    assert found.source.model_dump(include={"object", "cursor_field", "primary_key"}) == {
        "object": "public.people",
        "cursor_field": "updated_at",
        "primary_key": ("id",),
    }
    assert found.mapping.identity == ("email", "email")
    assert list(found.mapping.properties) == ["full_name", "plan", "email", "source_id", "notes"]
    assert found.mapping.properties["source_id"].source_field == "id"
    assert [name for name, one in found.mapping.properties.items() if one.extract_memories] == ["notes"]
    assert found.mapping.properties["notes"].transform[0].name == "html_to_text"
    assert "extractMemories: true  # text: 19 words on average, 100 % different" in text
    assert "# - sensitive by its name (password) (1): password_hash" in text
    said = "1 of 40 sampled records has no email and stays out"
    assert f'where: "\\"email\\" IS NOT NULL"  # {said}; without this line they are rejects' in text
    assert f"note: {said}: `--identity id` would keep them" in made.out
    assert "of 8 fields 6 are used and 2 left out" in made.out
    assert "p1@example.com" not in text
    assert "week 1 " not in text
    assert inside.memsync("validate").code == 0
    run = inside.run()
    assert (run.code, run.stream["sent"], run.stream["rejected"]) == (0, 39, 0), run.err
    kept = memory(sandbox, "p1@example.com")
    assert kept["full_name"] == "Ana Roe1"


def test_the_schema_for_editors_lies_beside_the_map(inside, database):
    people(database, 1)
    inside.memsync("init", "postgres", "people", "--yes")
    assert json.loads((inside.folder / "mappings" / "schema.json").read_text())["properties"]["stream"]


def test_a_map_that_exists_is_replaced_with_force_alone(inside, database):
    people(database)
    inside.write_map("stream: mine\n", "postgres-people.yaml")
    refused = inside.memsync("init", "postgres", "people", "--yes")
    assert refused.code == 2
    assert "mappings/postgres-people.yaml exists already; give --force to replace it" in refused.err
    assert (inside.folder / "mappings" / "postgres-people.yaml").read_text() == "stream: mine\n"
    assert inside.memsync("init", "postgres", "people", "--yes", "--force").code == 0
    assert written(inside, "postgres-people")[0].stream == "postgres-people"


def test_a_stream_that_another_map_has_is_not_made_twice(inside, database):
    people(database)
    assert inside.memsync("init", "postgres", "people", "--yes").code == 0
    twice = inside.memsync("init", "postgres", "people", "--output", "mappings/other.yaml")
    assert twice.code == 2
    assert "postgres-people.yaml has the stream 'postgres-people' already; give another name with --stream" in twice.err
    assert not (inside.folder / "mappings" / "other.yaml").exists()
    named = inside.memsync("init", "postgres", "people", "--output", "mappings/other.yaml", "--stream", "other")
    assert named.code == 0, named.err
    assert inside.memsync("validate", "--offline").code == 0


def test_an_empty_table_gives_a_map_from_metadata_alone(inside, database):
    people(database, 0)
    made = inside.memsync("init", "postgres", "people", "--yes")
    assert made.code == 0, made.err
    assert "no record could be sampled" in made.out
    found, text = written(inside, "postgres-people")
    assert found.mapping.properties["notes"].extract_memories
    assert "none of them was looked at" in text


def test_a_table_without_an_address_is_known_by_its_key(inside, database):
    database.do("CREATE TABLE parts (sku text PRIMARY KEY, title text, updated_at timestamptz)")
    database.do("INSERT INTO parts SELECT 'S' || n, 'Part ' || n, now() FROM generate_series(1, 30) n")
    made = inside.memsync("init", "postgres", "parts", "--yes")
    assert made.code == 0, made.err
    found, _ = written(inside, "postgres-parts")
    assert found.mapping.identity == ("customKey", "sku")
    assert (found.mapping.entity_type, found.mapping.custom_key_name) == ("part", "postgres_part_id")


def test_a_view_without_a_key_takes_a_column_that_is_different_in_each_row(inside, database):
    people(database)
    database.do("CREATE VIEW seen AS SELECT id AS part_no, plan, updated_at FROM people")
    made = inside.memsync("init", "postgres", "seen", "--yes")
    assert made.code == 0, made.err
    found, text = written(inside, "postgres-seen")
    assert found.source.primary_key == ("part_no",)
    assert "different in every sampled record" in text
    assert inside.memsync("validate", "--offline").code == 0


def test_a_view_that_nothing_tells_apart_is_refused_with_what_to_say(inside, database):
    people(database)
    database.do("CREATE VIEW plans AS SELECT plan FROM people")
    refused = inside.memsync("init", "postgres", "plans", "--yes")
    assert refused.code == 2
    assert "nothing tells its records apart: no e-mail address, no website, no primary key" in refused.err
    assert "--identity FIELD" in refused.err
    assert not list(inside.folder.glob("mappings/*"))


def test_a_named_identity_and_key_settle_what_the_source_does_not_know(inside, database):
    people(database)
    database.do("CREATE VIEW plain AS SELECT email AS who, last_name, notes, updated_at FROM people")
    made = inside.memsync("init", "postgres", "plain", "--identity", "who", "--key", "last_name", "--yes")
    assert made.code == 0, made.err
    found, _ = written(inside, "postgres-plain")
    assert (found.mapping.identity, found.source.primary_key) == (("email", "who"), ("last_name",))
    unknown = inside.memsync("init", "postgres", "plain", "--identity", "whoo", "--stream", "x")
    assert unknown.code == 2
    assert "there is no field 'whoo'; did you mean who?" in unknown.err


def test_a_key_of_several_columns_is_explained(inside, database):
    database.do("CREATE TABLE seats (hall int, seat int, colour text, PRIMARY KEY (hall, seat))")
    refused = inside.memsync("init", "postgres", "seats", "--yes")
    assert refused.code == 2
    assert "its key has several fields (hall, seat), of which memory takes one" in refused.err


def test_odd_names_of_columns_are_written_so_that_they_are_read_back(inside, database):
    odd = ["yes", "no", "on", "null", "1e3", "a: b", "it's", 'say "x"', "#tag", "[0]", "{x}", " lead", "ünï", "a.b",
           "&a", "*b", "- c", "true", "0x1f", "12:30:45", "~", "%", "customer e-mail", "x" * 60, "email"]  # fmt: skip
    columns = ", ".join('"{}" text'.format(name.replace('"', '""')) for name in odd)
    database.do(f"CREATE TABLE odd (id int PRIMARY KEY, {columns})")
    database.do(f"INSERT INTO odd VALUES (1, {', '.join(['%s'] * len(odd))})", *[f"v{n}" for n in range(len(odd))])
    made = inside.memsync("init", "postgres", "odd", "--sample", "0", "--yes")
    assert made.code == 0, made.err
    found, text = written(inside, "postgres-odd")
    read = [one.source_field for one in found.mapping.properties.values()]
    assert set(read) == {*odd, "id"}
    names = list(found.mapping.properties)
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name == name.lower() for name in names)
    from ruamel.yaml import YAML

    other = YAML(typ="safe", pure=True)
    other.version = (1, 1)  # what an older reader makes of it
    said = other.load(text)["mapping"]["properties"]
    assert {one["sourceField"] for one in said.values()} == set(read)


def test_a_column_whose_name_is_no_path_is_left_out_and_listed(inside, database):
    database.do('CREATE TABLE dots (id int PRIMARY KEY, email text, "a..b" text, "." text)')
    assert inside.memsync("init", "postgres", "dots", "--yes").code == 0
    found, text = written(inside, "postgres-dots")
    assert "# - their names cannot be written as a path (2): a..b, ." in text
    assert list(found.mapping.properties) == ["email", "source_id"]


def test_of_very_many_columns_those_that_are_filled_are_taken_and_the_rest_counted(inside, database):
    columns = ", ".join(f"c{n} text" for n in range(1500))
    database.do(f"CREATE TABLE wide (id int PRIMARY KEY, email text, job_title text, {columns})")
    filled = ", ".join(f"c{n}" for n in range(0, 1500, 100))
    values = ", ".join("'v' || n" for _ in range(0, 1500, 100))
    database.do(
        f"INSERT INTO wide (id, email, job_title, {filled}) SELECT n, 'p' || n || '@example.com', 'CTO', {values} "
        "FROM generate_series(1, 30) n"
    )
    made = inside.memsync("init", "postgres", "wide", "--yes")
    assert made.code == 0, made.err
    found, text = written(inside, "postgres-wide")
    assert set(found.mapping.properties) == {"job_title", "email", "source_id"} | {f"c{n}" for n in range(0, 1500, 100)}
    assert "# - empty in the sample (1,485):" in text.replace("(1485)", "(1,485)")
    bare = inside.memsync("init", "postgres", "wide", "--sample", "0", "--yes", "--force")
    assert bare.code == 0, bare.err
    found, text = written(inside, "postgres-wide")
    assert len(found.mapping.properties) == 42
    assert "job_title" in found.mapping.properties
    assert "beyond the 40 most telling and best filled" in text


def test_a_column_that_the_role_may_not_read_is_left_out(inside, database):
    people(database)
    database.do("CREATE ROLE looker LOGIN; GRANT SELECT (id, email, plan, updated_at) ON people TO looker")
    inside.variables["DATABASE_URL"] = database.as_role("looker")
    made = inside.memsync("init", "postgres", "people", "--yes")
    assert made.code == 0, made.err
    found, text = written(inside, "postgres-people")
    assert list(found.mapping.properties) == ["plan", "email", "source_id"]
    assert "cannot be read" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["postgress", "people"], "there is no connector 'postgress'; expected one of hubspot, postgres, salesforce"),
        (["postgres", "poeple"], "did you mean people?"),
        (["postgres"], "say which object: memsync init postgres OBJECT"),
        ([], "there is no terminal to ask on: say what to make a map of"),
        (["hubspot", "contacts"], "HUBSPOT_ACCESS_TOKEN is not set"),
        (["salesforce", "a b"], "`object` is an API name such as Contact"),
        (["postgres", "people", "--connection", "eu"], "connection 'eu': expected capital letters"),
    ],
    ids=lambda found: " ".join(found) or "nothing" if isinstance(found, list) else "",
)
def test_what_makes_no_map_is_explained_with_what_is_near(inside, database, arguments, message):
    people(database, 1)
    refused = inside.memsync("init", *arguments)
    assert refused.code == 2
    assert message in refused.err
    assert "Traceback" not in refused.err


def test_the_collections_of_the_organisation_are_taken_by_name(inside, database, tmp_path):
    people(database)
    with Sandbox(SandboxOptions(database=tmp_path / "other.db", collections=("Meeting notes",))) as one:
        inside.variables |= at(one)
        made = inside.memsync("init", "postgres", "people", "--yes", "--json").json
    found, text = written(inside, "postgres-people")
    assert found.mapping.properties["notes"].collection_name == "Notes"
    assert "full_name" in found.mapping.properties
    assert "Contacts does not define these properties yet: plan" in " ".join(made["notes"])
    assert "Contacts does not define these properties yet: plan" in text


def test_hubspot_contacts_get_a_map_that_runs(inside, crm: HubSpot, sandbox):
    rows = [
        {"email": f"p{n}@x.example", "firstname": "Ana", "lastname": f"R{n}", "message": f"<p>{PROSE.format(n=n)}</p>"}
        for n in range(30)
    ]
    crm.add("contacts", rows)
    inside.variables |= at(sandbox) | {"HUBSPOT_BASE_URL": crm.url, "HUBSPOT_ACCESS_TOKEN": crm.token}
    made = inside.memsync("init", "hubspot", "contacts", "--yes")
    assert made.code == 0, made.err
    assert crm.calls.total() <= 20
    run = inside.run()
    assert (run.code, run.stream["sent"]) == (0, 30)
    assert memory(sandbox, "p1@x.example")["full_name"] == "Ana R1"
    assert memory(sandbox, "p1@x.example")["hubspot_id"]


def test_a_token_that_may_not_see_an_object_is_told_what_is_missing(inside, tmp_path):
    with HubSpot(scopes=["crm.objects.companies.read"]) as crm:
        inside.variables |= {"HUBSPOT_BASE_URL": crm.url, "HUBSPOT_ACCESS_TOKEN": crm.token}
        refused = inside.memsync("init", "hubspot", "contacts", "--yes")
    assert refused.code == 4
    assert "crm.objects.contacts.read" in refused.err
    assert "a map cannot be proposed without the metadata of contacts" in refused.err


def test_salesforce_contacts_get_a_map_that_runs_and_no_bulk_job_is_started_for_the_look(inside, sandbox):
    with Salesforce() as org:
        contacts(org, 30)
        inside.variables |= at(sandbox) | {
            "SF_LOGIN_URL": org.url,
            "SF_CLIENT_ID": org.client_id,
            "SF_CLIENT_SECRET": org.client_secret,
        }
        made = inside.memsync("init", "salesforce", "Contact", "--yes")
        assert made.code == 0, made.err
        assert set(org.calls) <= {"token", "versions", "describe_global", "describe", "query"}, org.calls
        run = inside.run()
        assert (run.code, run.stream["sent"]) == (0, 30), run.err
    found, _ = written(inside, "salesforce-contacts")
    assert found.source.primary_key == ("Id",)
    assert found.mapping.properties["full_name"].source_field == "Name"
    assert found.mapping.properties["salesforce_id"].source_field == "Id"
    assert found.mapping.properties["email"].source_field == "Email"


def test_the_address_that_most_rows_have_is_taken_and_no_row_stays_out(inside, database):
    database.do("CREATE TABLE leads (id int PRIMARY KEY, work_email text, personal_email text)")
    database.do(
        "INSERT INTO leads SELECT n, 'w' || n || '@x.example', CASE WHEN n % 2 = 0 THEN 'p' || n || '@x.example' END "
        "FROM generate_series(1, 40) n"
    )
    assert inside.memsync("init", "postgres", "leads", "--yes").code == 0
    found, text = written(inside, "postgres-leads")
    assert (found.mapping.identity, found.source.where) == (("email", "work_email"), None)
    assert found.mapping.properties["personal_email"].source_field == "personal_email"
    assert "100 % filled, 100 % different; there is also personal_email" in text


def test_properties_take_the_names_that_collections_define_and_without_a_key_those_of_the_ready_maps(
    inside, database, sandbox
):
    database.do("CREATE TABLE people (id int PRIMARY KEY, email text, jobtitle text, company text, mobile text)")
    database.do("INSERT INTO people SELECT n, n || '@x.example', 'CTO', 'Acme', '1' FROM generate_series(1, 30) n")
    assert inside.memsync("init", "postgres", "people", "--yes").code == 0
    bare = {name: one.source_field for name, one in written(inside, "postgres-people")[0].mapping.properties.items()}
    inside.variables |= at(sandbox)
    assert inside.memsync("init", "postgres", "people", "--yes", "--force").code == 0
    fitted = {name: one.source_field for name, one in written(inside, "postgres-people")[0].mapping.properties.items()}
    usual = {"job_title": "jobtitle", "company_name": "company", "email": "email", "source_id": "id"}
    assert bare == usual | {"mobile": "mobile"}
    assert fitted == usual | {"phone": "mobile"}


def test_an_object_that_another_map_reads_is_told_with_its_file(inside, database):
    people(database)
    assert inside.memsync("init", "postgres", "people", "--yes").code == 0
    twice = inside.memsync("init", "postgres", "people", "--stream", "again", "--yes")
    assert twice.code == 0
    assert "public.people is read by the stream postgres-people already" in twice.out
    assert "postgres-people.yaml" in twice.out


def test_a_file_that_no_run_would_read_is_refused(inside, database):
    people(database, 1)
    refused = inside.memsync("init", "postgres", "people", "--output", "mappings/people.txt", "--yes")
    assert refused.code == 2
    assert "a map's file ends in .yaml or .yml" in refused.err
    assert not (inside.folder / "mappings").exists()


def test_values_with_blanks_around_them_are_stripped_and_other_letters_only_remarked_on(inside, database):
    database.do("CREATE TABLE people (id int PRIMARY KEY, email text, city text, land text)")
    database.do(
        "INSERT INTO people SELECT n, n || '@x.example', 'Bonn ', CASE WHEN n % 2 = 0 THEN 'DE' ELSE 'de' END "
        "FROM generate_series(1, 30) n"
    )
    assert inside.memsync("init", "postgres", "people", "--yes").code == 0
    found, text = written(inside, "postgres-people")
    steps = {name: [one.name for one in line.transform] for name, line in found.mapping.properties.items()}
    assert (steps["city"], steps["land"]) == (["strip"], [])
    assert "100 % have blanks around them" in text
    assert "the same value in capitals and in small letters" in text


@pytest.mark.parametrize(
    ("object_", "stream"),
    [("Task", "tasks"), ("Case", "cases"), ("EmailMessage", "emails"), ("Note", "notes"),
     ("CaseComment", "case-comments")],
)  # fmt: skip
def test_activities_of_salesforce_are_read_by_person_again_each_week_and_every_field_is_accounted_for(
    inside, object_, stream
):
    with Salesforce() as org:
        inside.variables |= {"SF_LOGIN_URL": org.url, "SF_CLIENT_ID": org.client_id}
        inside.variables |= {"SF_CLIENT_SECRET": org.client_secret}
        made = inside.memsync("init", "salesforce", object_, "--yes", "--json")
        assert made.code == 0, made.err
        seen = inside.memsync("discover", "salesforce", object_, "--json").json["fields"]
        assert "refresh: weekly" not in inside.memsync("validate").out
    found, text = written(inside, f"salesforce-{stream}")
    assert found.mapping.identity == ("email", "Who.Email")
    assert "refresh: weekly" in text
    out = {one["name"] for one in seen if one["becomes"] == "out"}
    assert out == {name for names in made.json["left_out"].values() for name in names}
    template = next(iter(found.mapping.properties.values())).value or ""
    assert all(f"{{{one['name']}}}" in template for one in seen if one["becomes"] != "out")
