"""The choice of free text against labels by hand, on recorded fields of real objects and on tables with rows."""

from __future__ import annotations

import json

import pytest

from benchmarks.free_text import FOLDER, case_of, compare
from benchmarks.tables import TABLES, fill_tables
from sync.discover.judgement import judge
from sync.discover.looking import look_at
from sync.discover.opening import Place

FILES = sorted(FOLDER.glob("*.json"))


def test_every_object_that_people_sync_has_labels():
    names = {path.stem for path in FILES}
    hubspot = "contacts companies deals tickets notes calls emails meetings tasks".split()
    salesforce = "contact lead account opportunity case task event emailmessage".split()
    assert names == {f"hubspot-{one}" for one in hubspot} | {f"salesforce-{one}" for one in salesforce}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_by_metadata_alone_exactly_the_labelled_fields_are_chosen(path):
    case = case_of(json.loads(path.read_text(encoding="utf-8")))
    outcome = compare(judge(case.fields, ()), case.text)
    assert (outcome.missed, outcome.wrong) == ((), ())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_doubtful_label_is_about_a_field_and_says_why(path):
    case = case_of(json.loads(path.read_text(encoding="utf-8")))
    names = {field.name for field in case.fields}
    assert case.text <= names
    assert set(case.doubtful) <= names
    assert all(case.doubtful.values())


def test_of_tables_with_rows_exactly_the_labelled_columns_are_chosen(database, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database.url)
    fill_tables(database.url, 120)
    for table, text in TABLES.items():
        look = look_at(Place("postgres", f"public.{table}"), 100)
        assert len(look.records) == 100
        outcome = compare(judge(look.fields, look.records, look.cursor), text)
        assert (table, outcome.missed, outcome.wrong) == (table, (), ())
