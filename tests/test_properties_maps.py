"""Whatever stands in a map's file: a map, or its problems with their places, and soon."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from workplace import MAP

from sync.maps.document import MAX_BYTES
from sync.maps.load import load_text
from sync.maps.model import PropertyMap
from sync.maps.problem import MapsInvalid

SIGNS = "[]{}:,-?&*!|>'\"%@`#~<=\\/ \t\n\r\ufeff\x85\u2028\x00\x7fé😀0123456789eE.+_abcnofulttrue"
FULL = MAP + "schedule: {cron: '0 2 * * *', timezone: Europe/Berlin}\n"
WORDS = ["null", "~", "- ", "? ", "<<: ", "&a ", "*a", "!!python/object:os.system ", "---\n", "...\n", "%YAML 1.1\n"]
WORDS += ["1e999", "0123", "12:30:45", "no", "\ud800", "{{", "[[", "true", "-1", "9" * 30, "2024-01-01", "stream: x\n"]
WORDS += [
    '"\\UFFFFFFFF"',
    '"\\xZZ"',
    "%YAML 1\n",
    "%TAG ! !\n---\n",
    "!<",
    "!<!>",
    "%\n---\n",
    "%YAML 9.9999999999\n---\n",
]


def loaded(text):
    """The map, or its problems; anything else that is raised fails the test."""
    try:
        return load_text(text, "maps/x.yaml")
    except MapsInvalid as invalid:
        return invalid.problems


def is_told_well(found):
    if isinstance(found, PropertyMap):
        return True
    return bool(found) and all(
        one.file == "maps/x.yaml" and one.line >= 1 and one.column >= 1 and one.message and "\n" not in str(one)
        for one in found
    )


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.sampled_from(SIGNS), max_size=60)
    | st.text(max_size=60)
    | st.binary(max_size=60)
    | st.lists(st.sampled_from([*WORDS, "a: ", "\n", "  "]), max_size=8).map("".join)
)
@example('a: "\\UFFFFFFFF"')
@example("? [a]\n: 1")
@example("a: !!set {x}")
@example("\ud800")
def test_any_text_is_a_map_or_its_problems(text):
    assert is_told_well(loaded(text))


@st.composite
def spoiled_maps(draw):
    """A good map with a few pieces taken out, doubled, moved or replaced."""
    text = FULL
    for _ in range(draw(st.integers(1, 4))):
        first = draw(st.integers(0, len(text)))
        last = min(len(text), first + draw(st.integers(0, 30)))
        piece = text[first:last]
        put = draw(st.sampled_from(["", piece * 2, draw(st.text(st.sampled_from(SIGNS), max_size=4)), *WORDS]))
        text = text[:first] + put + text[last:]
    return text


@settings(max_examples=200, deadline=None)
@given(spoiled_maps())
def test_a_spoiled_map_is_a_map_or_its_problems(text):
    assert is_told_well(loaded(text))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=6)
    | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
PLACES = [
    ("stream",),
    ("source",),
    *(("source", name) for name in ("connector", "object", "query", "cursorField", "primaryKey", "start", "where")),
    *(("source", name) for name in ("lookback", "settle", "timezone", "connection", "odd")),
    *(("destination", name) for name in ("source", "tier", "rowsPerCall", "chunkSize", "skipUnchanged", "plan")),
    ("mapping",),
    *(("mapping", name) for name in ("entityType", "email", "website", "recordId", "customKey", "properties")),
    *(("mapping", "properties", name) for name in ("name", "{x}", "")),
    *(("mapping", "properties", "name", name) for name in ("sourceField", "value", "collectionName", "transform")),
    ("mapping", "properties", "name", "extractMemories"),
    ("schedule",),
    ("schedule", "cron"),
    ("schedule", "timezone"),
]


def good_map():
    name = {"sourceField": "name", "collectionName": "Contacts"}
    return {
        "stream": "customers",
        "source": {"connector": "postgres", "object": "public.customers"},
        "destination": {},
        "mapping": {"entityType": "contact", "email": "email", "properties": {"name": name}},
        "schedule": {"cron": "0 2 * * *"},
    }


@settings(max_examples=250, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=3))
def test_any_value_in_any_place_is_taken_or_told(changes):
    document = good_map()
    for path, value in changes:
        inner = document
        for step in path[:-1]:
            inner = inner.get(step) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner[path[-1]] = value
    text = json.dumps(document)  # JSON is YAML, but for names that are too long to stand on one line
    assert is_told_well(loaded(text))


PIECES = {
    "lists": "[",
    "objects": "{a: ",
    "items": "- ",
    "blocks": "- a\n",
    "deeper": None,
    "keys": "? ",
    "names": "a: 1\n",
    "other names": None,
    "quotes": '"',
    "escapes": '"\\u00e9\\n" ',
    "text": "'a''b' ",
    "folded": "a: >\n  b\n",
    "comments": "# a\n",
    "aliases": "*a ",
    "anchors": "&a ",
    "tags": "!a ",
    "tabs": "\t",
    "empty lines": "\n",
    "documents": "---\n",
    "commas": "[a,",
    "colons": ":",
    "digits": "9",
    "exponents": "1e9",
    "blanks": " ",
}


def piled(name):
    if name == "deeper":
        return "".join(" " * depth + f"a{depth}:\n" for depth in range(700))
    if name == "other names":
        return "".join(f"a{number}: {number}\n" for number in range(MAX_BYTES // 15))
    return PIECES[name] * (MAX_BYTES // len(PIECES[name]))


@pytest.mark.parametrize("size", [24 * 1024, pytest.param(MAX_BYTES, marks=pytest.mark.slow)], ids=["small", "largest"])
@pytest.mark.parametrize("name", PIECES)
def test_no_file_takes_long(name, size):
    text = piled(name)[:size]
    began = time.thread_time()
    assert is_told_well(loaded(text))
    assert time.thread_time() - began < 30 * size / MAX_BYTES
