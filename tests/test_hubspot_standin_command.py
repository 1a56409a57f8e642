"""`python -m tests.doubles.hubspot`: what it prints, that its records can be changed, and how it ends."""

import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from doubles.hubspot import HubSpot
from doubles.hubspot.sample import CARS, OBJECTS, fill
from hubspot_calls import START, bearer, found, linked, links, read, search

ROOT = Path(__file__).parent.parent


@contextmanager
def command(*arguments):
    """The running server: its process, what it printed, and a client that copied address and token from there."""
    given = [sys.executable, "-W", "error", "-m", "tests.doubles.hubspot", *arguments]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(given, cwd=ROOT, **streams) as process:
        try:
            printed = "".join(iter(process.stdout.readline, "Ctrl-C ends it.\n"))
            said = dict(re.findall(r"export (\w+)=(\S+)", printed))
            headers = bearer(said["HUBSPOT_ACCESS_TOKEN"])
            with httpx.Client(base_url=said["HUBSPOT_BASE_URL"], headers=headers, timeout=20) as client:
                yield process, printed, client
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_and_says_what_was_asked(number):
    with command("--contacts", "4", "--notes", "2") as (process, printed, client):
        assert "4 contacts, 2 notes" in printed
        search(client)
        process.send_signal(number)
        rest = process.stdout.read()
        assert process.wait(10) == 0
        assert rest.strip() == "Requests: 1 search"


def test_a_person_changes_creates_merges_archives_and_associates_by_the_ordinary_calls(tmp_path):
    options = ("--contacts", "4", "--companies", "1", "--database", str(tmp_path / "crm.db"), "--verbose")
    with command(*options) as (process, _, client):
        one, two, three, four = sorted(found(client), key=int)
        path = "/crm/v3/objects/contacts"
        old = client.get(f"{path}/{one}").json()
        changed = client.patch(f"{path}/{one}", json={"properties": {"firstname": "Zoe"}}).json()
        assert (changed["properties"]["firstname"], changed["updatedAt"] > old["updatedAt"]) == ("Zoe", True)
        assert client.delete(f"{path}/{two}").status_code == 204
        merged = client.post(f"{path}/merge", json={"primaryObjectId": one, "objectIdToMerge": three})
        assert merged.json()["id"] == one
        assert client.post(f"{path}/gdpr-delete", json={"objectId": four}).status_code == 204
        new = client.post(path, json={"properties": {"email": "New@example.com"}})
        assert new.status_code == 201
        again = client.post(path, json={"properties": {"email": "new@example.com"}})
        assert (again.status_code, again.json()["category"]) == (409, "CONFLICT")
        assert sorted(found(client), key=int) == [one, new.json()["id"]]
        (company,) = found(client, "companies")
        link = f"/crm/v4/objects/contacts/{new.json()['id']}/associations"
        assert client.put(f"{link}/default/companies/{company}").status_code == 201
        inputs = [{"id": new.json()["id"]}]
        assert company in linked(links(client, "contacts", "companies", inputs))
        assert client.delete(f"{link}/companies/{company}").status_code == 204
        assert linked(links(client, "contacts", "companies", inputs)) == []
        process.terminate()
        assert f"PATCH {path}/{one} 200" in process.stdout.read()
    with command(*options) as (_, printed, client):
        assert "2 contacts, 1 companies" in printed
        (record,) = read(client, [one], properties=["firstname"]).json()["results"]
        assert record["properties"]["firstname"] == "Zoe"


def test_every_line_that_it_prints_for_changing_records_works_as_it_stands(tmp_path):
    counts = ("--contacts", "6", "--companies", "2", "--notes", "300", "--cars", "3")
    with command(*counts, "--database", str(tmp_path / "crm.db")) as (_, printed, client):
        assert "3 p" in printed
        assert "object: 2-1001" in printed
        setting, *lines = printed.partition("while it runs:\n")[2].split("\n\n")[0].splitlines()
        assert [line.split()[0] for line in lines] == ["curl"] * 8
        script = "\n".join([setting, *(line.replace("curl ", "curl -sS --fail -o /dev/null ") for line in lines)])
        ended = subprocess.run(["sh", "-e", "-c", script], capture_output=True, text=True, timeout=30)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "a note about nobody gets its contact" in printed
        note = re.search(r"objects/notes/(\d+)/associations", printed)[1]
        assert len(linked(links(client, "notes", "contacts", [{"id": note}]))) == 1, "it was about nobody"
        assert len(found(client)) == 6 - 3 + 1, "one archived, one merged, one erased, one new"
        assert read(client, found(client, "2-1001"), "2-1001").status_code == 200


@pytest.mark.parametrize(
    ("scopes", "shown", "absent"),
    [
        ("crm.objects.contacts.read", "add to --scopes: crm.objects.contacts.write, crm.objects.custom.write", "curl"),
        ("crm.objects.contacts.read,crm.objects.contacts.write", "associations/default/contacts", "2-1001/"),
        ("crm.objects.custom.read,crm.objects.custom.write", "2-1001/", "contacts/"),
    ],
)
def test_lines_for_changing_records_are_those_that_the_token_s_scopes_allow(scopes, shown, absent):
    with command("--contacts", "4", "--notes", "2", "--cars", "1", "--scopes", scopes) as (_, printed, _client):
        assert shown in printed
        assert absent not in printed


@pytest.mark.parametrize(
    "arguments", [("--time-zone", "Mars/Olympus"), ("--contacts", "-1"), ("--database", "/nowhere/at/all.db")]
)
def test_what_cannot_be_started_is_said_in_a_line_and_ends_with_2(arguments):
    given = [sys.executable, "-m", "tests.doubles.hubspot", *arguments]
    ended = subprocess.run(given, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert arguments[1] in ended.stderr


def test_a_taken_port_is_said_in_a_line():
    with HubSpot() as crm:
        port = crm.url.rpartition(":")[2]
        given = [sys.executable, "-m", "tests.doubles.hubspot", "--port", port]
        ended = subprocess.run(given, cwd=ROOT, capture_output=True, text=True, timeout=30)
        assert ended.returncode == 2
        assert ended.stderr.startswith(f"The stand-in cannot start on port {port}")


def test_sample_records_are_the_same_for_a_seed_and_only_use_values_that_the_service_takes():
    texts = []
    for _ in range(2):
        with HubSpot() as crm, httpx.Client(base_url=crm.url, headers=bearer(crm.token)) as client:
            fill(crm, dict.fromkeys(OBJECTS, 20), now=START)
            types = [CARS if name == "cars" else name for name in OBJECTS]
            assert sorted(crm.counts().values()) == [20] * len(OBJECTS)
            names = ["firstname", "hs_note_body", "hs_email_text"]
            records = [read(client, crm.ids(name), name, properties=names).json()["results"] for name in types]
            texts.append(records)
            for other in ("contacts", "companies"):
                notes = links(client, "notes", other, [{"id": one} for one in crm.ids("notes")])
                assert len(linked(notes)) > 10
            for name in types:
                options = crm.account.catalog.find(name).properties
                for one in crm.ids(name):
                    assert not wrong_choices(options, crm.record(name, one).properties)
    assert texts[0] == texts[1]
    assert "<li>" in str(texts[0])


def wrong_choices(definitions, values):
    """Names of properties whose value is none of their options."""
    allowed = {name: [one["value"] for one in definitions[name]["options"]] for name in values}
    return [name for name, value in values.items() if value and allowed[name] and value not in allowed[name]]
