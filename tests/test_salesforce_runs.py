"""The whole path as a user meets it: Salesforce, the ready maps, the command line, a memory service."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from doubles.salesforce import Salesforce
from salesforce_streams import OLD, contacts
from workplace import Workplace, at, memory

from sync.sandbox import Sandbox, SandboxOptions

ROOT = Path(__file__).parent.parent
MAPPINGS = ROOT / "mappings"
READY = sorted(path.stem for path in MAPPINGS.glob("salesforce-*.yaml"))


@pytest.fixture
def sandbox(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    latency = 0.1 if "killed" in request.node.name else 0.0
    with Sandbox(SandboxOptions(database=tmp_path / "sandbox.db", latency=latency)) as one:
        yield one


@pytest.fixture
def org() -> Iterator[Salesforce]:
    with Salesforce(page_size=500) as one:
        yield one


@pytest.fixture
def place(tmp_path: Path, org: Salesforce, sandbox: Sandbox) -> Workplace:
    folder = tmp_path / "work"
    (folder / "mappings").mkdir(parents=True)
    salesforce = {"SF_LOGIN_URL": org.url, "SF_CLIENT_ID": org.client_id, "SF_CLIENT_SECRET": org.client_secret}
    return Workplace(folder, at(sandbox) | salesforce)


def use(place: Workplace, *names: str, **source: str) -> None:
    """Take ready maps as they are, but for further keys of their source."""
    for name in names:
        text = (MAPPINGS / f"{name}.yaml").read_text(encoding="utf-8")
        keys = "".join(f"  {key}: {value}\n" for key, value in source.items())
        place.write_map(text.replace("  connector: salesforce", f"{keys}  connector: salesforce"), f"{name}.yaml")


def fill(org: Salesforce) -> None:
    """One record for each ready map, and some that none of them delivers."""
    (account,) = org.add("Account", [{"Name": "Acme", "Website": "acme.example", "NumberOfEmployees": 120}], OLD)
    person = {"LastName": "Roe", "FirstName": "Ana", "Email": "ana@acme.example", "Description": "Likes boats"}
    ana, _ = org.add("Contact", [person | {"AccountId": account}, {"LastName": "Nobody"}], OLD)
    org.add("Lead", [{"LastName": "Lea", "Company": "Leaf", "Email": "lea@leaf.example", "IsConverted": False}], OLD)
    deal = {"Name": "Renewal", "StageName": "Prospecting", "Amount": 1200.5, "CloseDate": "2026-12-31"}
    org.add("Opportunity", [deal | {"AccountId": account, "Description": "They want a discount."}], OLD)
    org.add("Case", [{"Subject": "Login", "Description": "Cannot log in.", "ContactId": ana}, {"Subject": "?"}], OLD)
    call = {"Subject": "Intro", "Description": "Asked for prices", "WhoId": ana, "TaskSubtype": "Call"}
    org.add("Task", [call, call | {"TaskSubtype": "Email"}, {"Subject": "alone", "TaskSubtype": "Task"}], OLD)
    (mail,) = org.add("EmailMessage", [{"Subject": "Hi", "TextBody": "We should meet in May.", "Status": "3"}], OLD)
    link = {"EmailMessageId": mail, "RelationId": ana, "RelationType": "ToAddress"}
    org.add("EmailMessageRelation", [link | {"RelationAddress": "ana@acme.example"}], OLD)


def test_a_first_run_delivers_everything_a_change_arrives_alone_and_nothing_is_sent_twice(place, org, sandbox):
    use(place, "salesforce-contacts")
    ids = contacts(org, 1230)
    checked = place.memsync("validate")
    assert checked.code == 0, checked.out + checked.err
    first = place.run()
    assert (first.code, first.stream["sent"], first.stream["read"]) == (0, 1230, 1230), first.err
    org.change("Contact", ids[7], {"Title": "CTO"})
    second = place.run("--wait", "10s")
    assert (second.code, second.stream["sent"]) == (0, 1), second.err
    assert memory(sandbox, "p7@mail.example")["job_title"] == "CTO"
    third = place.run()
    assert (third.code, third.stream["sent"], third.stream["unchanged"]) == (0, 0, 1)
    assert "up to 20" in place.memsync("status").out


def test_the_ready_maps_are_checked_and_run_and_a_second_run_sends_nothing(place, org):
    use(place, *READY)
    fill(org)
    checked = place.memsync("validate")
    assert checked.code == 0, checked.out + checked.err
    assert "2 records read; 1 left out" in checked.out, "a case without a person was read, too"
    assert "refresh: weekly" not in checked.out.partition("salesforce-cases")[0], "accounts are read again each week"
    first = place.run()
    assert first.code == 0, first.out + first.err
    assert {one["stream"]: one["sent"] for one in first.json["streams"]} == dict.fromkeys(READY, 1)
    assert {one["stream"]: one["filtered"] for one in first.json["streams"] if one["filtered"]} == {
        "salesforce-cases": 1,
        "salesforce-tasks": 1,
    }
    second = place.run()
    assert (second.code, sum(one["sent"] for one in second.json["streams"])) == (0, 0)


@pytest.mark.parametrize("api", ["rest", "bulk"])
def test_the_ready_maps_deliver_the_same_rows_whichever_api_reads_them(place, org, api):
    use(place, *READY)
    fill(org)
    place.run()
    use(place, *READY, api=api)
    again = place.run("--full")
    assert (again.code, sum(one["sent"] for one in again.json["streams"])) == (0, 0), again.err


def test_a_backfill_that_is_killed_in_the_middle_of_a_bulk_job_goes_on_with_it(place, org, sandbox):
    use(place, "salesforce-contacts", api="bulk")
    contacts(org, 5_000)
    process = place.start("backfill", "salesforce-contacts", "--wait", "0s")
    end = time.monotonic() + 60
    while process.poll() is None and sandbox.seen().rows < 1_000 and time.monotonic() < end:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    seen = sandbox.seen().rows
    assert 1_000 <= seen < 5_000
    ended = place.memsync("backfill", "salesforce-contacts", "--json", "--wait", "0s")
    assert ended.code == 0, ended.err
    assert org.calls["bulk_create"] == 1
    assert not org.jobs.jobs
    assert sandbox.seen().rows - 5_000 <= 500
    assert ended.stream["sent"] <= 5_000 - seen + 500
    assert place.memsync("verify", "salesforce-contacts", "--sample", "30", "--json").json["missing"] == 0


def test_a_run_that_is_killed_loses_nothing_and_sends_little_again(place, org, sandbox):
    use(place, "salesforce-contacts", api="rest")
    contacts(org, 3000)
    process = place.start("run", "--wait", "0s")
    end = time.monotonic() + 60
    while process.poll() is None and sandbox.seen().rows < 800 and time.monotonic() < end:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    assert 800 <= sandbox.seen().rows < 3000
    ended = place.run()
    assert ended.code == 0, ended.err
    assert ended.stream["read"] < 3000, "it goes on where it was"
    assert sandbox.seen().rows - 3000 <= 500


def test_a_backfill_reads_a_range_apart_from_the_cursor(place, org):
    use(place, "salesforce-contacts")
    for day in range(10):
        contacts(org, 1, first=day, at=OLD + timedelta(days=day))
    filled = place.memsync(
        "backfill", "salesforce-contacts", "--since", "2024-03-06", "--until", "2024-03-09", "--json", "--wait", "0s"
    )
    assert (filled.code, filled.stream["sent"]) == (0, 3), filled.err
    assert place.run().stream["sent"] == 7


def test_a_dry_run_reads_what_is_due_and_changes_nothing(place, org, sandbox):
    use(place, "salesforce-contacts")
    contacts(org, 30)
    dry = place.run("--dry-run")
    assert (dry.code, dry.stream["sent"]) == (0, 30), dry.err
    assert sandbox.seen().rows == 0
    assert place.run().stream["sent"] == 30


def test_gone_records_are_counted_once_each_and_their_kinds_are_named(place, org):
    use(place, "salesforce-contacts")
    ids = contacts(org, 10)
    place.run()
    org.delete("Contact", ids[0])
    org.merge("Contact", ids[1], ids[2])
    second = place.run()
    assert (second.code, second.stream["gone"]) == (0, 2), second.err
    assert all(word in second.out for word in ("deleted", "merged"))
    assert place.run().stream["gone"] == 0


def test_an_erased_record_is_found_gone_by_the_refresh(place, org):
    use(place, "salesforce-contacts")
    org.advance(timedelta(days=-8))
    ids = contacts(org, 10)
    place.run()
    org.delete("Contact", ids[0])
    org.purge("Contact", ids[0])
    assert place.run().stream["gone"] == 0
    org.advance(timedelta(days=8))
    third = place.run()
    assert (third.code, third.stream["gone"], third.stream["sent"]) == (0, 1, 0), third.err


def test_a_reject_is_read_again_by_its_key_and_leaves_the_list_once_it_is_mended(place, org):
    text = (MAPPINGS / "salesforce-contacts.yaml").read_text(encoding="utf-8")
    place.write_map("".join(line for line in text.splitlines(keepends=True) if "  where:" not in line))
    contacts(org, 1)
    (blank,) = org.add("Contact", [{"LastName": "Blank"}], OLD)
    first = place.run()
    assert (first.code, first.stream["sent"], first.stream["rejected"]) == (3, 1, 1)
    org.change("Contact", blank, {"Email": "bo@mail.example"})
    retried = place.memsync("rejects", "retry", "salesforce-contacts", "--json", "--wait", "0s")
    assert (retried.code, retried.stream["sent"]) == (0, 1), retried.err
    assert not place.memsync("rejects", "list", "--json").json["rejects"]


def test_verify_finds_the_people_of_activities_however_many_each_of_them_has(place, org):
    use(place, "salesforce-tasks", "salesforce-cases", "salesforce-emails")
    fill(org)
    ana = next(key for key, email in org.rows("Contact", "Id", "Email") if email == "ana@acme.example")
    again = {"Subject": "Second", "Description": "Asked again", "TaskSubtype": "Call"}
    org.add("Task", [again | {"WhoId": ana}], OLD)
    place.run("--wait", "10s")
    for stream, rows in (("salesforce-tasks", 2), ("salesforce-cases", 1), ("salesforce-emails", 1)):
        verified = place.memsync("verify", stream, "--json")
        assert (verified.code, verified.json["present"], verified.json["different"]) == (0, rows, 0), verified.out


def test_used_up_calls_end_a_run_with_4_and_the_next_one_goes_on_where_it_was(place, org):
    use(place, "salesforce-contacts")
    contacts(org, 1200)
    org.fail("query_more", "REQUEST_LIMIT_EXCEEDED", after=1)
    first = place.run()
    assert (first.code, first.stream["sent"]) == (4, 1000)
    assert "API calls of the last 24 hours are used up" in first.out
    second = place.run()
    assert (second.code, second.stream["read"], second.stream["sent"]) == (0, 200, 200)


def test_one_stream_that_may_not_be_read_stops_no_other(place, org):
    use(place, "salesforce-contacts", "salesforce-tasks")
    fill(org)
    org.fail("GET /services/data/v62.0/sobjects/Task/describe", "INSUFFICIENT_ACCESS", times=None)
    ended = place.run()
    outcome = {one["stream"]: (one["sent"], one["exit"]) for one in ended.json["streams"]}
    assert (ended.code, outcome) == (4, {"salesforce-contacts": (1, 0), "salesforce-tasks": (0, 4)})


def test_a_hidden_field_is_found_by_validate_and_stops_a_run_before_it_sends(place, org, sandbox):
    use(place, "salesforce-contacts")
    contacts(org, 3)
    org.hide("Contact", "LeadSource")
    for ended in (place.memsync("validate"), place.run()):
        assert ended.code == 2
        assert "LeadSource" in ended.out
        assert "field-level security" in ended.out
    assert sandbox.seen().rows == 0


def test_a_wrong_secret_is_told_without_being_shown(place, org):
    use(place, "salesforce-contacts")
    place.variables["SF_CLIENT_SECRET"] = "WRONG-SECRET-1234"
    ended = place.memsync("run", "--debug")
    assert ended.code == 4
    assert "SF_CLIENT_SECRET" in ended.out + ended.err
    assert "WRONG-SECRET" not in ended.out + ended.err


def test_a_second_org_is_read_by_its_own_variables(place, org):
    use(place, "salesforce-contacts", connection="EU")
    contacts(org, 2)
    for name in ("SF_LOGIN_URL", "SF_CLIENT_ID", "SF_CLIENT_SECRET"):
        place.variables[f"EU_{name}"] = place.variables.pop(name)
    assert place.run().stream["sent"] == 2


def test_the_stand_in_from_a_terminal_prints_variables_that_work(place, tmp_path):
    command = [sys.executable, "-m", "tests.doubles.salesforce", "--contacts", "50"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ)
    try:
        assert process.stdout is not None
        given = {}
        while len(given) < 3 and (line := process.stdout.readline()):
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                given[name] = value.strip("'")
        place.variables |= given
        shutil.copy(MAPPINGS / "salesforce-contacts.yaml", place.folder / "mappings")
        ended = place.run()
        assert (ended.code, ended.stream["rejected"]) == (0, 0), ended.err
        assert 40 < ended.stream["sent"] <= 50
    finally:
        process.terminate()
        process.communicate()
