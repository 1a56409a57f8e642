"""From records to rows: what is encoded, what is rejected and why."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Record
from sync.maps.compile import CompiledMap, compile_map
from sync.maps.load import load_text
from sync.maps.row import PLAIN_SIZE, TEXT_SIZE, MappedProperty, Reject, Row

HEAD = """\
stream: crm
source: {connector: postgres, object: public.crm}
mapping:
  entityType: contact
"""

WHOLE = """\
  email: email
  properties:
    plan: {sourceField: plan, collectionName: Contacts, transform: [strip, lower]}
    full_name: {value: "{first} {last}", collectionName: Contacts}
    company: {sourceField: Account.Name, collectionId: col_1}
    score: {sourceField: score, collectionName: Contacts, transform: [number], onError: null}
    since: {sourceField: since, collectionName: Contacts, transform: [date]}
    notes: {sourceField: notes, collectionName: Notes, extractMemories: true, transform: [html_to_text]}
    bio: {sourceField: bio, collectionName: Notes, extractMemories: true}
"""


def compiled(mapping: str, salt: bytes = b"salt") -> CompiledMap:
    return compile_map(load_text(HEAD + mapping), salt)


WHOLE_MAP = compiled(WHOLE)


def row_of(found: CompiledMap, **fields: object) -> Row:
    row = found.row(Record("1", fields))
    assert isinstance(row, Row), row
    return row


def reject_of(found: CompiledMap, **fields: object) -> Reject:
    reject = found.row(Record("1", fields))
    assert isinstance(reject, Reject), reject
    return reject


def body(row: Row) -> dict[str, object]:
    """The row as it is sent: plain values and texts joined without encoding anything again."""
    return orjson.loads(row.plain[:-1] + b"".join(b"," + text for text in row.texts) + b"}")


def test_a_record_becomes_the_row_of_the_batch_call():
    row = row_of(
        WHOLE_MAP,
        email=" ana@x.co ",
        plan=" PRO ",
        first="Ana",
        last="Roe",
        Account={"Name": "Acme"},
        score="1,000.5",
        since=datetime(2024, 1, 31, tzinfo=UTC),
        notes="<p>Likes <b>tea</b></p>",
        bio="Born in Ulm.",
        unmapped="x",
    )
    assert (row.key, row.identity) == ("1", "ana@x.co")
    assert orjson.loads(row.plain) == {
        "email": "ana@x.co",
        "plan": "pro",
        "full_name": "Ana Roe",
        "company": "Acme",
        "score": 1000.5,
        "since": "2024-01-31",
    }
    assert row.texts == (b'"bio":"Born in Ulm."', b'"notes":"Likes tea"')
    assert len(row.fingerprint) == PLAIN_SIZE + 2 * TEXT_SIZE
    assert body(row)["notes"] == "Likes tea"


def test_the_compiled_map_tells_what_the_run_needs():
    assert WHOLE_MAP.entity_type == "contact"
    assert WHOLE_MAP.identity.row_key == "email"
    assert WHOLE_MAP.text_names == ("bio", "notes")
    assert WHOLE_MAP.source_fields == (
        "email", "plan", "first", "last", "Account.Name", "score", "since", "notes", "bio",
    )  # fmt: skip
    assert MappedProperty("company", "company", extract=False, collection_id="col_1") in WHOLE_MAP.properties
    assert MappedProperty("notes", "notes", extract=True, collection_name="Notes") in WHOLE_MAP.properties


def test_null_is_sent_so_that_a_cleared_field_is_cleared_in_memory():
    row = row_of(WHOLE_MAP, email="a@x.co")
    assert orjson.loads(row.plain) == dict.fromkeys(("plan", "full_name", "company", "score", "since")) | {
        "email": "a@x.co"
    }


@pytest.mark.parametrize("text", [None, "", "  \n", "<p> </p>"])
def test_an_empty_text_is_left_out(text):
    row = row_of(WHOLE_MAP, email="a@x.co", notes=text)
    assert row.texts == ()
    assert len(row.fingerprint) == PLAIN_SIZE


@pytest.mark.parametrize(("value", "sent"), [(7, "7"), (Decimal("7"), "7"), (" x ", "x")])
def test_an_identity_is_sent_as_text(value, sent):
    found = compiled("  recordId: id\n  properties: {a: {sourceField: a, collectionName: C}}\n")
    row = row_of(found, id=value)
    assert (row.identity, orjson.loads(row.plain)["recordId"]) == (sent, sent)


def test_a_custom_key_is_its_own_row_key():
    found = compiled(
        "  customKeyName: tax_id\n  customKey: Account.Tax\n  properties: {a: {sourceField: a, collectionName: C}}\n"
    )
    assert (found.identity.kind, found.identity.row_key, found.identity.custom_key_name) == (
        "customKey", "tax_id", "tax_id",
    )  # fmt: skip
    assert orjson.loads(row_of(found, Account={"Tax": 5}).plain) == {"tax_id": "5", "a": None}


@pytest.mark.parametrize(
    ("definition", "row_key"),
    [
        ("{sourceField: mail, collectionName: C}", "email"),
        ("{sourceField: other, collectionName: C}", "_email"),
        ("{sourceField: mail, collectionName: C, transform: [lower]}", "_email"),
        ("{sourceField: mail, collectionName: C, extractMemories: true}", "_email"),
    ],
)
def test_a_property_named_like_the_identity_shares_its_row_key_only_with_the_same_value(definition, row_key):
    found = compiled(f"  email: mail\n  properties: {{email: {definition}}}\n")
    assert found.identity.row_key == row_key
    row = row_of(found, mail="A@x.co", other="o")
    assert body(row)[row_key] == "A@x.co"
    assert "email" in body(row)


@pytest.mark.parametrize("value", [None, "", " ", [], {"a": 1}, True, [1]])
def test_a_record_without_an_identity_is_rejected_with_the_field_s_name(value):
    reject = reject_of(WHOLE_MAP, email=value, plan="SECRET")
    assert (reject.key, reject.code) == ("1", "MISSING_IDENTIFIER")
    assert "email" in reject.message


def test_a_failing_transform_rejects_the_row_and_never_shows_the_value():
    reject = reject_of(WHOLE_MAP, email="a@x.co", since="SECRET")
    assert reject.code == "TRANSFORM_FAILED"
    assert reject.message == "since: the transform date found text of 6 characters, expected a date such as 2024-01-31"


def test_a_failing_transform_gives_null_where_the_map_says_so():
    assert orjson.loads(row_of(WHOLE_MAP, email="a@x.co", score="many").plain)["score"] is None


def test_a_default_after_a_transform_that_may_fail_takes_its_place():
    steps = "transform: [number, {default: 0}], onError: null"
    found = compiled(f"  email: e\n  properties: {{n: {{sourceField: n, collectionName: C, {steps}}}}}\n")
    assert orjson.loads(row_of(found, e="a@x.co", n="many").plain)["n"] == 0


@pytest.mark.parametrize("name", ["plan", "notes", "email"])
def test_a_nul_is_rejected_with_the_property_s_name(name):
    reject = reject_of(WHOLE_MAP, **{"email": "a@x.co", name: "a\0b"})
    assert reject.code == "INVALID_TEXT"
    assert reject.message.startswith(f"{name}: found a NUL character")


def test_a_backslash_before_u0000_is_no_nul():
    row = row_of(WHOLE_MAP, email="a@x.co", plan="\\u0000", notes="\\u0000")
    assert body(row)["plan"] == "\\u0000"


@pytest.mark.parametrize("name", ["plan", "notes", "email"])
def test_half_a_character_is_rejected_with_the_property_s_name(name):
    reject = reject_of(WHOLE_MAP, **{"email": "a@x.co", name: "a\ud800"})
    assert reject.code == "INVALID_TEXT"
    assert reject.message.startswith(f"{name}: found half a character")


def test_half_a_character_inside_a_list_is_found_too():
    found = compiled("  email: e\n  properties: {l: {sourceField: l, collectionName: C}}\n")
    assert reject_of(found, e="a@x.co", l=["\ud800"]).message.startswith("l: found half a character")


def test_characters_are_counted_not_bytes():
    fits = "ü" * (100_000 - len("a@x.co"))
    assert row_of(WHOLE_MAP, email="a@x.co", notes=fits).texts
    reject = reject_of(WHOLE_MAP, email="a@x.co", notes=fits + "ü")
    assert reject.code == "CONTENT_TOO_LARGE"
    assert "100,001" in reject.message
    assert "notes" in reject.message


def test_numbers_beyond_64_bit_are_sent_as_text():
    assert orjson.loads(row_of(WHOLE_MAP, email="a@x.co", Account={"Name": 2**70}).plain)["company"] == str(2**70)


def test_fields_may_be_any_mapping():
    row = WHOLE_MAP.row(Record("1", MappingProxyType({"email": "a@x.co", "plan": "Pro"})))
    assert isinstance(row, Row)
    assert row.identity == "a@x.co"


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("SECRET")


class Wide(enum.IntEnum):
    HIGH = 2**70


def endless() -> list[object]:
    found: list[object] = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    "value",
    [Hostile(), endless(), {"a": endless()}, [Hostile()], {Hostile(): 1}],
    ids=["text", "list", "object", "inside", "key"],
)
def test_a_value_that_cannot_be_written_rejects_its_record_only(value):
    reject = reject_of(WHOLE_MAP, email="a@x.co", Account={"Name": value})
    assert reject.code == "TRANSFORM_FAILED"
    assert reject.message.startswith("company: ")
    assert "SECRET" not in reject.message


def test_enumerations_are_sent_as_their_values():
    assert orjson.loads(row_of(WHOLE_MAP, email="a@x.co", Account={"Name": Wide.HIGH}).plain)["company"] == str(2**70)


def test_fields_that_are_no_mapping_reject_the_record():
    assert isinstance(WHOLE_MAP.row(Record("1", None)), Reject)  # type: ignore[arg-type]


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.uuids()
    | st.binary(max_size=20)
    | st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
    | st.sampled_from([object, Hostile(), Wide.HIGH, range(3), frozenset({1, "a"}), 3j]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5) | st.integers() | st.none() | st.dates(), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = ("email", "plan", "first", "last", "Account", "score", "since", "notes", "bio")


@settings(deadline=None, max_examples=400)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, ANYTHING)), st.booleans())
def test_any_record_gives_a_row_of_valid_json_or_a_reject(fields, known):
    found = WHOLE_MAP.row(Record("1", fields | ({"email": "a@x.co"} if known else {})))
    if isinstance(found, Reject):
        assert found.code in {"MISSING_IDENTIFIER", "INVALID_TEXT", "TRANSFORM_FAILED", "CONTENT_TOO_LARGE"}
        assert found.message.isprintable()
        return
    sent = body(found)
    assert sent["email"] == found.identity == found.identity.strip() != ""
    assert all(isinstance(value, (str, int, float, bool, type(None))) for value in sent.values())
    assert len(found.fingerprint) == PLAIN_SIZE + TEXT_SIZE * len(found.texts)
