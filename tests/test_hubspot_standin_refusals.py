"""The stand-in for HubSpot: what it refuses."""

import httpx
import pytest
from doubles.hubspot import WORDINGS, shapes
from hubspot_calls import START, account, bearer, links, people, read, search, where

SEARCH = "/crm/v3/objects/contacts/search"
READ = "/crm/v3/objects/contacts/batch/read"
LINKS = "/crm/v4/associations/notes/contacts/batch/read"
THREE = {"inputs": [{"id": "1"}], "properties": [], "propertiesWithHistory": []}


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        (SEARCH, {"filterGroup": []}, "filterGroup"),
        (SEARCH, {"limit": 201}, "between"),
        (SEARCH, {"limit": "10"}, "limit"),
        (SEARCH, {"limit": 0}, "limit"),
        (SEARCH, {"after": 200}, "after"),
        (SEARCH, {"after": "x"}, "after"),
        (SEARCH, {"after": "9900", "limit": 200}, "10000"),
        (SEARCH, {"properties": "email"}, "properties"),
        (SEARCH, {"sorts": ["email", "city"]}, "sorts"),
        (SEARCH, {"sorts": [{"propertyName": "email", "order": "ASC"}]}, "order"),
        (SEARCH, {"filterGroups": where("nonsense", "EQ", value="1")}, "problem with the request"),
        (SEARCH, {"filterGroups": where("email", "LIKE", value="1")}, "LIKE"),
        (SEARCH, {"filterGroups": where("email", "EQ")}, "requires value"),
        (SEARCH, {"filterGroups": where("email", "EQ", value=1)}, "must be a string"),
        (SEARCH, {"filterGroups": where("email", "IN", value="1")}, "requires values"),
        (SEARCH, {"filterGroups": where("lastmodifieddate", "BETWEEN", value="1")}, "highValue"),
        (SEARCH, {"filterGroups": where("lastmodifieddate", "GT", value="yesterday")}, "yesterday"),
        (SEARCH, {"filterGroups": where("hs_object_id", "GT", value="9" * 30)}, "number"),
        (SEARCH, {"filterGroups": [{"filters": where("email", "EQ", value="1")[0]["filters"] * 11}]}, "Too many"),
        (SEARCH, {"filterGroups": where("email", "EQ", value="1") * 6}, "Too many"),
        (SEARCH, {"query": "x" * 3000}, "3000"),
        (READ, {"inputs": [{"id": "1"}], "properties": []}, "propertiesWithHistory"),
        (READ, {**THREE, "inputs": [{"id": str(one)} for one in range(101)]}, "100"),
        (READ, {**THREE, "inputs": [{"id": 1}]}, "id"),
        (READ, {**THREE, "inputs": ["1"]}, "inputs"),
        (READ, {**THREE, "inputs": [{"id": "1", "extra": 1}]}, "extra"),
        (READ, {**THREE, "idProperty": "firstname"}, "unique"),
        (
            READ,
            {**THREE, "inputs": [{"id": str(one)} for one in range(51)], "propertiesWithHistory": ["email"]},
            "property histories is 50",
        ),
        (LINKS, {"inputs": [{"id": str(one)} for one in range(1001)]}, "1000"),
        (LINKS, {"inputs": [{"id": "1", "limit": 5}]}, "limit"),
        (LINKS, {}, "inputs"),
        ("/crm/v3/objects/contacts", {"properties": {"nonsense": "1"}}, "not valid"),
        ("/crm/v3/objects/contacts", {"properties": {"lifecyclestage": "1"}}, "not valid"),
        ("/crm/v3/objects/contacts", {"properties": {"hs_object_id": "1"}}, "not valid"),
    ],
)
def test_a_wrong_body_is_a_400(path, body, word):
    with account() as (_, client):
        answer = client.post(path, json=body)
        assert answer.status_code == 400
        assert shapes.faults(shapes.ERROR, answer.json()) == []
        assert word in answer.text


@pytest.mark.parametrize(
    "query", ["limit=101", "limit=0", "archived=yes", "after=x", "limit=51&propertiesWithHistory=a"]
)
def test_a_wrong_parameter_is_a_400(query):
    with account() as (_, client):
        assert client.get(f"/crm/v3/objects/contacts?{query}").status_code == 400


def test_the_greatest_numbers_are_taken():
    with account() as (crm, client):
        crm.add("contacts", people(200), at=START)
        assert len(search(client, limit=200)["results"]) == 200
        assert len(client.get("/crm/v3/objects/contacts?limit=100").json()["results"]) == 100
        assert len(read(client, crm.ids("contacts", 100)).json()["results"]) == 100
        assert links(client, "contacts", "notes", [{"id": str(one)} for one in range(1000)])["numErrors"] == 1000
        assert client.post(SEARCH, json={"after": "9800", "limit": 200}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/crm/v3/nothing"), ("GET", SEARCH + "/x"), ("PUT", SEARCH), ("POST", "/crm/v3/owners"), ("GET", "/")],
)
def test_an_unknown_path_is_a_404_with_a_page(method, path):
    with account() as (_, client):
        answer = client.request(method, path)
        assert (answer.status_code, answer.text[:9]) == (404, "<!DOCTYPE")


