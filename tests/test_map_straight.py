"""The quick way through a map gives exactly the rows of the careful way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Record
from sync.maps import compile as compiling
from sync.maps.load import load_text
from sync.maps.row import Reject, Row

MAP = load_text("""\
stream: people
source: {connector: postgres, object: public.people}
mapping:
  entityType: contact
  email: email
  properties:
    name: {sourceField: name, collectionName: Contacts}
    city: {sourceField: address.city, collectionName: Contacts}
    plan: {sourceField: plan, collectionName: Contacts, transform: [strip, lower]}
    "it's \\"odd\\" {name}": {sourceField: "x'\\"{y}", collectionName: Contacts}
    notes: {sourceField: notes, collectionName: Notes, extractMemories: true}
    more: {sourceField: more, collectionName: Notes, extractMemories: true, transform: [html_to_text]}
""")
QUICK = compiling.compile_map(MAP, b"salt").row
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
        patch.setattr(compiling, "_straight", lambda *parts: parts[-1])
        return compiling.compile_map(MAP, b"salt").row


@given(fields=FIELDS, email=st.sampled_from(["a@b.example", " ", "", None, "\0@b", 7]))
def test_both_ways_agree_on_every_record(careful: Any, fields: dict[str, Any], email: Any) -> None:
    record = Record("1", {"email": email, **fields})
    assert QUICK(record) == careful(record)


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
