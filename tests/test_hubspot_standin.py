"""The stand-in for HubSpot: what it stores, hides and shows."""

import threading

import httpx
import pytest
from doubles.hubspot import HubSpot, shapes
from hubspot_calls import NEW, OLD, PATHS, START, account, found, linked, links, listed, people, read, search, where


@pytest.mark.parametrize(("version", "status"), [(OLD, 207), (NEW, 200)])
def test_missing_ids_come_as_errors_beside_the_records(version, status):
    with account() as (crm, client):
        one, other, archived, erased = crm.add("contacts", people(4), at=START)
        crm.archive("contacts", archived)
        crm.erase("contacts", erased)
        body = {"inputs": [{"id": key} for key in (one, archived, other, erased, "404")]}
        body |= {"properties": ["email"], "propertiesWithHistory": []}
        answer = client.post(f"{PATHS[version][0]}/contacts/batch/read", json=body)
        assert answer.status_code == status
        found_there = answer.json()
        assert shapes.faults(shapes.BATCH_READ, found_there) == []
        assert {record["id"] for record in found_there["results"]} == {one, other}
        assert found_there["errors"][0]["context"]["ids"] == [archived, erased, "404"]


@pytest.mark.parametrize(("version", "kind"), [(OLD, int), (NEW, str)])
def test_associations_come_twice_and_in_pages_per_record(version, kind):
    with account(links_per_page=3) as (crm, client):
        one, bare = crm.add("notes", [{"hs_note_body": "<p>a</p>"}, {}], at=START)
        others = crm.add("contacts", people(3), at=START)
        for other in others:
            crm.associate("notes", one, "contacts", other, label="Witness")
        root = PATHS[version][1]
        first = links(client, "notes", "contacts", [{"id": one}, {"id": bare}], root)
        assert shapes.faults(shapes.associations(kind), first) == []
        assert first["errors"][0]["context"]["fromObjectId"] == [bare]
        assert linked(first) == [others[0], others[0], others[1]]
        after = first["results"][0]["paging"]["next"]["after"]
        second = links(client, "notes", "contacts", [{"id": one, "after": after}], root)
        assert linked(second) == [others[1], others[2], others[2]]
        assert "paging" not in second["results"][0]


def test_records_without_associations_can_be_absent_and_doubles_can_be_one_entry():
    with account(unlinked="absent", repeated_links=False) as (crm, client):
        contact, bare = crm.add("contacts", people(2), at=START)
        (company,) = crm.add("companies", [{"name": "A"}], at=START)
        crm.associate("contacts", contact, "companies", company, label="Primary")
        page = links(client, "contacts", "companies", [{"id": contact}, {"id": bare}])
        assert "errors" not in page
        types = page["results"][0]["to"][0]["associationTypes"]
        assert {(one["typeId"], one["label"]) for one in types} == {(279, None), (1, "Primary")}


def test_an_association_made_later_leaves_the_stamp_alone():
    with account() as (crm, client):
        (note,) = crm.add("notes", [{}], at=START)
        (contact,) = crm.add("contacts", people(1), at=START)
        before = crm.stamp("notes", note), crm.stamp("contacts", contact)
        assert linked(links(client, "notes", "contacts", [{"id": note}])) == []
        crm.associate("notes", note, "contacts", contact)
        assert linked(links(client, "notes", "contacts", [{"id": note}])) == [contact]
        assert linked(links(client, "contacts", "notes", [{"id": contact}])) == [note]
        assert (crm.stamp("notes", note), crm.stamp("contacts", contact)) == before


def test_associations_with_archived_records_are_not_shown():
    with account() as (crm, client):
        (note,) = crm.add("notes", [{}], at=START)
        one, other = crm.add("contacts", people(2), at=START)
        for contact in (one, other):
            crm.associate("notes", note, "contacts", contact)
        crm.archive("contacts", one)
        assert linked(links(client, "notes", "contacts", [{"id": note}])) == [other]
        crm.unassociate("notes", note, "contacts", other)
        assert linked(links(client, "notes", "contacts", [{"id": note}])) == []


def test_archiving_leaves_the_stamp_and_shows_in_the_archived_list_alone():
    with account() as (crm, client):
        one, other = crm.add("contacts", people(2), at=START)
        crm.archive("contacts", one, at=START + 1000)
        assert found(client) == [other]
        assert listed(client) == [[other]]
        (record,) = client.get("/crm/v3/objects/contacts", params={"archived": "true"}).json()["results"]
        assert shapes.faults(shapes.LINKED, record) == []
        assert (record["id"], record["archived"]) == (one, True)
        assert (record["updatedAt"], record["archivedAt"]) == ("2024-05-06T07:08:09.123Z", "2024-05-06T07:08:10.123Z")
        old = client.post("/crm/v3/objects/contacts/batch/read?archived=true", json=read_body(one, other))
        assert [record["id"] for record in old.json()["results"]] == [one]


