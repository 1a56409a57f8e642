"""The stand-in for HubSpot: its answers have the published shapes, on both path versions."""

import httpx
import pytest
from doubles.hubspot import shapes
from hubspot_calls import NEW, OLD, PATHS, START, account, found, people, search, where

REST = {
    OLD: ("/crm/v3/owners", "/account-info/v3/details", "/account-info/v3/api-usage/daily/private-apps"),
    NEW: (
        "/crm/owners/2026-09",
        "/account-info/2026-09/details",
        "/account-info/2026-09/api-usage/daily/private-apps",
    ),
}


@pytest.mark.parametrize("version", [OLD, NEW])
def test_every_answer_has_its_published_shape_on_both_versions(version):
    with account(time_zone="Europe/Berlin") as (crm, client):
        fill_one_of_each(crm)
        objects, _, properties, schemas = PATHS[version]
        shape = shapes.PROPERTY_V3 if version == OLD else shapes.PROPERTY
        expected = {
            f"{objects}/contacts?associations=companies&propertiesWithHistory=email": shapes.LIST,
            f"{objects}/contacts/9901?associations=0-2": shapes.LINKED,
            f"{objects}/contacts/a%40x.example?idProperty=email": shapes.LINKED,
            f"{objects}/2-77?properties=colour": shapes.LIST,
            f"{properties}/contacts": shapes.properties(shape),
            f"{properties}/contacts?dataSensitivity=sensitive": shapes.properties(shape),
            f"{properties}/0-46/hs_note_body": shape,
            schemas: shapes.schemas(shape),
            **dict(zip(REST[version], (shapes.OWNERS, shapes.ACCOUNT, shapes.USAGE), strict=True)),
        }
        for path, wanted in expected.items():
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert shapes.faults(wanted, answer.json()) == [], path
            assert answer.json().get("results") != [], path
        page = search(client, root=objects, properties=["email"], limit=1)
        assert shapes.faults(shapes.SEARCH, page) == []
        hints = {name for one in client.get(f"{properties}/contacts").json()["results"] for name in one}
        assert ("textDisplayHint" in hints) == (version == OLD)


def fill_one_of_each(crm):
    crm.define("2-77", {"name": "colour", "options": [{"label": "Red", "value": "red", "hidden": False}]}, label="car")
    crm.add("2-77", [{"colour": "red"}], at=START)
    ids = crm.add("contacts", [{"email": "a@x.example"}, *people(1)], at=START)
    (company,) = crm.add("companies", [{"name": "A"}], at=START)
    crm.associate("contacts", ids[0], "companies", company, label="Primary")


def test_the_shapes_tell_what_is_wrong():
    wrong = {"total": "1", "results": [{"id": 7, "properties": {"a": 1}, "archived": False, "extra": 1}]}
    told = "\n".join(shapes.faults(shapes.SEARCH, wrong))
    for place in ("answer.total", "[0].id is", "properties.a", "createdAt is absent", "extra is unknown"):
        assert place in told


def test_only_default_properties_come_unless_some_are_named_and_unknown_ones_are_passed_over():
    with account() as (crm, client):
        crm.add("contacts", [{"email": "A@X.example", "city": "Rome"}], at=START)
        system = {"createdate", "lastmodifieddate", "hs_object_id"}
        for query, names in [
            ("", {"email", "firstname", "lastname"}),
            ("?properties=city,nonsense&properties=email", {"city", "email"}),
        ]:
            (record,) = client.get(f"/crm/v3/objects/contacts{query}").json()["results"]
            assert record["properties"].keys() == system | names
            assert record["properties"]["email"] == "a@x.example"


def test_custom_types_go_by_type_id_and_by_qualified_name():
    with account() as (crm, client):
        name = crm.define("2-123456", "colour", {"name": "story", "fieldType": "textarea"}, label="car")
        (one,) = crm.add("2-123456", [{"story": "s"}], at=START)
        assert name == "p8675309_car"
        assert found(client, name, filterGroups=where("hs_lastmodifieddate", "EQ", value=str(START))) == [one]
        (schema,) = client.get("/crm/v3/schemas").json()["results"]
        assert (schema["objectTypeId"], schema["fullyQualifiedName"]) == ("2-123456", name)
        assert client.get("/crm/v3/objects/2-999").status_code == 404
        crm.undefine("2-123456", "story")
        (record,) = client.get("/crm/v3/objects/2-123456?properties=story").json()["results"]
        assert "story" not in record["properties"]


def test_links_of_pages_lead_to_no_host_that_exists():
    with account() as (crm, client):
        crm.add("contacts", people(2), at=START)
        link = client.get("/crm/v3/objects/contacts?limit=1").json()["paging"]["next"]["link"]
        assert httpx.URL(link).host.endswith(".invalid")
