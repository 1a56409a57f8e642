"""What a wrong map is told: the place, what was found, what is expected, and the nearest name."""

from __future__ import annotations

import pytest

from sync.maps.load import load_text
from sync.maps.problem import MapsInvalid

MAP = """\
stream: crm
source: {connector: postgres, object: public.crm}
destination: {tier: pro}
mapping:
  entityType: contact
  email: email
  properties:
    plan: {sourceField: plan, collectionName: Contacts}
schedule: {cron: "0 2 * * *"}
"""


def told(text: str | bytes) -> list[str]:
    with pytest.raises(MapsInvalid) as raised:
        load_text(text, "crm.yaml")
    return [str(problem) for problem in raised.value.problems]


def told_after(old: str, new: str) -> str:
    assert old in MAP
    (line,) = told(MAP.replace(old, new, 1))
    return line


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("tier: pro", "teir: pro", "3:15: destination.teir", "did you mean tier?"),
        ("tier: pro", "rows_per_call: 1", "3:15: destination.rows_per_call", "did you mean rowsPerCall?"),
        ("tier: pro", "tier: por", "3:21: destination.tier", "one of basic, pro, pro_fast, ultra; did you mean pro"),
        ("tier: pro", "rowsPerCall: 501", "3:28: destination.rowsPerCall", "found 501, expected at most 500"),
        ("tier: pro", "rowsPerCall: 0", "3:28: destination.rowsPerCall", "expected at least 1"),
        ("tier: pro", "rowsPerCall: true", "3:28: destination.rowsPerCall", "found true, expected a whole number"),
        ("tier: pro", "skipUnchanged: yes", "3:30: destination.skipUnchanged", "write true or false"),
        ("stream: crm", "stream: My Stream", "1:9: stream", "expected small letters"),
        ("stream: crm", "stream: ../etc", "1:9: stream", "found text of 6 characters"),
        ("stream: crm", "stream: 7", "1:9: stream", "found the number 7, expected text (put numbers"),
        ("connector: postgres", "connector: postgress", "2:21: source.connector", "did you mean postgres?"),
        ("connector: postgres", "connector: 7", "2:21: source.connector", "found the number 7, expected one of"),
        ("object: public.crm", "object: a, lookback: soon", "2:52: source.lookback", "a duration such as 90s"),
        ("object: public.crm", "object: a, start: 2024-01-01", "2:49: source.start", "2024-01-01T00:00:00Z"),
        ("object: public.crm", "object: a, cursorfield: x", "2:42: source.cursorfield", "did you mean cursorField?"),
        ("email: email", "email: a..b", "6:10: mapping.email", "a field name or a path"),
        ("email: email", "website: w\n  email: e", "6:12: mapping.website", "two identities (email, website)"),
        ("email: email", "customKeyName: a", "6:18: mapping.customKeyName", "expected customKey beside it"),
        ("email: email", "customKey: a", "6:14: mapping.customKey", "expected customKeyName beside it"),
        ("  email: email\n", "", "5:3: mapping", "found no identity"),
        ("sourceField: plan", "sourcefield: plan, value: a", "8:12: mapping.properties.plan.sourcefield", "Field?"),
        ("sourceField: plan", "value: a, sourceField: b", "8:19: mapping.properties.plan.value", "found both"),
        ("sourceField: plan, ", "", "8:11: mapping.properties.plan", "neither sourceField nor value"),
        (", collectionName: Contacts", "", "8:11: mapping.properties.plan", "expected collectionName or collectionId"),
        ("sourceField: plan", "value: 'a {b'", "8:19: mapping.properties.plan.value", "at character 3"),
        ("sourceField: plan", "value: 'a {}'", "8:19: mapping.properties.plan.value", "at character 3; expected a"),
        ("sourceField: plan", "value: ''", "8:19: mapping.properties.plan.value", "found empty text"),
        ("    plan: {", "    ? ''\n    : {", "8:7: mapping.properties.", "unusable property name"),
        ('"0 2 * * *"', '"0 2 * *"', "9:18: schedule.cron", "found 4 fields, expected 5"),
        ('"0 2 * * *"', '"0 24 * * *"', "9:18: schedule.cron", "the field hour cannot be read; expected 0-23"),
        ('"0 2 * * *"', '"0 2 * * *", timezone: Europe/Berln', "9:41: schedule.timezone", "did you mean Europe/Berlin"),
    ],
)  # fmt: skip
def test_a_wrong_key_or_value_is_told_with_its_place(old, new, place, words):
    line = told_after(old, new)
    assert line.startswith(f"crm.yaml:{place}")
    assert words in line


