"""From HubSpot's texts to values, and which properties hold people's words."""

from __future__ import annotations

import pytest

from connectors.hubspot.metadata import Property, by_name, field_of, free_text, near
from connectors.hubspot.objects import object_type
from connectors.hubspot.values import Shape, converter, ids_in, iso, milliseconds

CONTACTS = object_type("contacts")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("12.50", 12.5),
        ("1E7", 1e7),
        ("1,234", "1,234"),
        ("3;4", "3;4"),
        ("007", "007"),
        ("0.12345678901234567", "0.12345678901234567"),
        ("99999999999999999999", "99999999999999999999"),
        ("NaN", "NaN"),
        (f"0.{'0' * 330}1", f"0.{'0' * 330}1"),
        (f"1{'0' * 400}.0", f"1{'0' * 400}.0"),
    ],
)
def test_a_number_is_made_only_of_what_is_exactly_one(text, value):
    shape = Shape(("amount",), {"amount": Property("amount", "number", "number")})
    found = shape.fields({"id": "1", "properties": {"amount": text}})["amount"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "field_type", "text", "value"),
    [
        ("bool", "booleancheckbox", "true", True),
        ("bool", "booleancheckbox", "false", False),
        ("enumeration", "booleancheckbox", "true", True),
        ("enumeration", "checkbox", "a;b", "a;b"),
        ("enumeration", "radio", "true", "true"),
        ("string", "text", "12", "12"),
        ("string", "html", "<p>Hi</p>", "<p>Hi</p>"),
        ("phone_number", "phonenumber", "+4930123", "+4930123"),
        ("datetime", "date", "2024-05-06T07:08:09.123Z", "2024-05-06T07:08:09.123Z"),
        ("datetime", "date", "1714979289123", "2024-05-06T07:08:09.123Z"),
        ("datetime", "date", "1.714979289123E12", "2024-05-06T07:08:09.123Z"),
        ("date", "date", "2024-05-06", "2024-05-06"),
        ("date", "date", "1714953600000", "2024-05-06"),
    ],
)
def test_values_follow_the_property_s_type(kind, field_type, text, value):
    found = converter(Property("x", kind, field_type))(text)
    assert (found, type(found)) == (value, type(value))


def test_what_a_record_has_beside_its_properties_can_be_named_too():
    shape = Shape(("id", "createdAt", "hs_object_id", "email"), {"email": Property("email")})
    fields = shape.fields({"id": "7", "createdAt": "2024-01-01T00:00:00Z", "properties": {"email": "a@x.example"}})
    assert fields == {
        "id": "7",
        "createdAt": "2024-01-01T00:00:00Z",
        "hs_object_id": "7",
        "email": "a@x.example",
    }


def test_a_property_of_the_name_wins_over_what_is_beside_them():
    shape = Shape(("id",), {"id": Property("id")})
    assert shape.fields({"id": "7", "properties": {"id": "own"}}) == {"id": "own"}


@pytest.mark.parametrize("text", ["2024-05-06T07:08:09.123Z", "2024-05-06T09:08:09.123+02:00", "1714979289123"])
def test_stamps_become_milliseconds_and_back(text):
    assert milliseconds(text) == 1714979289123
    assert iso(1714979289123) == "2024-05-06T07:08:09.123Z"


@pytest.mark.parametrize("text", [None, "", "soon", "9999999999999999999999"])
def test_what_is_no_stamp_is_none(text):
    assert milliseconds(text) is None


def test_merged_ids_are_read_from_both_kinds_of_lists():
    assert ids_in("12;34", "56:1700000000000;12:1700000000001", None, "") == ["12", "34", "56"]


def defined(name: str, kind: str = "string", field_type: str = "text", **more: object) -> Property:
    return Property.of({"name": name, "type": kind, "fieldType": field_type, **more})


@pytest.mark.parametrize(
    ("one", "free"),
    [
        (defined("message", "string", "textarea"), True),
        (defined("what_they_want", "string", "textarea"), True),
        (defined("terms", "string", "html"), True),
        (defined("about", textDisplayHint="multi_line"), True),
        (defined("jobtitle"), None),
        (defined("hs_quarantined_emails", "string", "textarea", modificationMetadata={"readOnlyValue": True}), False),
        (defined("link_urls", "string", "textarea"), False),
        (defined("secret_note", "string", "textarea", hidden=True), False),
        (defined("diagnosis", "string", "textarea", dataSensitivity="sensitive"), False),
        (defined("summary", "string", "textarea", calculated=True), False),
        (defined("code", "string", "textarea", hasUniqueValue=True), False),
        (defined("choice", "string", "textarea", options=[{"value": "a"}]), False),
        (defined("createdate", "datetime", "date"), False),
        (defined("amount", "number", "number"), False),
    ],
    ids=lambda one: one.name if isinstance(one, Property) else str(one),
)
def test_people_s_words_are_told_from_facts(one, free):
    found, reason = free_text(one, CONTACTS)
    assert found is free
    assert reason


@pytest.mark.parametrize(
    ("object", "name", "free"),
    [("notes", "hs_note_body", True), ("tickets", "subject", False), ("calls", "hs_call_title", False)],
)
def test_bodies_of_activities_are_words_and_titles_are_not(object, name, free):
    assert free_text(defined(name, "string", "html"), object_type(object))[0] is free


def test_a_map_would_leave_out_hidden_and_sensitive_and_system_properties():
    noise = {
        one.name: field_of(one, CONTACTS).noise
        for one in (
            defined("a", hidden=True),
            defined("b", dataSensitivity="highly_sensitive"),
            defined("hs_c", modificationMetadata={"readOnlyValue": True}),
            defined("jobtitle"),
        )
    }
    assert noise == {"a": "hidden", "b": "sensitive", "hs_c": "system field", "jobtitle": ""}


def test_definitions_that_lack_almost_everything_are_understood():
    assert by_name([{"name": "x"}, {}]) == {"x": Property("x")}


def test_names_that_are_spelt_alike_are_suggested():
    assert near("firstName", ["firstname", "lastname", "email"]) == "; did you mean firstname or lastname?"
    assert near("note_body", ["hs_note_body", "x"]) == "; did you mean hs_note_body?"
    assert near("zzz", ["firstname"]) == ""
