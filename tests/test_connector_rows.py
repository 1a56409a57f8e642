"""Rows of HubSpot and Salesforce become fields by quick ways, which do on every row what the plain rules say."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
import requests
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import SourceMisconfigured
from connectors.hubspot import answers, values
from connectors.hubspot.metadata import Property
from connectors.salesforce.http import Adapter
from connectors.salesforce.values import Column, Shape, converter

TYPES = ("string", "textarea", "boolean", "int", "double", "datetime", "date", "unheard of")
COLUMNS = [Column((f"f_{name.replace(' ', '_')}",), name) for name in TYPES]
COLUMNS += [Column(("Account", "Name"), "string"), Column(("Account", "Owner", "IsActive"), "boolean")]
SHAPE = Shape.of(COLUMNS)
STAMPS = st.sampled_from(["2026-01-02T03:04:05.000+0000", "2026-01-02T03:04:05.000+0100", "1700000000000", "+0000"])
TEXTS = st.one_of(st.text(alphabet="ab\r\n\0 ", max_size=6), STAMPS, st.sampled_from(["true", "False", "12", "1.50"]))
VALUES = st.one_of(
    st.none(), TEXTS, st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False)
)


def expected(row: dict[str, Any], columns: list[Column]) -> dict[str, Any]:
    """The rule, value by value: what is empty is None, a parent of which nothing is known too."""
    fields: dict[str, Any] = {}
    for column in columns:
        name, *rest = column.path
        value = row.get(name)
        if rest:
            below = [Column(one.path[1:], one.type) for one in columns if one.path[0] == name and len(one.path) > 1]
            found = expected(value, below) if isinstance(value, dict) else {}
            fields[name] = found if any(one is not None for one in found.values()) else None
        else:
            fields[name] = None if value is None or value == "" else converter(column.type)(value)
    return fields


@given(
    st.fixed_dictionaries(
        {},
        optional={column.path[0]: VALUES for column in COLUMNS[:-2]}
        | dict.fromkeys(("attributes", "Extra", "Another"), VALUES)
        | {
            "Account": st.one_of(
                VALUES,
                st.fixed_dictionaries(
                    {},
                    optional={
                        "Name": VALUES,
                        "attributes": VALUES,
                        "Owner": st.dictionaries(st.just("IsActive"), VALUES),
                    },
                ),
            )
        },
    )
)
def test_a_row_of_json_is_read_by_the_rule_whatever_it_holds_and_lacks(row: dict[str, Any]) -> None:
    before = json.dumps(row)
    assert SHAPE.of_json(row) == expected(row, COLUMNS)
    assert json.dumps(row) == before, "the answer itself was changed"


def test_a_row_with_as_many_values_as_asked_for_but_others_is_read_by_the_rule() -> None:
    columns = [Column(("A",), "string"), Column(("B",), "int")]
    assert Shape.of(columns).of_json({"attributes": {}, "A": "x", "C": 5}) == {"A": "x", "B": None}


@pytest.mark.parametrize("paths", [[("Title",), ("Title", "Email")], [("Title", "Email"), ("Title",)]])
def test_a_field_and_a_relationship_of_one_name_are_refused(paths: list[tuple[str, ...]]) -> None:
    with pytest.raises(SourceMisconfigured, match="a field and a relationship alike"):
        Shape.of([Column(path, "string") for path in paths])


@given(st.lists(TEXTS, min_size=len(COLUMNS), max_size=len(COLUMNS)))
def test_a_row_of_csv_is_read_by_the_rule(texts: list[str]) -> None:
    nested: dict[str, Any] = {}
    for column, text in zip(COLUMNS, texts, strict=True):
        at = nested
        for step in column.path[:-1]:
            at = at.setdefault(step, {})
        at[column.path[-1]] = text
    assert SHAPE.of_csv([column.name for column in COLUMNS])(texts) == expected(nested, COLUMNS)


HUBSPOT = {
    "plain": Property("plain"),
    "count": Property("count", "number"),
    "when": Property("when", "datetime"),
    "on": Property("on", "date"),
    "yes": Property("yes", "bool"),
}
NAMES = ("plain", "count", "when", "on", "yes", "unknown", "hs_object_id", "createdAt")


@given(st.dictionaries(st.sampled_from([*HUBSPOT, "unknown", "hs_object_id", "other"]), VALUES), VALUES)
def test_a_result_of_hubspot_is_read_by_the_rule(properties: dict[str, Any], created: Any) -> None:
    found = values.Shape(NAMES, HUBSPOT).fields({"id": "7", "createdAt": created, "properties": properties})
    for name in ("plain", "count", "when", "on", "yes", "unknown"):
        value = properties.get(name)
        convert = values.converter(HUBSPOT.get(name))
        assert found[name] == (convert(value) if isinstance(value, str) and value else None if value == "" else value)
    assert found["createdAt"] == created
    assert found["hs_object_id"] == (
        properties.get("hs_object_id") if properties.get("hs_object_id") not in (None, "") else "7"
    )


@pytest.mark.parametrize(
    ("text", "when", "on"),
    [
        ("1700000000000", "2023-11-14T22:13:20.000Z", "2023-11-14"),
        ("1.7e12", "2023-11-14T22:13:20.000Z", "2023-11-14"),
        ("-100000000000", "1966-10-31T14:13:20.000Z", "1966-10-31"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02", "2026-01-02", "2026-01-02"),
        ("soon", "soon", "soon"),
    ],
)
def test_stamps_are_told_from_milliseconds(text: str, when: str, on: str) -> None:
    assert (values.moment(text), values.day(text)) == (when, on)


@pytest.mark.parametrize("odd", [7, "a.b:c-d_e"])
def test_an_unusual_id_is_taken_as_text(odd: Any) -> None:
    assert answers.records({"results": [{"id": odd, "properties": None}]}) == [{"id": str(odd), "properties": {}}]


@pytest.mark.parametrize("odd", [None, "", True, "a b", "é", "x" * 65, 1.5, {}])
def test_an_id_that_cannot_be_one_is_unfit(odd: Any) -> None:
    with pytest.raises(answers.Unfit):
        answers.records({"results": [{"id": odd, "properties": {}}]})


@pytest.mark.parametrize("odd", [[], "text", 5])
def test_properties_that_are_no_object_are_unfit(odd: Any) -> None:
    with pytest.raises(answers.Unfit):
        answers.records({"results": [{"id": "1", "properties": odd}]})


# What an answer of Salesforce is decoded to


def answer(body: bytes) -> requests.Response:
    adapter = Adapter(None, (1.0, 1.0, 1.0), lambda: 0.0)
    raw = urllib3.HTTPResponse(io.BytesIO(body), status=200, preload_content=False)
    response = adapter.build_response(requests.Request("GET", "https://x.example/query").prepare(), raw)
    adapter.finish(response)
    return response


@pytest.mark.parametrize(
    "text",
    ['{"a": [1, 2.5, "x\\u00e9", null, true]}', '{"half": "\\ud83d"}', '{"n": NaN}', '{"a": 1, "a": 2}', "[]", '"x"'],
)
def test_an_answer_is_decoded_as_the_library_decodes_it(text: str) -> None:
    assert repr(answer(text.encode()).json()) == repr(json.loads(text))


def test_an_answer_in_another_encoding_is_left_to_the_library() -> None:
    assert answer('{"a": "\N{EURO SIGN}"}'.encode("utf-16")).json() == {"a": "\N{EURO SIGN}"}


def test_an_answer_that_is_no_json_is_told_in_the_library_s_own_words() -> None:
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer(b"<html>").json()


def test_what_the_caller_asks_of_decoding_is_done() -> None:
    assert answer(b'{"a": 1}').json(object_pairs_hook=list) == [("a", 1)]


def test_rows_of_csv_keep_their_line_breaks_in_one_form() -> None:
    text = 'f_string,Id\n"a\r\nb\rc\nd",1\n'
    header, row = csv.reader(io.StringIO(text, newline=""))
    shape = Shape.of([Column(("f_string",), "string")])
    assert shape.of_csv(header)(row) == {"f_string": "a\nb\nc\nd"}
