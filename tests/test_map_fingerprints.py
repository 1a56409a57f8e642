"""When a row counts as changed, and when a map does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Record
from sync.maps.compile import CompiledMap, compile_map
from sync.maps.load import load_text
from sync.maps.row import PLAIN_SIZE, TEXT_SIZE, Row

MAP = """\
stream: crm
source: {connector: postgres, object: public.crm}
destination: {tier: pro, rowsPerCall: 100}
mapping:
  entityType: contact
  email: email
  properties:
    plan: {sourceField: plan, collectionName: Contacts}
    bio: {sourceField: bio, collectionName: Notes, extractMemories: true}
    notes: {sourceField: notes, collectionName: Notes, extractMemories: true}
"""
FIELDS = {"email": "a@x.co", "plan": "pro", "bio": "b", "notes": "n"}


def compiled(old: str = "", new: str = "", salt: bytes = b"salt") -> CompiledMap:
    assert old in MAP
    return compile_map(load_text(MAP.replace(old, new, 1)), salt)


def parts(found: CompiledMap, version: str | None = None, **fields: object) -> tuple[bytes, ...]:
    """The fingerprint cut into its plain part and one part per text."""
    row = found.row(Record("1", FIELDS | fields, version))
    assert isinstance(row, Row)
    starts = range(PLAIN_SIZE, len(row.fingerprint), TEXT_SIZE)
    return (row.fingerprint[:PLAIN_SIZE], *(row.fingerprint[start : start + TEXT_SIZE] for start in starts))


BASE = compiled()


def test_the_same_content_has_the_same_fingerprint_in_every_run():
    assert parts(BASE) == parts(compiled())
    assert parts(BASE, version="1") == parts(BASE, version="2")
    assert parts(BASE) == parts(BASE, unmapped="x")


def test_a_changed_value_changes_its_own_part_only():
    plain, bio, notes = parts(BASE)
    assert parts(BASE, plan="free")[1:] == (bio, notes)
    assert parts(BASE, plan="free")[0] != plain
    assert parts(BASE, notes="other")[:2] == (plain, bio)
    assert parts(BASE, notes="other")[2] != notes
    assert parts(BASE, bio=None) == (plain, notes)


def test_equal_texts_of_two_properties_differ():
    _, bio, notes = parts(BASE, bio="same", notes="same")
    assert bio != notes


def test_another_salt_gives_other_fingerprints():
    assert not set(parts(BASE)) & set(parts(compiled(salt=b"other")))


def test_adding_a_plain_property_leaves_the_text_parts_alone():
    wider = compiled("    plan:", "    city: {sourceField: city, collectionName: Contacts}\n    plan:")
    assert parts(wider)[0] != parts(BASE)[0]
    assert parts(wider)[1:] == parts(BASE)[1:]


def test_a_changed_definition_sends_even_equal_values_again():
    moved = compiled("plan, collectionName: Contacts", "plan, collectionName: People")
    assert parts(moved)[0] != parts(BASE)[0]
    renamed = compiled("notes, collectionName: Notes", "notes, collectionName: Calls")
    assert parts(renamed)[:2] == parts(BASE)[:2]
    assert parts(renamed)[2] != parts(BASE)[2]


def test_without_skip_unchanged_a_touched_row_counts_as_changed():
    found = compiled("tier: pro", "tier: pro, skipUnchanged: false")
    assert parts(found, version="1") == parts(found, version="1")
    assert parts(found, version="1")[0] != parts(found, version="2")[0]
    assert parts(found, version="1")[1:] == parts(found, version="2")[1:]
    assert parts(found)[0] != parts(found)[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tier: pro", "tier: ultra"),
        ("rowsPerCall: 100", "rowsPerCall: 500"),
        ("public.crm", "public.crm, start: 2024-01-01T00:00:00Z"),
        ("mapping:", 'schedule: {cron: "0 2 * * *"}\nmapping:'),
        ("Notes, extractMemories: true", "Notes, extractMemories: true, onError: reject"),
        ("plan, collectionName: Contacts", "plan, collectionName: Contacts, extractMemories: false"),
    ],
)
def test_the_map_hash_stays_when_what_is_delivered_stays(old, new):
    assert compiled(old, new).map_hash == BASE.map_hash
    assert parts(compiled(old, new)) == parts(BASE)


def test_the_order_of_properties_does_not_count():
    bio = "    bio: {sourceField: bio, collectionName: Notes, extractMemories: true}\n"
    moved = compile_map(load_text(MAP.replace(bio, "") + bio), b"salt")
    assert (moved.map_hash, parts(moved)) == (BASE.map_hash, parts(BASE))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("entityType: contact", "entityType: lead"),
        ("  email: email", "  email: mail"),
        ("  email: email", "  recordId: email"),
        ("  email: email", "  customKeyName: k\n  customKey: email"),
        ("sourceField: plan", "sourceField: tier"),
        ("sourceField: plan", 'value: "{plan}"'),
        ("collectionName: Contacts", "collectionId: Contacts"),
        ("collectionName: Contacts", "collectionName: Contacts, transform: [strip]"),
        ("collectionName: Contacts", "collectionName: Contacts, onError: null"),
        ("collectionName: Contacts", "collectionName: Contacts, extractMemories: true"),
        ("    plan:", "    tier:"),
        ("    bio:", "    cv:"),
    ],
)
def test_the_map_hash_changes_when_what_is_delivered_could(old, new):
    assert compiled(old, new).map_hash != BASE.map_hash


VALUE = st.none() | st.booleans() | st.integers(-3, 3) | st.text('ab\\"', max_size=3)
RECORD = st.fixed_dictionaries({"plan": VALUE, "bio": st.text("ab ", max_size=2), "notes": st.text("ab ", max_size=2)})


@given(RECORD, RECORD)
def test_fingerprints_are_equal_exactly_when_contents_are(first, second):
    one, other = BASE.row(Record("1", FIELDS | first)), BASE.row(Record("2", FIELDS | second))
    assert isinstance(one, Row)
    assert isinstance(other, Row)
    assert ((one.plain, one.texts) == (other.plain, other.texts)) == (one.fingerprint == other.fingerprint)