def test_a_body_that_is_no_json_is_refused():
    with account() as (_, client):
        typed = {"Content-Type": "application/json"}
        assert client.post(SEARCH, content=b"{", headers=typed).status_code == 400
        assert client.post(SEARCH, content=b"[]", headers=typed).status_code == 400
        assert client.post(SEARCH, content=b"a=1").status_code == 415


def test_a_url_is_too_long_above_16000_characters():
    with account() as (crm, client):
        start = f"{crm.url}/crm/v3/objects/contacts?properties="
        assert client.get(start + "x" * (16_000 - len(start))).status_code == 200
        assert client.get(start + "x" * (16_001 - len(start))).status_code == 414


def test_a_filter_at_the_epoch_is_a_500():
    with account() as (_, client):
        body = {"filterGroups": where("lastmodifieddate", "GTE", value="0")}
        assert client.post(SEARCH, json=body).status_code == 500


@pytest.mark.parametrize(
    ("header", "status", "category"),
    [
        ({}, 401, "INVALID_AUTHENTICATION"),
        ({"Authorization": "Bearer other"}, 401, "INVALID_AUTHENTICATION"),
        ({"Authorization": "Bearer two words"}, 530, None),
        ({"Authorization": "Basic abc"}, 530, None),
    ],
)
def test_a_token_that_is_not_right_is_refused(header, status, category):
    with account() as (crm, _):
        answer = httpx.get(f"{crm.url}/crm/v3/owners", headers=header)
        assert answer.status_code == status
        assert category is None or answer.json()["category"] == category


def test_a_token_expires_and_comes_back():
    with account() as (crm, client):
        crm.expire()
        assert client.get("/crm/v3/owners").json()["category"] == "EXPIRED_AUTHENTICATION"
        crm.expire(expired=False)
        assert client.get("/crm/v3/owners").status_code == 200


def test_a_token_is_checked_on_every_connection():
    with account() as (crm, client):
        assert client.get("/crm/v3/owners", headers=bearer(crm.token + "x")).status_code == 401


WORDS = {
    "granular": "hasn't been granted all required scopes",
    "not_granted": "hasn't been granted all required scopes",
    "permissions_to": "do not have permissions to",
    "is_missing": "is missing required",
    "improper": "does not have proper permissions",
    "not_public": "isn't available for public use",
    "private": "private to its owner",
}


@pytest.mark.parametrize("wording", WORDINGS)
def test_a_missing_scope_is_refused_in_each_wording(wording):
    with account(scopes=["crm.objects.contacts.read"], wording=wording) as (_, client):
        assert client.get("/crm/v3/objects/notes").status_code == 200
        answer = client.get("/crm/v3/objects/deals")
        assert answer.status_code == 403
        assert WORDS[wording] in answer.json()["message"]
        if wording == "granular":
            assert shapes.faults(shapes.ERROR, answer.json()) == []
            scopes = answer.json()["errors"][0]["context"]["requiredGranularScopes"]
            assert (answer.json()["category"], scopes) == ("MISSING_SCOPES", ["crm.objects.deals.read"])


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/crm/v3/objects/tickets", "tickets"),
        ("GET", "/crm/v3/objects/2-9", "crm.objects.custom.read"),
        ("GET", "/crm/v3/objects/contacts?associations=companies", "crm.objects.companies.read"),
        ("GET", "/crm/v3/properties/companies", "crm.objects.companies.read"),
        ("GET", "/crm-object-schemas/v3/schemas", "crm.schemas.custom.read"),
        ("GET", "/crm/v3/owners", "crm.objects.owners.read"),
        ("DELETE", "/crm/v3/objects/contacts/9901", "crm.objects.contacts.write"),
    ],
)
def test_each_path_asks_for_its_scope(method, path, scope):
    with account(scopes=["crm.objects.contacts.read"]) as (crm, client):
        crm.define("2-9")
        assert scope in client.request(method, path).text
        crm.options.scopes = ["crm.objects.contacts.read", scope]
        assert client.request(method, path).status_code in (200, 204)


def test_the_words_of_emails_are_withheld_without_their_scope():
    with account(scopes=["crm.objects.contacts.read"]) as (crm, client):
        (one,) = crm.add("emails", [{"hs_email_text": "hello", "hs_email_direction": "EMAIL"}], at=START)
        names = ["hs_email_text", "hs_email_direction"]
        (record,) = read(client, [one], "emails", properties=names).json()["results"]
        assert [record["properties"][name] for name in names] == [None, "EMAIL"]
        crm.options.scopes = ["crm.objects.contacts.read", "sales-email-read"]
        (record,) = read(client, [one], "emails", properties=names).json()["results"]
        assert record["properties"]["hs_email_text"] == "hello"


def test_sensitive_properties_need_a_scope_and_a_parameter():
    with account(scopes=["crm.objects.contacts.read"]) as (crm, client):
        crm.add("contacts", [{"health_notes": "secret"}], at=START)
        path = "/crm/v3/properties/contacts?dataSensitivity=sensitive"
        assert client.get(path).json()["results"] == []
        assert "secret" not in client.get("/crm/v3/objects/contacts?properties=health_notes").text
        crm.options.scopes = ["crm.objects.contacts.read", "crm.objects.contacts.sensitive.read"]
        assert [one["name"] for one in client.get(path).json()["results"]] == ["health_notes"]
        assert "secret" in client.get("/crm/v3/objects/contacts?properties=health_notes").text
