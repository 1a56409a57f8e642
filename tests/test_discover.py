"""`memsync discover`: connectors, objects, fields; numbers about records and never their values."""

from __future__ import annotations

import pytest
from doubles.hubspot import HubSpot
from doubles.salesforce import Salesforce
from salesforce_streams import contacts

PROSE = "They asked in week {n} whether the contract can be moved to the next year, and for a discount."


@pytest.fixture
def table(database):
    database.do(
        "CREATE TABLE people (id int PRIMARY KEY, email text, plan text, notes text, photo bytea, "
        "updated_at timestamptz NOT NULL DEFAULT now()); COMMENT ON COLUMN people.notes IS 'What the team wrote'"
    )
    for n in range(30):
        database.do("INSERT INTO people VALUES (%s, %s, 'free', %s)", n, f"secret{n}@example.com", PROSE.format(n=n))


def test_without_arguments_it_says_which_connectors_are_ready_and_shows_no_value(inside):
    inside.variables["HUBSPOT_ACCESS_TOKEN"] = "pat-eu1-very-secret"
    found = inside.memsync("discover")
    assert found.code == 0
    assert "hubspot     yes    HUBSPOT_ACCESS_TOKEN" in found.out
    assert "salesforce: no login of Salesforce is set" in found.out
    assert "very-secret" not in found.out
    listed = {one["connector"]: one for one in inside.memsync("discover", "--json").json["connectors"]}
    assert (listed["hubspot"]["ready"], listed["salesforce"]["ready"]) == (True, False)
    assert listed["hubspot"]["variables"]["HUBSPOT_ACCESS_TOKEN"] is True


def test_objects_are_listed_with_about_how_many_rows(inside, database, table):
    database.do("ANALYZE people")
    found = inside.memsync("discover", "postgres")
    assert found.out.splitlines()[1].split() == ["public.people", "30"]
    assert inside.memsync("discover", "postgres", "--json").json["objects"][0]["rows"] == 30


def test_fields_are_shown_with_numbers_and_without_any_value(inside, table):
    found = inside.memsync("discover", "postgres", "people")
    assert found.code == 0, found.err
    lines = {line.split()[0]: line for line in found.out.splitlines() if line}
    assert "identity" in lines["email"]
    assert "100 %" in lines["notes"]
    assert "free text" in lines["notes"]
    assert "plain" in lines["plan"]
    assert "left out" in lines["photo"]
    assert "30 records, 30 of them looked at" in found.out
    assert "primary key id, cursor field updated_at" in found.out
    assert "secret1" not in found.out
    assert "They asked" not in found.out


def test_the_document_for_programs_holds_the_same_without_any_value(inside, table):
    found = inside.memsync("discover", "postgres", "people", "--json")
    document = found.json
    notes = next(one for one in document["fields"] if one["name"] == "notes")
    assert (notes["becomes"], notes["comment"], notes["sample"]["filled"]) == ("text", "What the team wrote", 30)
    assert (document["identity"], document["key"], document["sampled"]) == ("email", ["id"], 30)
    assert "secret1" not in found.out
    assert "They asked" not in found.out


def test_with_sample_0_no_record_is_read(inside, database, table):
    found = inside.memsync("discover", "postgres", "people", "--sample", "0", "--json").json
    assert found["sampled"] == 0
    assert all(one["sample"] is None for one in found["fields"])


def test_a_huge_table_is_sampled_from_all_over_it_without_reading_it(database):
    database.do("CREATE TABLE big (id int PRIMARY KEY, note text)")
    database.do("INSERT INTO big SELECT n, 'line ' || n FROM generate_series(1, 200000) n")
    database.do("ANALYZE big")
    database.do("SELECT pg_stat_reset()")
    found = database.connector("big").sample(200)
    assert len(found) == 200
    assert max(int(row["id"]) for row in found) > 20_000
    plan = database.do("EXPLAIN SELECT id FROM big TABLESAMPLE SYSTEM (1) LIMIT 200")
    assert "Sample Scan" in plan[0][0] + plan[1][0]


def test_hubspot_is_looked_at_with_a_page_or_two(inside, crm: HubSpot):
    crm.add("contacts", [{"email": f"p{n}@x.example", "message": PROSE.format(n=n)} for n in range(450)])
    inside.variables |= {"HUBSPOT_BASE_URL": crm.url, "HUBSPOT_ACCESS_TOKEN": crm.token}
    found = inside.memsync("discover", "hubspot", "contacts", "--json").json
    assert (found["sampled"], found["records"], found["identity"]) == (200, 450, "email")
    assert crm.calls["list"] <= 5


def test_two_thousand_properties_of_hubspot_are_all_looked_at(inside, crm: HubSpot):
    crm.define("contacts", *({"name": f"own_{n}", "type": "string", "fieldType": "text"} for n in range(2000)))
    crm.add("contacts", [{"email": f"p{n}@x.example", "own_7": PROSE.format(n=n)} for n in range(30)])
    inside.variables |= {"HUBSPOT_BASE_URL": crm.url, "HUBSPOT_ACCESS_TOKEN": crm.token}
    found = inside.memsync("discover", "hubspot", "contacts", "--json").json
    becomes = {one["name"]: one["becomes"] for one in found["fields"]}
    assert len(becomes) > 2000
    assert (becomes["own_7"], becomes["own_8"], becomes["own_1999"]) == ("text", "out", "out")
    assert not [note for note in found["notes"] if "not sampled" in note]


def test_a_bad_token_has_no_objects(inside, crm: HubSpot):
    inside.variables |= {"HUBSPOT_BASE_URL": crm.url, "HUBSPOT_ACCESS_TOKEN": "wrong"}
    found = inside.memsync("discover", "hubspot")
    assert found.code == 4
    assert "HUBSPOT_ACCESS_TOKEN" in found.err


def test_salesforce_is_looked_at_by_rest_however_many_records_there_are(inside):
    with Salesforce() as org:
        contacts(org, 300)
        inside.variables |= {
            "SF_LOGIN_URL": org.url,
            "SF_CLIENT_ID": org.client_id,
            "SF_CLIENT_SECRET": org.client_secret,
        }
        found = inside.memsync("discover", "salesforce", "contact", "--json").json
        assert (found["sampled"], found["object"], found["key"]) == (200, "Contact", ["Id"])
        assert set(org.calls) <= {"token", "versions", "describe_global", "describe", "query"}, org.calls


def test_an_object_that_does_not_exist_names_what_is_near(inside, table):
    found = inside.memsync("discover", "postgres", "peopel")
    assert found.code == 2
    assert "did you mean people?" in found.err
