"""The quick ways through a map, for records and for values, give exactly the rows of the careful way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Record
from sync.maps import compile as compiling
from sync.maps.load import load_text
from sync.maps.row import Reject, Row

HEAD = """\
stream: people
source: {connector: postgres, object: public.people}
mapping:
  entityType: contact
  email: email
  properties:
    name: {sourceField: name, collectionName: Contacts}
"""
MAP = load_text(
    HEAD
    + """\
    city: {sourceField: address.city, collectionName: Contacts}
    plan: {sourceField: plan, collectionName: Contacts, transform: [strip, lower]}
    "it's \\"odd\\" {name}": {sourceField: "x'\\"{y}", collectionName: Contacts}
    notes: {sourceField: notes, collectionName: Notes, extractMemories: true}
    more: {sourceField: more, collectionName: Notes, extractMemories: true, transform: [html_to_text]}
"""
)
PLAIN = load_text(
    HEAD
    + """\
    plan: {sourceField: plan, collectionName: Contacts, transform: [strip, lower]}
    absent: {sourceField: no_such_field, collectionName: Contacts}
    notes: {sourceField: notes, collectionName: Notes, extractMemories: true}
    silent: {sourceField: nor_this, collectionName: Notes, extractMemories: true}
"""
)
COMPILED = compiling.compile_map(MAP, b"salt")
QUICK = COMPILED.row
NAMES = ("notes", "more", "not mapped", "x'\"{y}", "plan", "address", "name", "email")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates() | st.uuids(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
FIELDS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("email", "name", "address", "plan", "x'\"{y}", "notes", "more"), VALUES)
)


@pytest.fixture(scope="module")
def careful() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "_straight", lambda *_: None)
        return compiling.compile_map(MAP, b"salt").row


@given(fields=FIELDS, email=st.sampled_from(["a@b.example", " ", "", None, "\0@b", 7]))
def test_both_ways_agree_on_every_record(careful: Any, fields: dict[str, Any], email: Any) -> None:
    record = Record("1", {"email": email, **fields})
    assert QUICK(record) == careful(record)
    assert COMPILED.row_of(NAMES)([*map(record.fields.get, NAMES), "1", None]) == careful(record)


@given(fields=FIELDS, email=st.sampled_from(["a@b.example", " ", None, 7]))
def test_values_become_the_row_of_their_record_where_every_field_is_plain(fields: dict[str, Any], email: Any) -> None:
    compiled, record = compiling.compile_map(PLAIN, b"salt"), Record("1", {"email": email, **fields})
    assert compiled.row_of(NAMES)([*map(record.fields.get, NAMES), "1", "v1"]) == compiled.row(record)


def test_values_keep_their_version_where_every_touched_record_is_sent() -> None:
    touchy = PLAIN.model_copy(update={"destination": PLAIN.destination.model_copy(update={"skip_unchanged": False})})
    compiled = compiling.compile_map(touchy, b"salt")
    first, again, later = (compiled.row_of(("email",))(("a@b.example", "1", version)) for version in ("1", "1", "2"))
    assert first == again == compiled.row(Record("1", {"email": "a@b.example"}, "1"))
    assert first != later


def test_an_ordinary_record_becomes_a_row_without_the_careful_way(careful: Any) -> None:
    fields = {"email": "a@b.example", "name": "A", "address": {"city": "Ulm"}, "plan": " Pro ", "notes": "Text."}
    row = QUICK(Record("1", fields))
    assert isinstance(row, Row)
    assert row == careful(Record("1", fields))


@pytest.mark.parametrize("notes", ["x" * 100_001, "a\0b", "\ud800"])
def test_what_cannot_be_sent_is_rejected_by_both(careful: Any, notes: str) -> None:
    record = Record("1", {"email": "a@b.example", "notes": notes})
    assert isinstance(QUICK(record), Reject)
    assert QUICK(record) == careful(record)
