"""What is said when the metadata of a source or of memory changed, and when nothing is."""

from dataclasses import replace

import pytest

from connectors.base import Field
from sync.drift import NAMED, Held, Seen, Shape, carried, compare, shape_from
from sync.maps.compile import compile_map
from sync.maps.model import PropertyMap
from sync.memory.collections import Collection
from sync.shapes import shape_of

EXTRACTED = {"amount": False, "notes": True, "summary": False}
"""The fields of the map's properties, and whether memories are drawn from them."""
FIELDS = {"email": Seen("text", "plain"), "amount": Seen("integer", "plain"), "notes": Seen("text", "text")}
BEFORE = Shape(
    of="postgres public.customers",
    metadata="one",
    fields=FIELDS | {"summary": Seen("varchar(80)", "plain")},
    texts=frozenset({"notes", "remarks"}),
    properties={"amount": Held("Contacts", "number"), "notes": Held("Notes", "text")},
)


def after(metadata="two", **changes):
    """The shape as it is found at the next look."""
    return replace(BEFORE, metadata=metadata, **changes)


def seen(**fields):
    return dict(BEFORE.fields) | fields


def notes(now, before=BEFORE):
    return compare(before, now, EXTRACTED)


def test_at_first_sight_nothing_is_said():
    assert notes(BEFORE, before=None) == []


def test_another_object_is_seen_for_the_first_time_too():
    assert notes(after(of="postgres public.people", fields=seen(amount=Seen("text", "plain")))) == []


def test_where_nothing_changed_nothing_is_said():
    assert notes(BEFORE) == []


def test_a_changed_type_is_told_with_the_old_and_the_new_one():
    assert notes(after(fields=seen(amount=Seen("text", "plain"), email=Seen("citext", "plain")))) == [
        "the source changed the type of amount from integer to text, email from text to citext"
    ]


def test_a_field_that_the_map_reads_only_now_has_no_old_type():
    assert notes(after(fields=seen(city=Seen("text", "plain")))) == []


def test_a_plain_value_that_became_free_text_is_told():
    (note,) = notes(after(fields=seen(summary=Seen("varchar(80)", "text"))))
    assert note.startswith("free text by now, though the map sends it as a plain value: summary;")


def test_an_identity_that_became_free_text_is_no_property_whose_map_could_change():
    assert notes(after(fields=seen(email=Seen("text", "text")))) == []


def test_a_text_that_memories_are_drawn_from_and_that_is_none_any_more_is_told():
    (note,) = notes(after(fields=seen(notes=Seen("text", "plain"))))
    assert note.startswith("no longer free text, though the map has memories drawn from it: notes;")


def test_a_field_that_can_no_longer_be_read_is_told_and_not_called_a_text_that_changed():
    assert notes(after(fields=seen(notes=Seen("text", "closed")))) == [
        "no longer readable with these credentials, so sent empty: notes"
    ]


def test_new_free_text_that_the_map_does_not_read_is_told():
    found = notes(after(texts=BEFORE.texts | {"feedback", "answers", "summary"}))
    assert found == ["the source has new free text that the map does not read: answers, feedback"]


def test_free_text_that_went_away_unread_is_nobodys_loss():
    assert notes(after(texts=frozenset({"notes"}))) == []


def test_a_long_list_is_cut_and_says_so():
    (note,) = notes(after(texts=frozenset(f"text_{number:02}" for number in range(NAMED + 3))))
    assert note.endswith("text_07 and 3 more")


def test_the_same_metadata_judged_otherwise_is_no_change_of_the_source():
    judged = seen(amount=Seen("numeric", "text"), notes=Seen("text", "plain"))
    assert notes(after(metadata="one", fields=judged, texts=frozenset({"others"}))) == []


@pytest.mark.parametrize("before", ["", "one"])
def test_a_source_that_could_not_be_looked_at_is_not_compared(before):
    now = after(metadata="" if before else "two", fields={}, texts=frozenset({"amount"}))
    assert notes(now, before=replace(BEFORE, metadata=before)) == []


def test_a_property_that_memory_had_and_has_no_more_is_told():
    (note,) = notes(after(properties={"amount": Held("Contacts", None), "notes": Held("Notes", "text")}))
    assert note.startswith("memory no longer lists a property that it had: amount (Contacts);")


def test_a_property_that_never_was_in_memory_is_made_by_the_first_row_and_not_told():
    assert notes(after(properties=dict(BEFORE.properties) | {"plan": Held("Contacts", None)})) == []


def test_a_property_whose_type_memory_changed_is_told():
    assert notes(after(properties={"amount": Held("Contacts", "text")})) == [
        "memory changed the type of amount (Contacts) from number to text"
    ]


