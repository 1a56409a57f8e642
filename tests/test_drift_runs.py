"""Runs of a stream whose source, or whose collections in memory, changed their shape since the last one."""

from __future__ import annotations

import json
import shutil
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hubspot_streams
import pytest
import salesforce_streams
from doubles.hubspot import HubSpot
from doubles.memory_api import Call, MemoryApi
from doubles.memory_server import Reply, success
from doubles.salesforce import Salesforce
from fixtures_inside import Inside
from fixtures_postgres import Database
from workplace import MAP, TABLE, Workplace, at

from sync.sandbox import Sandbox, SandboxOptions

MAPPINGS = Path(__file__).parent.parent / "mappings"
COMPOSED = MAP.replace("    name: {sourceField: name,", '    name: {value: "{name} ({plan})",')


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(database=tmp_path / "sandbox.db")) as one:
        yield one


@pytest.fixture
def place(inside: Inside, sandbox: Sandbox) -> Inside:
    inside.variables |= at(sandbox)
    return inside


@pytest.fixture
def customers(place: Inside, database: Database) -> Inside:
    """A table of which a first run delivered everything."""
    database.do(TABLE)
    database.do("INSERT INTO customers VALUES (1, 'ana@example.com', 'Ana', 'pro', 'Likes boats.')")
    place.write_map(MAP)
    first = place.run()
    assert (first.code, first.stream["notes"]) == (0, [])
    return place


def use(place: Inside, name: str) -> None:
    """Take a ready map as it is."""
    (place.folder / "mappings").mkdir(exist_ok=True)
    shutil.copy(MAPPINGS / f"{name}.yaml", place.folder / "mappings")


def told(place: Inside, *arguments: str) -> list[str]:
    """What a run that ends well says besides its numbers."""
    ended = place.run(*arguments)
    assert ended.code == 0, ended.out + ended.err
    return ended.stream["notes"]


def test_a_changed_table_is_told_by_the_dry_run_and_by_one_run_and_then_no_more(customers, database):
    assert told(customers) == []
    database.do("ALTER TABLE customers ALTER plan TYPE varchar(40), ADD feedback text, ADD score int")
    expected = [
        "the source changed the type of plan from text to character varying(40)",
        "the source has new free text that the map does not read: feedback",
    ]
    assert told(customers, "--dry-run") == expected
    assert told(customers, "--dry-run") == expected
    assert told(customers) == expected
    assert told(customers) == told(customers, "--dry-run") == []


@pytest.mark.parametrize(
    ("text", "column"), [(MAP, "email"), (MAP, "plan"), (MAP, "notes"), (COMPOSED, "plan")], ids=range(4)
)
def test_a_renamed_column_stops_the_stream_before_anything_is_sent(customers, database, sandbox, text, column):
    customers.write_map(text)
    customers.run()
    seen = sandbox.seen().rows
    database.do("INSERT INTO customers SELECT n, n || '@example.com', 'N' FROM generate_series(10, 60) n")
    database.do(f"ALTER TABLE customers RENAME {column} TO {column}_of_person")
    ended = customers.run()
    assert ended.code == ended.stream["exit"] == 2
    message = ended.stream["message"]
    assert f"field {column}: no such column; did you mean {column}_of_person?" in message
    assert "\n" not in message
    assert (sandbox.seen().rows, ended.stream["sent"]) == (seen, 0)