@pytest.mark.parametrize("value", ["yes", '"true"', "1", "on", "null", "[true]"])
def test_extract_memories_must_be_a_yaml_boolean(value):
    line = told_after("collectionName", f"extractMemories: {value}, collectionName")
    assert line.startswith("crm.yaml:8:48: mapping.properties.plan.extractMemories: found ")
    assert "write true or false" in line


@pytest.mark.parametrize(
    ("transform", "place", "words"),
    [
        ("[strp]", "[0]", 'found the text "strp", expected one of strip, lower'),
        ("[strip, {truncat: 5}]", "[1]", "did you mean truncate?"),
        ("[truncate]", "[0]", "found no argument, expected the number of characters"),
        ("[{truncate: 0}]", "[0]", "found the number 0, expected the number of characters"),
        ("[{truncate: true}]", "[0]", "expected the number of characters"),
        ("[{strip: 3}]", "[0]", "expected the bare name strip"),
        ("[{strip: 3, lower: 4}]", "[0]", "found 2 transforms in one item"),
        ("[3]", "[0]", "found the number 3, expected the name of a transform"),
        ("[{phone: GERMANY}]", "[0]", "expected a two-letter country code"),
        ("[{date: year}]", "[0]", "expected how the date is written"),
        ("[{map: strip}]", "[0]", "expected what becomes what"),
        ("[default]", "[0]", "expected the value to use instead of null"),
        ("[{json: a..b}]", "[0]", "expected a path into the JSON"),
        ("strip", "", "expected a list, such as [one, two]"),
    ],
)
def test_a_wrong_transform_is_told_with_its_place(transform, place, words):
    line = told_after("collectionName", f"transform: {transform}, collectionName")
    assert f": mapping.properties.plan.transform{place}: found " in line
    assert words in line


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", "1:1", "the file is empty"),
        ("# only a comment\n", "1:1", "the file is empty"),
        ("- a\n", "1:1", "found a list, expected a property map"),
        ("just text\n", "1:1", "expected a property map"),
        (MAP + "---\n" + MAP, "10:1", "a second document"),
        ("stream: crm\nsource:\n\tconnector: x\n", "3:1", "found a tab; expected blanks"),
        ("stream: crm\nsource: a: b\n", "2:10", "found a colon where none can be"),
        ("stream: @crm\n", "1:9", "put the text in quotes"),
        ("stream: 'crm\n", "2:1", "not valid YAML"),
        ("a: " + "[" * 30, "1:23", "at most 20 levels"),
        ("a: " + "[" * 200_000, "1:23", "at most 20 levels"),
        ("a: \x07", "1:4", "control character U+0007"),
        (b"stream: \xfcber\n", "1:9", "not UTF-8"),
        ("stream: crm".encode("utf-16"), "1:1", "found UTF-16"),
        (b"#" * 262_145, "1:1", "larger than 256 KiB"),
    ],
)
def test_a_file_that_is_no_map_gets_one_line_that_says_why(text, place, words):
    (line,) = told(text)
    assert line.startswith(f"crm.yaml:{place}: ")
    assert words in line


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("tier: pro", "tier: &tier pro", "8:0: anchors are not allowed"),
        ("tier: pro", "tier: !!str pro", "tags are not allowed"),
        ("tier: pro", "tier: pro, tier: pro", "found twice; it is already given in line 3"),
        ("tier: pro", "<<: {tier: pro}", "merge keys are not allowed"),
        ("tier: pro", "tier: *tier", "expected the value itself: write it out"),
        ("tier: pro", "[tier]: pro", "found a mapping or list as a key"),
    ],
)
def test_what_makes_yaml_hard_to_read_is_refused(old, new, words):
    assert words.removeprefix("8:0: ") in told_after(old, new)


def test_all_problems_of_a_file_are_told_at_once():
    text = MAP.replace("stream: crm", "strem: crm").replace("tier: pro", "tier: x").replace("email: email", "email: 7")
    text = text.replace("connector: postgres", "connector: mysql").replace('"0 2', '"99 2')
    starts = [line.split(":")[1] for line in told(text)]
    assert starts == ["1", "1", "2", "3", "6", "9"]


def test_a_secret_in_a_wrong_place_is_not_shown():
    text = MAP.replace("object: public.crm", "object: a, connection: 'postgres://u:hunter2@h/d', password: hunter3")
    text = text.replace("tier: pro", "tier: sk_live_CANARY")
    lines = told(text)
    assert len(lines) == 3
    assert not [line for line in lines if "hunter" in line or "CANARY" in line]


def test_a_problem_is_one_line_whatever_the_names_hold():
    lines = told(MAP.replace("tier: pro", '"a\\nb\\e[31m": 1'))
    assert lines == [line for line in lines if line.isprintable()]
