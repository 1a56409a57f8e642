"""What happens to one org over several runs: people come and go, runs are cut, shared, repeated and killed."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from doubles.salesforce import Salesforce
from salesforce_streams import OLD, contacts
from workplace import Workplace, at, memory

from sync.sandbox import Sandbox, SandboxOptions

CONTACTS = """\
stream: people
source: {{connector: salesforce, object: Contact{keys}}}
destination: {{rowsPerCall: 50}}
mapping:
  entityType: contact
  email: Email
  properties:
    full_name: {{sourceField: LastName, collectionName: Contacts}}
"""
ACTIVITIES = """\
stream: said
source: {{connector: salesforce, object: {object}{keys}}}
destination: {{rowsPerCall: 50}}
mapping:
  entityType: contact
  email: Who.Email
  properties:
    task_text: {{value: "{{Subject}} {{Who.Name}}", collectionName: Notes, extractMemories: true}}
"""
CARS = """\
stream: cars
source: {connector: salesforce, object: Car__c}
mapping:
  entityType: contact
  email: Driver__r.Email
  properties:
    car: {value: "{Name} {Story__c} {Price__c} {Driver__r.Account.Name}", collectionName: Notes, extractMemories: true}
"""


@pytest.fixture
def sandbox(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    latency = 0.15 if "killed" in request.node.name else 0.0
    with Sandbox(SandboxOptions(database=tmp_path / "sandbox.db", latency=latency)) as one:
        yield one


@pytest.fixture
def org() -> Iterator[Salesforce]:
    with Salesforce(page_size=200) as one:
        yield one


@pytest.fixture
def place(tmp_path: Path, org: Salesforce, sandbox: Sandbox) -> Workplace:
    folder = tmp_path / "work"
    (folder / "mappings").mkdir(parents=True)
    salesforce = {"SF_LOGIN_URL": org.url, "SF_CLIENT_ID": org.client_id, "SF_CLIENT_SECRET": org.client_secret}
    return Workplace(folder, at(sandbox) | salesforce)


def counts(ended, *names: str) -> tuple[int, ...]:
    return tuple(ended.stream[name] for name in names)


def people(org: Salesforce) -> list[str]:
    rows = [
        {"LastName": "Ann", "Email": "ann@mail.example"},
        {"LastName": "Bob", "Email": "bob@mail.example"},
        {"LastName": "Mute"},
    ]
    found = org.add("Contact", rows, OLD)
    return found + org.add("Lead", [{"LastName": "Lea", "Company": "L", "Email": "lea@mail.example"}], OLD)


@pytest.mark.parametrize(
    ("object", "api"), [pytest.param("Task", "rest", marks=pytest.mark.slow), pytest.param("Event", "bulk")]
)
def test_activities_of_people_who_come_and_go(place, org, sandbox, object, api):
    place.write_map(ACTIVITIES.format(object=object, keys=f", api: {api}, refresh: weekly"))
    org.advance(timedelta(days=-20))
    ann, bob, mute, lea = people(org)
    whos = [ann, bob, mute, lea, None]
    ids = org.add(object, [{"Subject": f"S{number}", "WhoId": who} for number, who in enumerate(whos)], OLD)
    org.delete("Contact", bob)
    first = place.run()
    assert (first.code, *counts(first, "read", "filtered", "sent", "gone")) == (0, 5, 3, 2, 0), first.err
    org.undelete("Contact", bob)
    org.delete(object, ids[0])
    second = place.run()
    assert (second.code, *counts(second, "sent", "gone")) == (0, 0, 1), second.err
    org.undelete(object, ids[0])
    org.change(object, ids[3], {"WhoId": ann})
    third = place.run()
    assert (third.code, *counts(third, "sent", "gone")) == (0, 2, 0), third.err
    org.advance(timedelta(days=8))
    fourth = place.run()  # the refresh finds bob back, and that the activity is not lea's any more
    assert (fourth.code, *counts(fourth, "sent", "gone")) == (0, 1, 1), fourth.err
    assert place.run().stream["sent"] == 0
    assert memory(sandbox, "bob@mail.example") is not None


@pytest.mark.slow
def test_deletes_merges_and_undeletes_over_several_runs(place, org):
    place.write_map(CONTACTS.format(keys=""))
    ids = contacts(org, 10)
    assert place.run().stream["sent"] == 10
    org.delete("Contact", ids[0])
    org.merge("Contact", ids[1], ids[2])
    assert counts(place.run(), "sent", "gone") == (0, 2)
    org.undelete("Contact", ids[0])
    assert counts(place.run(), "sent", "gone", "rejected") == (1, 0, 0)
    org.delete("Contact", ids[0])
    assert counts(place.run(), "sent", "gone") == (0, 1)
    assert counts(place.run(), "sent", "gone") == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("api", ["rest", "bulk"])
def test_shards_of_a_backfill_deliver_every_record_once(place, org, sandbox, api):
    place.write_map(CONTACTS.format(keys=f", api: {api}"))
    contacts(org, 450)
    sent = 0
    for index in range(3):
        ended = place.memsync("backfill", "people", "--shard", f"{index}/3", "--json", "--wait", "0s")
        assert ended.code == 0, ended.err
        sent += ended.stream["sent"]
    assert sent == sandbox.seen().rows == 450
    assert place.run().stream["sent"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("api", ["rest", "bulk"])
def test_runs_with_a_limit_get_to_the_end_without_sending_twice(place, org, sandbox, api):
    place.write_map(CONTACTS.format(keys=f", api: {api}"))
    contacts(org, 450)
    assert [place.run("--limit", "170").stream["sent"] for _ in range(4)] == [170, 170, 110, 0]
    assert sandbox.seen().rows == 450


@pytest.mark.slow
def test_of_two_runs_at_once_one_reads_and_the_other_says_so(place, org, sandbox):
    place.write_map(CONTACTS.format(keys=""))
    contacts(org, 450)
    org.fail("query_more", hang=True)
    first = place.start("run", "--wait", "0s")
    wait_for(sandbox, first, 50)
    second = place.run()
    first.kill()
    first.communicate()
    assert second.code == 7, second.err
    third = place.run()
    assert (third.code, third.stream["sent"] + 200 >= 450) == (0, True), third.err
    assert place.run().stream["sent"] == 0


@pytest.mark.parametrize(("object", "api"), [pytest.param("Contact", "rest", marks=pytest.mark.slow), ("Task", "bulk")])
def test_a_run_that_is_killed_again_and_again_delivers_every_row(place, org, sandbox, object, api):
    keys = f", api: {api}"
    place.write_map(CONTACTS.format(keys=keys) if object == "Contact" else ACTIVITIES.format(object=object, keys=keys))
    ids = contacts(org, 600)
    org.add("Task", [{"Subject": "S", "WhoId": who} for who in ids], OLD)
    for reached in (50, 300):
        process = place.start("run", "--wait", "0s")
        wait_for(sandbox, process, reached)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    ended = place.run()
    assert ended.code == 0, ended.err
    assert 600 <= sandbox.seen().rows <= 600 + 2 * 200
    assert org.calls["bulk_create"] == (api == "bulk")
    assert place.run().stream["sent"] == 0
    name = "full_name" if object == "Contact" else "task_text"
    assert all(name in (memory(sandbox, f"p{number}@mail.example") or {}) for number in range(0, 600, 60))


@pytest.mark.slow
def test_a_custom_object_is_read_by_its_api_name(place, org, sandbox):
    org.define("Car__c", "Story__c textarea 32768", "Price__c currency", "Driver__c reference ->Contact")
    (account,) = org.add("Account", [{"Name": "Acme"}], OLD)
    (ann,) = org.add("Contact", [{"LastName": "Ann", "Email": "ann@mail.example", "AccountId": account}], OLD)
    car = {"Name": "C-1", "Story__c": "Bought in May.", "Price__c": 999.5, "Driver__c": ann}
    ids = org.add("Car__c", [car, {"Name": "C-2"}], OLD)
    place.write_map(CARS)
    assert place.memsync("validate").code == 0
    first = place.run()
    assert (first.code, *counts(first, "sent", "rejected")) == (3, 1, 1), first.err
    assert memory(sandbox, "ann@mail.example")["car"] == "C-1 Bought in May. 999.5 Acme"
    org.change("Car__c", ids[1], {"Driver__c": ann})
    assert (place.run().code, place.run().code) == (0, 0)


def wait_for(sandbox: Sandbox, process, rows: int) -> None:
    end = time.monotonic() + 60
    while process.poll() is None and sandbox.seen().rows < rows and time.monotonic() < end:
        time.sleep(0.02)
    assert process.poll() is None
