"""Values of records as JSON scalars, field paths, and composed values."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.maps.paths import reader
from sync.maps.template import template_reader
from sync.maps.values import json_safe, to_text


class Color(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (2**64, "18446744073709551616"),
        (-(2**63) - 1, "-9223372036854775809"),
        (1.5, 1.5),
        (float("nan"), None),
        (float("-inf"), None),
        (Decimal("42"), 42),
        (Decimal("42.00"), 42.0),
        (Decimal("0.1"), 0.1),
        (Decimal("1E+3"), 1000),
        (Decimal("12345678901234567.89"), "12345678901234567.89"),
        (Decimal("1E+999999"), "1E+999999"),
        (Decimal("NaN"), None),
        (Decimal("Infinity"), None),
        (datetime(2024, 1, 31, 12, tzinfo=timezone(timedelta(hours=2))), "2024-01-31T10:00:00+00:00"),
        (datetime(2024, 1, 31, 12, 0, 0, 5), "2024-01-31T12:00:00.000005"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2))), "0001-01-01T00:00:00+02:00"),
        (date(2024, 1, 31), "2024-01-31"),
        (time(12, 30), "12:30:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\x00\xff", "AP8="),
        (memoryview(b"a"), "YQ=="),
        (Color.RED, "red"),
        ({"b": 1, "a": [Decimal("1.5"), None]}, '{"a":[1.5,null],"b":1}'),
        ([datetime(2024, 1, 31, tzinfo=UTC), 2**70], '["2024-01-31T00:00:00+00:00","1180591620717411303424"]'),
        ([], "[]"),
        ({"a": float("nan")}, '{"a":null}'),
        ({"é"}, '["é"]'),
    ],
)  # fmt: skip
def test_every_value_becomes_a_scalar_that_json_can_hold(value, safe):
    found = json_safe(value)
    assert (found, type(found)) == (safe, type(safe))
    json.dumps(found, allow_nan=False)


def test_a_whole_number_of_any_length_becomes_text():
    assert json_safe(10**5000) == "1" + "0" * 5000


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_sent_as_exactly_its_value(number):
    assert Decimal(str(json_safe(number))) == number


@pytest.mark.parametrize(("value", "text"), [(None, ""), (True, "true"), (1.5, "1.5"), ("a", "a"), ([1], "[1]")])
def test_text_of_a_value(value, text):
    assert to_text(value) == text


FIELDS = {
    "name": "Ana",
    "Account": {"Name": "Acme", "Owner": {"Email": "o@acme.co"}},
    "Account.Id": "exact",
    "tags": ["a", "b"],
    "list": [{"x": 1}],
    "empty": None,
    "text": "{}",
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "Ana"),
        ("absent", None),
        ("Account.Name", "Acme"),
        ("Account.Owner.Email", "o@acme.co"),
        ("Account.Id", "exact"),
        ("Account.Absent.Email", None),
        ("empty.Name", None),
        ("name.0", None),
        ("tags.1", "b"),
        ("tags[0]", "a"),
        ("tags[2]", None),
        ("tags.x", None),
        ("list[0].x", 1),
        ("text.x", None),
    ],
)
def test_a_path_is_walked_and_a_missing_step_gives_null(path, value):
    assert reader(path)(FIELDS) == value


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{name} of {Account.Name}", "Ana of Acme"),
        ("{empty} {name}", "Ana"),
        ("{name}  {empty}  {tags[0]}", "Ana a"),
        ("{empty}, {absent}", None),
        ("{{{name}}}", "{Ana}"),
        ("always", "always"),
        ("{name}\n{tags.1}", "Ana\nb"),
        ("{ name }", "Ana"),
    ],
)
def test_composed_values(template, value):
    assert template_reader(template)(FIELDS) == value
