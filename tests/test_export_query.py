"""From what a person types to a search, and from records to lines and cells."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from sync.export.names import Known, columns_of, undefined, why_nothing
from sync.export.query import Condition, Query, parse_condition, parse_key, parse_names
from sync.export.shapes import Lines, Table
from sync.memory.records import Stored


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("job_title=CEO", Condition("job_title", "EQ", "CEO")),
        ("job_title = Head of IT", Condition("job_title", "EQ", "Head of IT")),
        ("seats=50", Condition("seats", "EQ", "50")),
        ("note=a=b IN c", Condition("note", "EQ", "a=b IN c")),
        ("plan!=free", Condition("plan", "NEQ", "free")),
        ("name~ann", Condition("name", "CONTAINS", "ann")),
        ("name!~ann", Condition("name", "NOT_CONTAINS", "ann")),
        ("name^=An", Condition("name", "STARTS_WITH", "An")),
        ("seats>50", Condition("seats", "GT", 50)),
        ("seats>=50.5", Condition("seats", "GTE", 50.5)),
        ("since<2026-01-01", Condition("since", "LT", "2026-01-01")),
        ("seats<=-1", Condition("seats", "LTE", -1)),
        ("plan IN team, pro", Condition("plan", "IN", ("team", "pro"))),
        ("phone IS_SET", Condition("phone", "IS_SET")),
        ("phone IS_NOT_SET", Condition("phone", "IS_NOT_SET")),
        ("seats GT 5", Condition("seats", "GT", 5)),
        ("Job Title=CEO", Condition("Job Title", "EQ", "CEO")),
    ],
)
def test_conditions_are_read(text: str, expected: Condition) -> None:
    assert parse_condition(text) == expected


@pytest.mark.parametrize("text", ["", "phone", "=x", "phone=", "plan IN", "phone IS_SET yes", "phone LIKE x"])
def test_what_is_no_condition_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|takes no value"):
        parse_condition(text)


def test_keys_and_names_are_read() -> None:
    assert parse_key("email=ada@x.co") == ("email", "ada@x.co")
    assert parse_key("studentNumber = S=1 ") == ("studentNumber", "S=1")
    assert parse_names("b, a,,b") == ["b", "a"]
    for text in ("ada@x.co", "=x", "email="):
        with pytest.raises(ValueError, match="NAME=VALUE"):
            parse_key(text)


def test_a_search_is_always_paged_and_says_what_it_is_for() -> None:
    query = Query("contact", ("email", "a@x.co"), (Condition("plan", "IN", ("a", "b")),), is_any=True, memories=True)
    group = {"id": "where", "logic": "OR", "conditions": [{"property": "plan", "operator": "IN", "value": ["a", "b"]}]}
    asked = {"type": "contact", "email": "a@x.co", "groups": [group], "returnRecords": True, "includeMemories": True}
    assert query.body(3, 50) == asked | {"page": 3, "pageSize": 50}
    own = Query(key=("studentNumber", "S-1")).counting()
    assert own == {
        "customKeyName": "studentNumber", "customKeyValue": "S-1", "countOnly": True, "page": 1, "pageSize": 1
    }  # fmt: skip
    assert query.mark("csv") == query.mark("csv") != query.mark("jsonl")
    assert query.mark() != Query("contact", ("email", "a@x.co")).mark()


RECORDS = [
    Stored(
        "rec_1", {"name": 'Ann "A", Lee\nDr.', "seats": 5, "vip": True, "tags": ["a"], "plan": None}, ["one", "two"]
    ),
    Stored("rec_2", {"name": "=1+1", "since": "-5"}, None),
]


def test_lines_are_one_object_a_record(tmp_path: Path) -> None:
    every = Lines(Query("contact", memories=True))
    (tmp_path / "a.jsonl").write_text(every.head + every.text(RECORDS))
    first, second = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert first == {
        "recordId": "rec_1", "type": "contact", "properties": RECORDS[0].properties, "memories": ["one", "two"]
    }  # fmt: skip
    assert second["memories"] == []
    assert list(every.ids(tmp_path / "a.jsonl")) == ["rec_1", "rec_2"]
    some = Lines(Query(properties=("seats", "name"))).text(RECORDS[1:])
    assert json.loads(some) == {"recordId": "rec_2", "properties": {"seats": None, "name": "=1+1"}}


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(text.splitlines(keepends=True)))


def test_a_table_has_a_column_for_each_property_and_one_for_the_rest(tmp_path: Path) -> None:
    table = Table(Query("contact"), ["name", "seats"], spreadsheet=False)
    text = table.head + table.text(RECORDS)
    assert rows(text) == [
        ["recordId", "name", "seats", "other_properties"],
        ["rec_1", 'Ann "A", Lee\nDr.', "5", '{"vip":true,"tags":["a"],"plan":null}'],
        ["rec_2", "=1+1", "", '{"since":"-5"}'],
    ]
    assert table.others == {"vip", "tags", "plan", "since"}
    (tmp_path / "a.csv").write_text(text)
    assert list(table.ids(tmp_path / "a.csv")) == ["rec_1", "rec_2"]
    chosen = Table(Query("contact", properties=("seats",), memories=True), ["seats"], spreadsheet=False)
    assert rows(chosen.head + chosen.text(RECORDS)) == [
        ["recordId", "seats", "memories"], ["rec_1", "5", '["one","two"]'], ["rec_2", "", ""]
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\n=1", "＝1"])
def test_only_for_a_spreadsheet_nothing_begins_like_a_formula(text: str, tmp_path: Path) -> None:
    records = [Stored(text, {"name": text, "seats": -5}, None)]
    query = Query(properties=("name", "seats"))
    safe = Table(query, ["name", "seats"], spreadsheet=True)
    assert safe.head.startswith("\ufeff")
    assert rows(safe.text(records)) == [[f"'{text}", f"'{text}", "-5"]]
    (tmp_path / "a.csv").write_text(safe.head + safe.text(records), encoding="utf-8", newline="")
    assert list(safe.ids(tmp_path / "a.csv")) == [text]
    plain = Table(query, ["name", "seats"], spreadsheet=False)
    assert rows(plain.text(records)) == [[text, text, "-5"]]


def test_columns_come_from_the_collections_of_the_type() -> None:
    def collection(of: str | None, *names: str) -> dict[str, object]:
        properties = [{"propertyName": name} for name in names]
        return {"payload": {"properties": properties} | ({"entityType": of} if of else {})}

    actions = [
        collection("Contact", "name", "plan"),
        collection("Company", "industry"),
        collection(None, "notes", "plan"),
    ]
    assert columns_of(actions, "contact") == ["name", "plan", "notes"]
    assert columns_of(actions, None) == ["name", "plan", "industry", "notes"]
    assert columns_of([{"payload": {}}, {"payload": {"properties": [None, {"systemName": "x"}]}}], None) == ["x"]


AWKWARD = [
    "a\rb", "a\r\nb", "a\nb", "\r", '"q"', "a,b", "\ta", " a ", "'x", "=1+1", "\x00n", "\u2028", "\x85", "\x0b=1",
    "\ufeffx",
]  # fmt: skip


@pytest.mark.parametrize("value", AWKWARD)
def test_a_table_reads_back_as_it_was_and_can_be_gone_on_with(value: str, tmp_path: Path) -> None:
    table = Table(Query("contact"), ["p"], spreadsheet=False)
    some = [Stored(value, {"p": value, "q": value}, None), Stored("last", {}, None)]
    path = tmp_path / "a.csv"
    path.write_text(table.head + table.text(some), newline="")
    with path.open(newline="", encoding="utf-8") as file:
        _, first, last = csv.reader(file)
    assert (first[:2], json.loads(first[2]), last) == ([value, value], {"q": value}, ["last", "", ""])
    assert list(table.ids(path)) == [value, "last"]


def test_names_that_no_collection_defines_are_told_with_what_is_near() -> None:
    actions = [
        {"payload": {"entityType": "contact", "properties": [{"systemName": "plan"}, {"propertyName": "Job Title"}]}},
        {"payload": {"entityType": "company", "properties": [{"systemName": "seats"}]}},
        {"payload": {"properties": None}},
    ]
    known = Known(["contact", "company"], columns_of(actions, None))
    assert undefined(["plann", "plan", "JOB TITLE", "zzz"], known) == [
        "no collection defines the property 'plann'; did you mean plan?",
        "no collection defines the property 'JOB TITLE'; did you mean Job Title?",
        "no collection defines the property 'zzz'",
    ]
    misspelt = why_nothing(Query("contacts", conditions=(Condition("Plan", "EQ", "pro"),)), known)
    assert misspelt[0] == "no map here has the entityType 'contacts'; did you mean contact?"
    assert misspelt[1] == "no collection defines the property 'Plan'; did you mean plan?"
    assert "compared exactly" in why_nothing(Query("contact"), known)[0]