def read_body(*ids):
    return {"inputs": [{"id": one} for one in ids], "properties": [], "propertiesWithHistory": []}


@pytest.mark.parametrize("new_id", [False, True])
def test_a_merge_takes_the_losers_id_away_and_moves_the_winners_stamp(new_id):
    with account() as (crm, client):
        winner, loser = crm.add("contacts", [{"email": "a@x.example"}, {"email": "b@x.example", "city": "Rome"}], START)
        (note,) = crm.add("notes", [{}], at=START)
        crm.associate("notes", note, "contacts", loser)
        merged = crm.merge("contacts", winner, loser, at=START + 1000, new_id=new_id)
        assert (merged != winner) == new_id
        names = ["email", "city", "hs_merged_object_ids", "hs_calculated_merged_vids", "hs_additional_emails"]
        answer = read(client, [merged, loser], properties=names).json()
        (record,) = answer["results"]
        assert answer["errors"][0]["context"]["ids"] == [loser]
        properties = record["properties"]
        assert (properties["email"], properties["city"]) == ("a@x.example", "Rome")
        assert loser in properties["hs_merged_object_ids"].split(";")
        assert properties["hs_calculated_merged_vids"] == f"{loser}:{START + 1000}"
        assert properties["hs_additional_emails"] == "b@x.example"
        assert record["updatedAt"] == "2024-05-06T07:08:10.123Z"
        assert linked(links(client, "notes", "contacts", [{"id": note}])) == [merged]
        assert listed(client, archived="true") == [[]]


def test_an_erased_record_is_nowhere_and_its_id_is_not_given_again():
    with account() as (crm, client):
        one, other = crm.add("contacts", people(2), at=START)
        crm.erase("contacts", other)
        assert (found(client), listed(client), listed(client, archived="true")) == ([one], [[one]], [[]])
        assert client.get(f"/crm/v3/objects/contacts/{other}").status_code == 404
        assert int(crm.add("contacts", people(1))[0]) > int(other)


def test_odd_numbers_are_passed_on_as_they_are_and_match_no_comparison():
    with account() as (crm, client):
        odd = ["", "1,234", "3;4", "12"]
        ids = crm.add("companies", [{"annualrevenue": value} for value in odd], at=START)
        results = read(client, ids, "companies", properties=["annualrevenue"]).json()["results"]
        assert {record["id"]: record["properties"]["annualrevenue"] for record in results} == dict(
            zip(ids, odd, strict=True)
        )
        assert found(client, "companies", filterGroups=where("annualrevenue", "GTE", value="0")) == [ids[3]]


def test_a_mistake_in_a_test_is_told_there():
    with HubSpot() as crm:
        for kind, row in (("contacts", {"nonsense": "1"}), ("contacts", {"createdate": "1"}), ("cars", {})):
            with pytest.raises(ValueError, match=r"define|created"):
                crm.add(kind, [row])
        with pytest.raises(ValueError, match="no record"):
            crm.archive("contacts", "1")
        with pytest.raises(ValueError, match="no record"):
            crm.associate("contacts", "1", "notes", "1")
        with pytest.raises(ValueError, match="how it is to fail"):
            crm.fail("search")


def test_a_defect_of_the_stand_in_is_told_when_it_closes():
    crm = HubSpot().start()
    crm.before("list", lambda: 1 / 0)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{crm.url}/crm/v3/objects/contacts")
    with pytest.raises(RuntimeError):
        crm.close()


def test_calls_are_counted_by_kind_and_kept():
    with account() as (crm, client):
        client.get("/crm/v3/objects/contacts?limit=1")
        search(client)
        client.get("/nowhere")
        assert crm.calls == {"list": 1, "search": 1, "unknown": 1}
        assert crm.requests[0][:2] == ("GET", "/crm/v3/objects/contacts?limit=1")
        crm.forget_calls()
        assert not crm.calls
        assert not crm.requests


def test_many_clients_are_answered_at_once():
    with account() as (crm, client):
        crm.add("contacts", people(300), at=START)
        got = []
        threads = [threading.Thread(target=lambda: got.append(len(found(client)))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert got == [300] * 6


def test_a_file_keeps_records_and_definitions(tmp_path):
    options = {"database": str(tmp_path / "crm.db")}
    with HubSpot(**options) as crm:
        crm.define("2-5", "colour", label="car")
        ids = crm.add("2-5", [{"colour": "red"}], at=START)
    with account(**options) as (crm, client):
        assert crm.counts() == {"p8675309_car": 1}
        assert found(client, "2-5") == ids
        assert crm.add("2-5", [{}]) == [str(int(ids[0]) + 1)]


def test_records_are_read_by_an_address_in_any_case():
    with account() as (crm, client):
        (one,) = crm.add("contacts", [{"email": "a@x.example"}], at=START)
        answer = read(client, ["A@X.example", "b@x.example"], idProperty="email").json()
        assert [record["id"] for record in answer["results"]] == [one]
        assert answer["errors"][0]["context"]["ids"] == ["b@x.example"]
