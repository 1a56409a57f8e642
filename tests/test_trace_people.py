"""Tracing an activity that is about several people: one record of the source, a row for each of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles.hubspot import HubSpot
from hubspot_streams import OLD
from workplace import Workplace, at

from sync.sandbox import Sandbox, SandboxOptions

MAPS = Path(__file__).parent.parent / "mappings"


@pytest.fixture
def place(tmp_path: Path, crm: HubSpot) -> Iterator[Workplace]:
    (tmp_path / "work" / "mappings").mkdir(parents=True)
    for name in ("hubspot-notes.yaml", "hubspot-contacts.yaml"):
        shutil.copy(MAPS / name, tmp_path / "work" / "mappings")
    with Sandbox(SandboxOptions(database=tmp_path / "sandbox.db")) as sandbox:
        hubspot = {"HUBSPOT_BASE_URL": crm.url, "HUBSPOT_ACCESS_TOKEN": crm.token}
        yield Workplace(tmp_path / "work", at(sandbox) | hubspot)


def test_the_id_of_an_activity_stands_for_all_of_its_rows(place: Workplace, crm: HubSpot) -> None:
    people = crm.add("contacts", [{"email": f"p{n}@x.example"} for n in range(3)], at=OLD)
    notes = crm.add("notes", [{"hs_note_body": "Likes boats.", "hs_timestamp": "2026-01-01T00:00:00Z"}] * 2, at=OLD)
    for person in people:
        crm.associate("notes", notes[0], "contacts", person)
    crm.associate("notes", notes[1], "contacts", people[0])
    assert place.memsync("trace", "hubspot-notes", notes[0], "-n").code == 2
    assert place.run("hubspot-notes", "--wait", "20s").code == 0
    several = place.memsync("trace", "hubspot-notes", notes[0], "-n", "--json")
    assert (several.code, len(several.json["rows"])) == (0, 3), several.err
    assert {one["identity"]["value"] for one in several.json["rows"]} == {f"p{n}@x.example" for n in range(3)}
    one = place.memsync("trace", "hubspot-notes", f"{notes[0]},{people[2]}", "--json")
    (row,) = one.json["rows"]
    assert (one.code, row["delivery"], row["identity"]["value"]) == (0, "settled", "p2@x.example")


def test_a_record_that_a_run_saw_gone_is_known_from_the_history(place: Workplace, crm: HubSpot) -> None:
    ids = crm.add("contacts", [{"email": f"p{n}@x.example"} for n in range(3)], at=OLD)
    assert place.run("hubspot-contacts", "--wait", "20s").code == 0
    crm.archive("contacts", ids[1])
    assert place.run("hubspot-contacts").stream["gone_keys"] == {ids[1]: "archived"}
    known = place.memsync("trace", "hubspot-contacts", ids[1], "-n", "--json")
    (row,) = known.json["rows"]
    assert (known.code, row["found"], row["state"]["fingerprint"]) == (3, False, None)
    assert row["gone"]["word"] == "archived"
    shown = place.memsync("trace", "hubspot-contacts", ids[1])
    assert (shown.code, "archived; seen by the run of" in shown.out) == (3, True)
