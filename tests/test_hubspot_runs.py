"""The whole path as a user meets it: HubSpot, the ready maps, the command line, a memory service."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles.hubspot import HubSpot, missing_scope, too_many
from hubspot_streams import OLD
from workplace import Workplace, at, memory

from sync.sandbox import Sandbox, SandboxOptions

MAPPINGS = Path(__file__).parent.parent / "mappings"
READY = sorted(path.stem.removeprefix("hubspot-") for path in MAPPINGS.glob("hubspot-*.yaml"))
FILLED = {
    "contacts": {"email": "ana@acme.example", "firstname": "Ana", "message": "<p>Renews in May</p>"},
    "companies": {"domain": "acme.example", "name": "Acme", "numberofemployees": "120"},
    "deals": {"dealname": "Renewal", "amount": "1200.50", "description": "They want a discount."},
    "tickets": {"subject": "Login", "content": "Cannot log in since Monday."},
    "notes": {"hs_note_body": "<p>Likes <b>boats</b></p>"},
    "calls": {"hs_call_title": "Intro", "hs_call_body": "<p>Asked for prices</p>", "hs_call_duration": "60000"},
    "emails": {"hs_email_subject": "Hi", "hs_email_text": "We should meet in May."},
}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(database=tmp_path / "sandbox.db")) as one:
        yield one


@pytest.fixture
def place(tmp_path: Path, crm: HubSpot, sandbox: Sandbox) -> Workplace:
    folder = tmp_path / "work"
    (folder / "mappings").mkdir(parents=True)
    hubspot = {"HUBSPOT_BASE_URL": crm.url, "HUBSPOT_ACCESS_TOKEN": crm.token}
    return Workplace(folder, at(sandbox) | hubspot)


def use(place: Workplace, *names: str) -> None:
    """Take ready maps as they are."""
    for name in names:
        shutil.copy(MAPPINGS / f"hubspot-{name}.yaml", place.folder / "mappings")


def people(crm: HubSpot, number: int) -> list[str]:
    rows = [{"email": f"p{n}@x.example", "firstname": f"P{n}", "message": f"Wish {n}"} for n in range(number)]
    return crm.add("contacts", rows, at=OLD)


def test_a_first_run_delivers_everything_a_change_arrives_alone_and_nothing_is_sent_twice(place, crm, sandbox):
    use(place, "contacts")
    ids = people(crm, 230)
    checked = place.memsync("validate")
    assert checked.code == 0, checked.out + checked.err
    first = place.run()
    assert (first.code, first.stream["sent"], first.stream["read"]) == (0, 230, 230), first.err
    crm.change("contacts", ids[7], {"jobtitle": "CTO"})
    second = place.run()
    assert (second.code, second.stream["sent"]) == (0, 1), second.err
    assert memory(sandbox, "p7@x.example")["job_title"] == "CTO"
    third = place.run()
    assert (third.code, third.stream["sent"], third.stream["unchanged"]) == (0, 0, 1)


def test_gone_records_are_counted_once_each_and_their_kinds_are_named(place, crm):
    use(place, "contacts")
    ids = people(crm, 10)
    place.run()
    crm.archive("contacts", ids[0])
    crm.merge("contacts", ids[1], ids[2])
    crm.erase("contacts", ids[3])
    second = place.run()
    assert (second.code, second.stream["gone"]) == (0, 3), second.err
    reasons = second.stream.get("reasons") or second.stream.get("left_out") or second.out
    assert all(word in str(reasons) for word in ("archived", "merged", "no longer in the source"))
    third = place.run()
    assert third.stream["gone"] == 0


def test_a_dry_run_reads_what_is_due_and_changes_nothing(place, crm, sandbox):
    use(place, "contacts")
    people(crm, 30)
    dry = place.run("--dry-run")
    assert (dry.code, dry.stream["sent"]) == (0, 30), dry.err
    assert sandbox.seen().rows == 0
    assert place.run().stream["sent"] == 30


def test_a_backfill_reads_a_range_apart_from_the_cursor(place, crm):
    use(place, "contacts")
    rows = [{"email": f"p{n}@x.example"} for n in range(10)]
    crm.add("contacts", rows, at=lambda n: OLD + n * 86_400_000)
    filled = place.memsync(
        "backfill", "hubspot-contacts", "--since", "2023-11-16", "--until", "2023-11-19", "--json", "--wait", "0s"
    )
    assert (filled.code, filled.stream["sent"]) == (0, 3), filled.err
    assert place.run().stream["sent"] == 7


def test_a_reject_is_read_again_by_its_key_and_leaves_the_list_once_it_is_mended(place, crm):
    text = (MAPPINGS / "hubspot-contacts.yaml").read_text(encoding="utf-8")
    start, end = text.index("  where:"), text.index("destination:")
    place.write_map(text[:start] + text[end:], "contacts.yaml")
    ids = crm.add("contacts", [{"email": "a@x.example"}, {"firstname": "Bo"}], at=OLD)
    first = place.run()
    assert (first.code, first.stream["sent"], first.stream["rejected"]) == (3, 1, 1)
    crm.change("contacts", ids[1], {"email": "bo@x.example"})
    retried = place.memsync("rejects", "retry", "hubspot-contacts", "--json", "--wait", "0s")
    assert (retried.code, retried.stream["sent"]) == (0, 1), retried.err
    assert not place.memsync("rejects", "list", "--json").json["rejects"]


def test_status_tells_the_position_and_verify_finds_memory_equal(place, crm):
    use(place, "contacts")
    people(crm, 12)
    place.run("--wait", "10s")
    status = place.memsync("status")
    assert status.code == 0
    assert "hubspot-contacts" in status.out
    verified = place.memsync("verify", "hubspot-contacts", "--json")
    assert (verified.code, verified.json["equal"]) == (0, 12), verified.out


@pytest.mark.parametrize("version", ["v3", "2026-09"])
def test_the_ready_maps_are_checked_and_run_and_a_second_run_sends_nothing(place, crm, version):
    place.variables["HUBSPOT_API_VERSION"] = version
    use(place, *READY)
    ids = {name: crm.add(name, [values], at=OLD)[0] for name, values in FILLED.items()}
    for name in ("notes", "calls", "emails"):
        crm.associate(name, ids[name], "contacts", ids["contacts"])
    assert set(READY) == set(FILLED), "every ready map is tried"
    checked = place.memsync("validate")
    assert checked.code == 0, checked.out + checked.err
    first = place.run()
    assert first.code == 0, first.err
    assert {one["stream"]: one["sent"] for one in first.json["streams"]} == {f"hubspot-{name}": 1 for name in READY}
    second = place.run()
    assert (second.code, sum(one["sent"] for one in second.json["streams"])) == (0, 0)


def test_html_of_a_note_becomes_clean_text_under_its_contact(place, crm, sandbox):
    use(place, "notes")
    (ana,) = crm.add("contacts", [FILLED["contacts"]], at=OLD)
    (note,) = crm.add("notes", [FILLED["notes"] | {"hs_timestamp": "2024-05-06T07:08:09.123Z"}], at=OLD)
    crm.associate("notes", note, "contacts", ana)
    crm.add("notes", [{"hs_note_body": "about nobody"}], at=OLD)
    ended = place.run("--wait", "10s")
    assert (ended.stream["sent"], ended.stream["filtered"]) == (1, 1), ended.err
    assert memory(sandbox, "ana@acme.example")["note"] == "Note of 2024-05-06T07:08:09.123Z:\n\nLikes boats"


def test_many_activities_of_one_person_are_verified_well_as_the_ready_maps_send_them(place, crm):
    use(place, "notes", "calls", "emails")
    (ana,) = crm.add("contacts", [FILLED["contacts"]], at=OLD)
    for name in ("notes", "calls", "emails"):
        for one in crm.add(name, [FILLED[name] | {"hs_timestamp": OLD + day * 86_400_000} for day in range(3)], at=OLD):
            crm.associate(name, one, "contacts", ana)
    (empty,) = crm.add("notes", [{"hs_timestamp": OLD}], at=OLD)
    crm.associate("notes", empty, "contacts", ana)
    ended = place.run("--wait", "10s")
    assert {one["stream"]: one["sent"] for one in ended.json["streams"]} == dict.fromkeys(
        ("hubspot-notes", "hubspot-calls", "hubspot-emails"), 3
    )
    for name in ("notes", "calls", "emails"):
        found = place.memsync("verify", f"hubspot-{name}", "--json")
        assert (found.code, found.json["present"], found.json["different"]) == (0, 3, 0), found.out


def test_one_missing_scope_stops_its_stream_and_no_other(place, crm):
    use(place, "contacts", "deals")
    people(crm, 3)
    crm.refuse("* /crm/v3/properties/deals", missing_scope("granular", ["crm.objects.deals.read"]), times=9)
    ended = place.run()
    outcome = {one["stream"]: (one["sent"], one["exit"]) for one in ended.json["streams"]}
    assert (ended.code, outcome) == (4, {"hubspot-contacts": (3, 0), "hubspot-deals": (0, 4)})
    assert "crm.objects.deals.read" in ended.out


def test_the_daily_limit_ends_a_run_with_4_and_the_next_one_goes_on_where_it_was(place, crm):
    use(place, "contacts")
    people(crm, 250)
    crm.fail("GET /crm/v3/objects/contacts", status=429, body=too_many("DAILY").body, skip=1)
    first = place.run()
    assert (first.code, first.stream["sent"]) == (4, 100)
    assert "daily limit" in first.out
    second = place.run()
    assert (second.code, second.stream["read"], second.stream["sent"]) == (0, 150, 150)


def test_a_run_that_is_killed_loses_nothing_and_sends_little_again(place, crm, sandbox):
    use(place, "contacts")
    people(crm, 900)
    crm.fail("GET /crm/v3/objects/contacts", late=0.2, times=20)
    process = place.start("run", "--wait", "0s")
    end = time.monotonic() + 30
    while sandbox.seen().rows < 300 and time.monotonic() < end:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    seen = sandbox.seen().rows
    assert 300 <= seen < 900
    ended = place.run("--wait", "10s")
    assert ended.code == 0, ended.err
    assert ended.stream["read"] < 900, "it goes on where it was"
    assert sandbox.seen().rows - 900 <= 500
    assert place.memsync("verify", "hubspot-contacts", "--sample", "60", "--json").json["missing"] == 0


def test_a_missing_property_is_found_by_validate_and_stops_a_run_before_it_sends(place, crm, sandbox):
    use(place, "contacts")
    people(crm, 3)
    file = place.folder / "mappings" / "hubspot-contacts.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("sourceField: jobtitle", "sourceField: jobtitel"))
    for ended in (place.memsync("validate"), place.run()):
        assert ended.code == 2
        assert "jobtitel" in ended.out
        assert "jobtitle" in ended.out.replace("jobtitel", "")
    assert sandbox.seen().rows == 0


def test_a_wrong_token_is_told_without_being_shown(place, crm):
    use(place, "contacts")
    place.variables["HUBSPOT_ACCESS_TOKEN"] = "pat-na1-11112222-secret"
    ended = place.memsync("run")
    assert ended.code == 4
    assert "HUBSPOT_ACCESS_TOKEN" in ended.out + ended.err
    assert "secret" not in ended.out + ended.err


def test_a_second_account_is_read_by_its_own_variables(place, crm):
    use(place, "contacts")
    people(crm, 2)
    file = place.folder / "mappings" / "hubspot-contacts.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("  object: contacts", "  object: contacts\n  connection: EU")
    )
    for name in ("HUBSPOT_BASE_URL", "HUBSPOT_ACCESS_TOKEN"):
        place.variables[f"EU_{name}"] = place.variables.pop(name)
    assert place.run().stream["sent"] == 2
