"""Whether memory holds the value that was sent: other clothes are no difference, other values are."""

from __future__ import annotations

import pytest

from sync.memory.alike import is_alike


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (None, None), (None, ""), ("", None), ("  ", None),
        ("CTO", "CTO"), ("CTO ", " CTO"), ("two\r\nlines", "two\nlines"), ("Zoe\u0308", "Zo\u00eb"),
        (5, "5"), (5, 5.0), (5.0, "5"), ("5.00", 5), (0.1, "0.1"), (1e22, "1e+22"), (0, "0"),
        (12345678901, "12345678901"),
        (True, "true"), (True, "True"), ("false", False), (False, False),
        ("[1,2]", [1, 2]), ('{"a": 1}', {"a": 1}),
        ("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00Z"),
        ("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00.000Z"), ("2026-01-01", "2026-01-01T00:00:00.000Z"),
    ],
)  # fmt: skip
def test_the_same_value_in_other_clothes_is_alike(sent: object, stored: object) -> None:
    assert is_alike(sent, stored)
    assert is_alike(stored, sent)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("CTO", None), (None, "CTO"), (0, None), (False, None),
        ("CTO", "cto"), ("1.10", "1.1"), ("007", "7"), ("007", 7), ("+49", 49),
        (5, 6), (12345678901, 12345678902), (5, "five"), (True, "yes"), (True, 1),
        ("[1,2]", [2, 1]), ("not json", [1]),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"), ("2026-01-01", "2026-01-02"), ("2026-13-41", "2026-13-42"),
    ],
)  # fmt: skip
def test_another_value_is_not_alike(sent: object, stored: object) -> None:
    assert not is_alike(sent, stored)
    assert not is_alike(stored, sent)
