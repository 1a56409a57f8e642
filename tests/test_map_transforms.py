"""Every transform: what goes in and what comes out."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.maps.transforms import TRANSFORMS, TransformFailed, change_of
from sync.maps.transforms.html import read_html

BARE = object()


def change(name, value, argument=BARE):
    return change_of(name, None if argument is BARE else argument, given=argument is not BARE)(value)


@pytest.mark.parametrize(
    ("name", "argument", "value", "result"),
    [
        ("strip", BARE, "  a b ", "a b"),
        ("strip", BARE, [" a ", 1], ["a", 1]),
        ("strip", BARE, 7, 7),
        ("lower", BARE, "ÄB", "äb"),
        ("upper", BARE, "äb", "ÄB"),
        ("truncate", 3, "abcdef", "abc"),
        ("truncate", 3, 12345, "123"),
        ("sha256", BARE, "a", sha256(b"a").hexdigest()),
        ("split", BARE, "a,b", ["a", "b"]),
        ("split", ";", "a; b", ["a", " b"]),
        ("split", BARE, "", []),
        ("split", BARE, ["a"], ["a"]),
        ("join", BARE, ["a", None, 1], "a, 1"),
        ("join", "; ", ["a", "b"], "a; b"),
        ("join", BARE, "already text", "already text"),
        ("json", BARE, '{"a": [1]}', {"a": [1]}),
        ("json", "a[0]", '{"a": [1]}', 1),
        ("json", "[0].b", '[{"b": 2}]', 2),
        ("json", "a.b", '{"a": 1}', None),
        ("map", {"a": "A"}, "a", "A"),
        ("map", {"a": "A"}, "b", "b"),
        ("map", {"a": "A", "*": "other"}, "b", "other"),
        ("map", {"1": "one", "true": "on"}, 1, "one"),
        ("map", {"1": "one", "true": "on"}, True, "on"),
        ("map", {"a": None}, "a", None),
        ("map", {"a": "A"}, ["a", "b"], ["A", "b"]),
        ("default", "x", None, "x"),
        ("default", "x", "  ", "x"),
        ("default", 0, None, 0),
        ("default", "x", 0, 0),
        ("default", "x", False, False),
        ("email", BARE, " Ana@EXAMPLE.com ", "Ana@example.com"),
        ("email", BARE, "Ana Roe <ana@example.com>", "ana@example.com"),
        ("email", BARE, "ana@acme.test", "ana@acme.test"),
        ("email", BARE, " ", None),
        ("url", BARE, "Example.COM", "https://example.com"),
        ("url", BARE, "http://example.com:80/", "http://example.com"),
        ("url", BARE, "https://example.com/A?b=C#d", "https://example.com/A?b=C#d"),
        ("url", BARE, "//example.com/x", "https://example.com/x"),
        ("phone", BARE, "+49 170 123 4567", "+491701234567"),
        ("phone", "DE", "0170 1234567", "+491701234567"),
        ("phone", "US", "(201) 555-0123", "+12015550123"),
        ("date", BARE, "2024-01-31", "2024-01-31"),
        ("date", BARE, "2024-01-31T23:30:00-02:00", "2024-02-01"),
        ("date", BARE, "2024-01-31T23:30:00.1234567Z", "2024-01-31"),
        ("date", BARE, "1706659200000", "2024-01-31"),
        ("date", BARE, 1706659200, "2024-01-31"),
        ("date", BARE, date(2024, 1, 31), "2024-01-31"),
        ("date", BARE, datetime(2024, 1, 31, 5, tzinfo=UTC), "2024-01-31"),
        ("date", "%d.%m.%Y", "31.01.2024", "2024-01-31"),
        ("date", BARE, "", None),
        ("number", BARE, "1,234.50", Decimal("1234.50")),
        ("number", BARE, "€ 1,200", Decimal(1200)),
        ("number", BARE, "-3e2", Decimal(-300)),
        ("number", BARE, ".5", Decimal("0.5")),
        ("number", ",", "1.234,50", Decimal("1234.50")),
        ("number", ",", "1 234,5", Decimal("1234.5")),
        ("number", BARE, 7, 7),
        ("number", BARE, " ", None),
        ("boolean", BARE, "Yes", True),
        ("boolean", BARE, "off", False),
        ("boolean", BARE, 0, False),
        ("boolean", BARE, True, True),
    ],
)  # fmt: skip
def test_what_goes_in_and_what_comes_out(name, argument, value, result):
    found = change(name, value, argument)
    assert (found, type(found)) == (result, type(result))


@pytest.mark.parametrize(
    ("name", "argument", "value", "kind"),
    [
        ("email", BARE, "SECRET", "text of 6 characters"),
        ("email", BARE, "ana@test", "text of 8 characters"),
        ("email", BARE, "ana@corp.local", "text of 14 characters"),
        ("email", BARE, "a@b.co, c@d.co", "text of 14 characters"),
        ("email", BARE, ["a"], "a list"),
        ("url", BARE, "not a url", "text of 9 characters"),
        ("url", BARE, "javascript:alert(1)", "text of 19 characters"),
        ("url", BARE, "ftp://example.com", "text of 17 characters"),
        ("url", BARE, "http://[", "text of 8 characters"),
        ("phone", BARE, "0170 1234567", "text of 12 characters"),
        ("phone", "DE", "1", "text of 1 characters"),
        ("date", BARE, "31.01.2024", "text of 10 characters"),
        ("date", "%d.%m.%Y", "2024-01-31", "text of 10 characters"),
        ("date", BARE, True, "a boolean"),
        ("date", BARE, 7, "a number"),
        ("number", BARE, "1,23,4", "text of 6 characters"),
        ("number", BARE, "ten", "text of 3 characters"),
        ("number", BARE, "-", "text of 1 characters"),
        ("number", BARE, True, "a boolean"),
        ("boolean", BARE, "maybe", "text of 5 characters"),
        ("boolean", BARE, 2, "a number"),
        ("json", BARE, "{oops", "text of 5 characters"),
        ("split", BARE, 7, "a number"),
        ("join", BARE, {"a": 1}, "an object"),
        ("truncate", 3, [1], "a list"),
        ("map", {"a": "b"}, {}, "an object"),
        ("lower", BARE, {}, "an object"),
        ("html_to_text", BARE, {}, "an object"),
    ],
)
def test_a_value_that_cannot_be_used_is_described_and_not_shown(name, argument, value, kind):
    with pytest.raises(TransformFailed) as raised:
        change(name, value, argument)
    assert str(raised.value).startswith(f"found {kind}, expected ")
    assert str(value) not in str(raised.value) or len(str(value)) < 6


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain\ntext  stays\n\n\nas it is", "plain\ntext  stays\n\n\nas it is"),
        ("a < b and c > d", "a < b and c > d"),
        ("write to <ana@example.com>", "write to <ana@example.com>"),
        ("Tom &amp; Ana", "Tom & Ana"),
        ("R&D and AT&T", "R&D and AT&T"),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<div>One</div><div>Two</div>", "One\nTwo"),
        ("One<br>Two<br/><br/><br/><br/>Three", "One\nTwo\n\nThree"),
        ("met <b>A</b>na, <i>today</i>", "met Ana, today"),
        ("a<span> </span>b", "a b"),
        ("<p>a&nbsp;&nbsp;b &lt;c&gt;</p>", "a b <c>"),
        ("<ul><li>a</li><li>b</li></ul>c", "- a\n- b\n\nc"),
        ("<ol><li>a<ul><li>x</li></ul></li><li>b</li></ol>", "1. a\n  - x\n2. b"),
        ("<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>", "a | b\n1 | 2"),
        ('see <a href="https://x.co/y">this page</a>.', "see this page (https://x.co/y)."),
        ('<a href="https://x.co">https://x.co</a>', "https://x.co"),
        ('<a href="mailto:a@x.co">a@x.co</a>', "a@x.co"),
        ('<a href="#top">top</a>', "top"),
        ("<style>p {color: red}</style><script>alert(1)</script><p>a</p><!-- b -->", "a"),
        ("<html><head><title>t</title></head><body>a</body></html>", "a"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<![if !supportLists]><p>a</p><![endif]>", "a"),
        ("<p>a<![CDATA[b < c]]> <?xml x?>d", "ab < c d"),
        ("<p>a <!-- never closed", "a never closed"),
        ("<p>3 < 4", "3 < 4"),
        ("<p>broken <b>markup", "broken markup"),
        ("<p></p>", ""),
    ],
)  # fmt: skip
def test_html_becomes_what_a_person_would_read(html, text):
    assert read_html(html) == text


@given(st.text("<>/abpdivlsu!-[]&;=\"' \n", max_size=200))
def test_no_html_makes_the_converter_fail(html):
    assert "\n\n\n" not in read_html(f"<p>{html.replace(chr(10), ' ')}")


@given(st.text(), st.text(min_size=1, max_size=3))
def test_split_and_join_with_one_separator_give_the_text_back(text, separator):
    assert change("join", change("split", text, separator), separator) == text


@given(st.text(), st.integers(1, 50), st.integers(1, 50))
def test_truncating_twice_is_truncating_to_the_shorter(text, first, second):
    once = change("truncate", change("truncate", text, first), second)
    assert once == change("truncate", text, min(first, second))
    assert text.startswith(once)


@given(st.sampled_from(sorted(TRANSFORMS)), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=5,
))  # fmt: skip
def test_a_transform_gives_a_value_or_says_that_it_cannot(name, value):
    arguments = {"map": {"a": "b"}, "default": 0, "truncate": 5}
    with suppress(TransformFailed, UnicodeEncodeError):
        change(name, value, arguments.get(name, BARE))


@pytest.mark.parametrize(
    "piece", ["<", "<p ", "<!--", "<![", "</", "<?", "<a href=x>", '<p a="', "<ul><li>", "<script>"]
)
def test_broken_html_costs_no_more_than_its_length(piece):
    start = perf_counter()
    read_html("<p>" + piece * (100_000 // len(piece)))
    assert perf_counter() - start < 2  # measured: under 0.1 s; quadratic work takes minutes


def test_every_transform_is_documented():
    page = (Path(__file__).parent.parent / "docs" / "property-maps.md").read_text(encoding="utf-8")
    assert [name for name in TRANSFORMS if f"`{name}`" not in page] == []
