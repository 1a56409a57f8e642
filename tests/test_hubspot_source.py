"""What a map may say of HubSpot, and what is said of a map that is wrong."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from connectors.base import SourceMisconfigured
from connectors.hubspot import Source, Variables
from connectors.hubspot.account import account_of
from connectors.hubspot.metadata import Property
from connectors.hubspot.objects import object_type
from connectors.hubspot.paths import path_of, remark_on
from connectors.hubspot.plan import make_plan, names_of

KNOWN = {
    name: Property(name, kind)
    for name, kind in {
        "email": "string",
        "firstname": "string",
        "lifecyclestage": "enumeration",
        "createdate": "datetime",
        "birthday": "date",
        "lastmodifieddate": "datetime",
        "amount": "number",
        "hs_merged_object_ids": "string",
    }.items()
}
CONTACTS = object_type("contacts")


def source(**keys: object) -> Source:
    return Source.model_validate({"connector": "hubspot", "object": "contacts", **keys})


def planned(fields=("email",), **keys):
    return make_plan(source(**keys), CONTACTS, KNOWN, {}, fields)


def condition(operator: str, **more: object) -> dict[str, object]:
    return {"propertyName": "email", "operator": operator, **more}


@pytest.mark.parametrize(
    "where",
    [
        [condition("EQ", value="x")],
        [condition("EQ", value=7)],
        [condition("EQ", value=True)],
        [condition("BETWEEN", value="1", highValue="2")],
        [condition("IN", values=["a", 2])],
        [condition("HAS_PROPERTY")],
        [condition("HAS_PROPERTY")] * 4,
    ],
)
def test_conditions_are_written_as_hubspot_s_filters(where):
    assert len(source(where=where).where) == len(where)


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ([condition("EQ")], "EQ expects value"),
        ([condition("EQ", values=["x"])], "EQ expects value"),
        ([condition("BETWEEN", value="1")], "BETWEEN expects value and highValue"),
        ([condition("IN", value="x")], "IN expects values"),
        ([condition("HAS_PROPERTY", value="x")], "HAS_PROPERTY expects no value"),
        ([condition("eq", value="x")], "'EQ'"),
        ([condition("EQ", value="x", valeu="y")], "valeu"),
        ([condition("HAS_PROPERTY")] * 5, "4 items"),
        ([], "1 item"),
        ("email = 'x'", "tuple"),
    ],
)
def test_a_condition_that_is_none_is_refused_when_the_map_is_loaded(where, told):
    with pytest.raises(ValidationError, match=told):
        source(where=where)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"object": None}, "object"),
        ({"primaryKey": "email"}, "hs_object_id"),
        ({"associate": "deals"}, "contacts"),
        ({"associate": "contacts"}, "another object"),
        ({"sweep": "weekly"}, "never, or a duration"),
        ({"archived": 7}, "never, or a duration"),
        ({"query": "SELECT 1"}, "query"),
    ],
)
def test_keys_that_cannot_be_are_refused(keys, told):
    with pytest.raises(ValidationError, match=told):
        source(**keys)


def test_cadences_are_durations_or_never():
    assert source(sweep="7d", archived="never").sweep == timedelta(days=7)
    assert source(archived="never").archived == "never"
    assert source().relink == timedelta(days=14)


def test_only_what_is_needed_is_asked_for():
    plan = planned(["email", "id", "hs_object_id"], where=[condition("HAS_PROPERTY")])
    assert plan.requested == ("email", "lastmodifieddate", "hs_merged_object_ids")
    assert plan.shape.names == ("email", "id", "hs_object_id")


def test_dates_in_conditions_become_milliseconds_and_lists_of_texts_small_letters():
    where = [
        {
            "propertyName": "createdate",
            "operator": "BETWEEN",
            "value": "2024-01-31",
            "highValue": "2024-02-01T00:00:00Z",
        },
        {"propertyName": "firstname", "operator": "IN", "values": ["Ana"]},
        {"propertyName": "lifecyclestage", "operator": "IN", "values": ["MQL"]},
    ]
    found = planned(where=where).filters
    assert (found[0]["value"], found[0]["highValue"]) == ("1706659200000", "1706745600000")
    assert found[1]["values"] == ["ana"]
    assert found[2]["values"] == ["MQL"]


def test_a_date_that_is_none_is_refused_without_quoting_it():
    with pytest.raises(SourceMisconfigured, match="createdate") as told:
        planned(where=[{"propertyName": "createdate", "operator": "GTE", "value": "last-week"}])
    assert "last-week" not in str(told.value)


@pytest.mark.parametrize(
    ("where", "presence"),
    [
        ([condition("HAS_PROPERTY")], {"email": True}),
        ([condition("NOT_HAS_PROPERTY")], {"email": False}),
        ([condition("HAS_PROPERTY"), condition("EQ", value="x")], None),
        (None, {}),
    ],
)
def test_what_a_condition_asks_of_the_record_itself(where, presence):
    assert planned(where=where).presence == presence


def test_all_wrong_names_are_told_at_once():
    with pytest.raises(SourceMisconfigured) as told:
        planned(["emial", "firstnam"], where=[{"propertyName": "stage", "operator": "HAS_PROPERTY"}])
    assert all(name in str(told.value) for name in ("'emial'", "email", "'firstnam'", "firstname", "'stage'"))


@pytest.mark.parametrize("name", ["amount", "birthday"])
def test_a_cursor_field_must_be_a_date_and_time(name):
    with pytest.raises(SourceMisconfigured, match="datetime"):
        planned(cursorField=name)
    assert planned(cursorField="createdate").modified == "createdate"


def test_paths_are_parted_into_own_and_associated_properties():
    own, others = names_of(["contact.email", "hs_note_body", "company.domain", "tags[0]", "contact.firstname"])
    assert own == ["hs_note_body", "tags"]
    assert others == {"contact": ["email", "firstname"], "company": ["domain"]}


@pytest.mark.parametrize(
    ("name", "expected"), [("contacts", "contacts"), ("0-1", "contacts"), ("Notes", "notes"), ("2-77", "2-77")]
)
def test_objects_go_by_name_and_by_type_id(name, expected):
    assert object_type(name).name == expected


@pytest.mark.parametrize("name", ["../x", "a b", "contacts?x=1", ""])
def test_an_object_that_could_break_a_path_is_refused(name):
    with pytest.raises(SourceMisconfigured):
        object_type(name)


def test_only_contacts_have_a_stamp_of_another_name():
    stamps = {name: object_type(name).modified for name in ("contacts", "companies", "notes", "2-1")}
    assert stamps["contacts"] == "lastmodifieddate"
    assert set(stamps.values()) == {"lastmodifieddate", "hs_lastmodifieddate"}


def test_paths_follow_the_version():
    assert path_of("associations", "v3", "notes", "contacts") == "/crm/v4/associations/notes/contacts/batch/read"
    assert path_of("associations", "2027-03", "notes", "contacts") == (
        "/crm/associations/2027-03/notes/contacts/batch/read"
    )


def test_the_end_of_a_version_is_told_half_a_year_before():
    assert remark_on("v3", date(2026, 1, 1), associating=True) == ""
    early = remark_on("v3", date(2026, 11, 1), associating=True)
    assert early.startswith("nothing to do today: HubSpot supports v4 associations until 2027-03-30; before that day,")
    assert "ended on 2027-03-30: set" in remark_on("v3", date(2027, 4, 1), associating=True)
    assert "2027-09-30" in remark_on("v3", date(2027, 6, 1), associating=False)
    assert remark_on("2026-09", date(2027, 12, 1), associating=True) == ""


@pytest.mark.parametrize("version", ["v4", "2026", "latest", "2026-9"])
def test_a_version_that_is_none_is_refused(version):
    with pytest.raises(ValidationError, match="expected v3 or a date version such as 2026-09"):
        Variables(hubspot_api_version=version)


def test_an_account_hides_its_token_and_forgets_a_last_slash():
    account = account_of(Variables(hubspot_access_token="pat-secret", hubspot_base_url="https://x.example/"))
    assert account.url == "https://x.example"
    assert "secret" not in repr(account)


@pytest.mark.parametrize(
    ("name", "instead"), [("id", "hs_object_id"), ("createdAt", "createdate"), ("updatedAt", "lastmodifieddate")]
)
def test_what_is_no_property_cannot_be_a_condition_and_the_one_that_can_is_named(name, instead):
    with pytest.raises(SourceMisconfigured, match=f"name {instead} in `where`"):
        planned(where=[{"propertyName": name, "operator": "HAS_PROPERTY"}])


def test_a_name_that_is_nearly_right_is_offered_in_a_sentence():
    with pytest.raises(SourceMisconfigured, match=r"did you mean email\? Correct the map"):
        planned(["emial"])
    with pytest.raises(SourceMisconfigured, match="is no property of contacts: correct the map"):
        planned(["zzzzzz"])