def test_a_run_that_waits_for_metadata_can_be_stopped(place):
    use(place, "hubspot-contacts")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        place.variables |= {"HUBSPOT_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        place.variables["HUBSPOT_ACCESS_TOKEN"] = "pat-na1-1"
        process = Workplace(place.folder, place.variables).start("run", "--json")
        with silent.accept()[0] as connection:
            connection.recv(1)
            process.terminate()
            out, err = process.communicate(timeout=30)
    assert process.returncode == 143, err
    assert json.loads(out)["streams"][0]["status"] == "stopped"


def test_what_a_composed_value_reads_is_watched_too(customers, database):
    customers.write_map(COMPOSED)
    customers.run()
    database.do("ALTER TABLE customers ALTER name TYPE varchar(80)")
    assert told(customers) == ["the source changed the type of name from text to character varying(80)"]


def test_a_map_that_reads_another_table_sees_it_for_the_first_time(customers, database):
    database.do("CREATE TABLE people (LIKE customers INCLUDING ALL)")
    database.do("ALTER TABLE people ALTER plan TYPE varchar(40), ADD feedback text")
    customers.write_map(MAP.replace("public.customers", "public.people"))
    (note,) = told(customers)
    assert note.startswith("the map's source changed")


def test_a_reset_forgets_the_shape_with_all_the_rest(customers, database):
    database.do("ALTER TABLE customers ADD feedback text")
    assert customers.memsync("state", "reset", "customers", "--yes").code == 0
    assert told(customers) == []


def test_a_part_of_a_backfill_and_a_retry_leave_the_telling_to_a_whole_run(customers, database):
    database.do("ALTER TABLE customers ADD feedback text")
    backfill = customers.memsync("backfill", "customers", "--shard", "1/2", "--wait", "0s", "--json")
    assert (backfill.code, backfill.stream["notes"]) == (0, [])
    assert customers.memsync("rejects", "retry", "customers", "--wait", "0s").code == 0
    assert len(told(customers)) == 1


def test_a_changed_hubspot_object_is_told_once_and_costs_no_call(place, crm):
    place.variables |= {"HUBSPOT_BASE_URL": crm.url, "HUBSPOT_ACCESS_TOKEN": crm.token}
    use(place, "hubspot-contacts")
    ids = crm.add("contacts", [{"email": "ana@x.example", "jobtitle": "CTO"}], at=hubspot_streams.OLD)
    assert told(place) == []
    crm.define(
        "contacts",
        {"name": "company", "fieldType": "textarea"},
        {"name": "phone", "type": "number", "fieldType": "number"},
        {"name": "pain_points", "fieldType": "textarea"},
    )
    crm.forget_calls()
    types, wordy, new = told(place)
    assert types == (
        "the source changed the type of company from string/text to string/textarea, "
        "phone from string/phonenumber to number"
    )
    assert wordy.startswith("free text by now, though the map sends it as a plain value: company;")
    assert new == "the source has new free text that the map does not read: pain_points"
    assert crm.calls["properties"] == 1
    assert told(place) == []
    crm.undefine("contacts", "firstname")  # a part of a composed value
    assert (place.run().code, place.run().stream["sent"]) == (2, 0)
    crm.define("contacts", "firstname")
    crm.undefine("contacts", "jobtitle")
    crm.define("contacts", "job_title")
    crm.change("contacts", ids[0], {"phone": "2"})
    stopped = place.run()
    assert (stopped.code, stopped.stream["sent"]) == (2, 0)
    assert "'jobtitle' is no property of contacts; did you mean job_title?" in stopped.stream["message"]


def test_a_changed_salesforce_object_is_told_once_and_costs_no_call(place, org):
    place.variables |= {"SF_LOGIN_URL": org.url, "SF_CLIENT_ID": org.client_id}
    place.variables["SF_CLIENT_SECRET"] = org.client_secret
    use(place, "salesforce-contacts")
    salesforce_streams.contacts(org, 1)
    assert told(place) == []
    described = org.calls["describe"]
    org.define("Contact", "Department textarea 32000", "Pain_Points__c textarea 32000 html")
    types, wordy, new = told(place)
    assert types == "the source changed the type of Department from string(80) to textarea(32000)"
    assert wordy.startswith("free text by now, though the map sends it as a plain value: Department;")
    assert new == "the source has new free text that the map does not read: Pain_Points__c"
    assert org.calls["describe"] == 2 * described
    assert told(place) == []
    salesforce_streams.contacts(org, 5, first=10, at=org.now())
    for name in ("Title", "FirstName", "Email"):  # the last two: a part of a composed value, and the identity
        org.hide("Contact", name)
        stopped = place.run()
        assert (stopped.code, stopped.stream["sent"]) == (2, 0)
        assert f"Contact has no field {name}, or the user may not see it" in stopped.stream["message"]
        org.hide("Contact", name, hidden=False)


@pytest.mark.parametrize("kind", ["hubspot", "salesforce"])
def test_telling_the_fields_before_reading_costs_no_call(kind):
    found: list[Counter[str]] = []
    for tells in (False, True):
        stand_in = HubSpot() if kind == "hubspot" else Salesforce()
        open_stream = (hubspot_streams if kind == "hubspot" else salesforce_streams).stream
        names = {"fields": ["email"], "object": "contacts"} if kind == "hubspot" else {"fields": ["Email"]}
        with stand_in as server, open_stream(server, **names) as connector:
            if tells:
                assert {one.name for one in connector.described()} > set(names["fields"])
            list(connector.read(None))
            found.append(connector.calls)
            assert list(connector.described()) == list(connector.fields(""))
    assert found[0] == found[1]


def listing(properties: object) -> Reply:
    """An organisation whose collection Contacts lists these properties; None: it lists none."""
    contacts = {"collectionId": "col_1", "collectionName": "Contacts"}
    contacts |= {} if properties is None else {"properties": properties}
    notes = {"collectionId": "col_2", "collectionName": "Notes"}
    return success({"actions": [{"id": one["collectionId"], "payload": one} for one in (contacts, notes)]})


def test_a_property_that_memory_had_and_has_no_more_is_told_once(inside, database):
    name = {"propertyName": "Full name", "systemName": "name", "type": "text"}
    plan = {"propertyName": "plan", "type": "text"}
    listed: list[object] = []

    def judge(call: Call) -> Reply | None:
        return listing(listed[-1]) if call.name == "collections" else None

    database.do(TABLE)
    inside.write_map(MAP)
    with MemoryApi(judge) as api:
        inside.variables |= {"PERSONIZE_BASE_URL": api.url, "PERSONIZE_SECRET_KEY": "sk_test_1"}

        def run(*properties: object) -> list[str]:
            listed.append(None if properties == (None,) else list(properties))
            return told(inside)

        assert run(name) == []  # that plan is not there yet is no news
        assert run(name, plan) == []
        assert run(None) == []
        (gone,) = run(name)
        assert gone.startswith("memory no longer lists a property that it had: plan (Contacts);")
        assert run(name) == run(name, plan) == []
        assert run(name, plan | {"type": "options"}) == [
            "memory changed the type of plan (Contacts) from text to options"
        ]
        assert run(name | {"tags": [None]}, plan | {"type": "options"}, "what", {}) == []