def test_a_type_that_memory_does_not_say_is_no_change():
    assert notes(after(properties={"amount": Held("Contacts", "")})) == []


def test_a_property_that_the_map_sends_elsewhere_is_not_gone():
    assert notes(after(properties={"amount": Held("Deals", None)})) == []


def test_what_is_kept_is_what_was_found_without_properties_that_are_not_there():
    now = after(properties={"amount": Held("Contacts", None), "notes": Held("Notes", "text")})
    assert carried(BEFORE, now).properties == {"notes": Held("Notes", "text")}
    assert carried(None, now).properties == {"notes": Held("Notes", "text")}


def test_what_was_told_is_told_once():
    now = after(
        fields=seen(amount=Seen("text", "plain")),
        texts=BEFORE.texts | {"feedback"},
        properties={"amount": Held("Contacts", None)},
    )
    assert len(notes(now)) == 3
    assert notes(now, before=carried(BEFORE, now)) == []


def test_of_what_could_not_be_looked_at_the_last_look_is_kept():
    blind = Shape(BEFORE.of, metadata="", fields={}, texts=frozenset(), properties={})
    assert carried(BEFORE, blind) == BEFORE
    assert carried(BEFORE, replace(blind, of="another")).fields == {}


def test_a_shape_is_the_same_after_it_was_kept():
    odd = replace(BEFORE, fields={"na\ud800me\0": Seen("text", "plain")}, texts=frozenset({"b", "a", "\x1b"}))
    assert shape_from(BEFORE.as_text()) == BEFORE
    assert shape_from(odd.as_text()) == odd
    assert odd.as_text().isascii()
    assert odd.as_text() == replace(odd, texts=frozenset({"a", "\x1b", "b"})).as_text()


@pytest.mark.parametrize(
    "kept",
    [None, "", "[]", "{}", '{"v": 0}', '{"v": 1}', '{"v": 1, "of": "x", "metadata": "", "fields": [], "texts": []}'],
)
def test_what_is_not_understood_counts_as_never_seen(kept):
    assert shape_from(kept) is None


def mapped(**values):
    """A map whose properties read these paths, or compose these templates."""
    read = {name: "value" if "{" in path else "sourceField" for name, path in values.items()}
    properties = {name: {read[name]: path, "collectionName": "Contacts"} for name, path in values.items()}
    source = {"connector": "salesforce", "object": "Contact"}
    mapping = {"entityType": "contact", "email": "email", "properties": properties}
    return PropertyMap.model_validate({"stream": "s", "source": source, "mapping": mapping})


def shape(property_map, fields, before=None, collections=None):
    paths = compile_map(property_map, b"").source_fields
    return shape_of(property_map, paths, fields, collections or {}, before)


def test_a_path_is_watched_by_the_field_in_which_it_begins():
    known = [Field(name, "string") for name in ("email", "tags", "a.b", "first", "last", "unread")]
    found = shape(
        mapped(one="Account.Name", two="tags[0]", three="a.b", four="{first} {last}", five="Who.Email"), known
    )
    assert set(found.fields) == {"email", "tags", "a.b", "first", "last"}


def test_the_source_s_own_word_for_free_text_counts_and_names_where_it_has_none():
    known = [
        Field("email", "email"),
        Field("declared", "textarea(32000)", free_text=True, reason="long text"),
        Field("remarks", "text"),
        Field("code", "text"),
        Field("comments", "text", readable=False),
        Field("notes", "textarea", free_text=False),
    ]
    assert shape(mapped(one="code"), known).texts == {"declared", "remarks"}


def test_fields_of_unchanged_metadata_are_not_judged_anew():
    known = [Field("email", "email"), Field("plan", "text")]
    before = shape(mapped(one="plan"), known)
    marked = replace(before, texts=frozenset({"a mark"}))
    assert shape(mapped(one="plan"), known, before=marked).texts == {"a mark"}
    assert shape(mapped(one="{plan}{email}"), known, before=marked).texts == {"a mark"}
    assert shape(mapped(one="plan"), known, before=replace(marked, of="another")).texts == frozenset()
    assert shape(mapped(one="plan"), [*known, Field("notes", "text")], before=marked).texts == {"notes"}
    newly = replace(marked, fields={"email": marked.fields["email"]})
    assert shape(mapped(one="plan"), known, before=newly).fields == before.fields


def test_collections_that_list_nothing_say_nothing():
    listed = Collection("1", "Contacts", (("one", "text"), ("other", "date")))
    found = shape(
        mapped(one="a", two="b"), [], collections={"one": listed, "two": listed, "three": Collection("2", "X")}
    )
    assert found.properties == {"one": Held("Contacts", "text"), "two": Held("Contacts", None)}
