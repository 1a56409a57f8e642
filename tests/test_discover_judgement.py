"""What becomes of a field, and why: decided from metadata, names and numbers alone."""

from __future__ import annotations

import pytest

from connectors.base import Field
from sync.discover.judgement import judge, verdict_on
from sync.discover.profile import Profile, profile_of, repeats
from sync.discover.words import property_name, says_fact, says_words, words_of

PROSE = [f"They asked in week {n} whether the contract can be moved to the next year." for n in range(30)]


def records(**columns):
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def choice(field, values=()):
    (one,) = judge([field], records(**{field.name: values}) if values else ())
    return one.verdict


def test_long_different_sentences_are_free_text():
    verdict = choice(Field("remark_internal", "text"), PROSE)
    assert (verdict.kind, verdict.reason) == ("text", "15 words on average, 100 % different")
    assert verdict.doubtful  # nothing in its name says so, and it is of one line


@pytest.mark.parametrize(
    ("name", "values"),
    {
        "the same sentence again and again": ("agent", [PROSE[0]] * 30),
        "one word each": ("plan", ["free", "team", "business"] * 10),
        "addresses of websites": ("home", [f"https://example.com/a/{n}" for n in range(30)]),
        "e-mail addresses": ("contact", [f"p{n}@example.com" for n in range(30)]),
        "postal addresses, however many words": (
            "shipping_address",
            [f"{n} Long Lane, Building 7, Door 5, Springfield, Some County, 12{n}" for n in range(30)],
        ),
    }.values(),
)
def test_facts_in_a_column_of_text_are_plain(name, values):
    assert choice(Field(name, "text"), values).kind == "plain"


def test_a_field_declared_as_long_text_that_holds_numbers_is_plain_and_doubtful():
    field = Field("inventory", "string/textarea", free_text=True, reason="textarea field")
    verdict = choice(field, [str(n) for n in range(30)])
    assert (verdict.kind, verdict.doubtful) == ("plain", True)
    assert choice(field, PROSE).kind == "text"


def test_the_vendors_own_word_for_a_text_counts_without_a_sample():
    field = Field("content", "string/textarea", free_text=True, reason="people's own words")
    verdict = choice(field)
    assert (verdict.kind, verdict.html) == ("text", True)


def test_html_in_one_value_is_enough_to_turn_it_into_text():
    assert choice(Field("notes", "text"), [*PROSE[:29], f"<p>{PROSE[29]}</p>"]).html
    assert not choice(Field("notes", "text"), PROSE).html
    assert not choice(Field("notes", "text"), [f"{line} 3 < 4 and 5 > 2" for line in PROSE]).html


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (Field("x", "text", readable=False), "cannot be read"),
        (Field("x", "text", noise="hidden"), "hidden"),
        (Field("password_hash", "text"), "sensitive by its name (password)"),
        (Field("apiToken", "text"), "sensitive by its name (token)"),
        (Field("account_id", "integer"), "the id of another record"),
        (Field("updated_at", "timestamptz"), "moves with every change: each row would be sent again"),
        (Field("body_preview", "text"), "a shortened copy of another field"),
        (Field("search_vector", "tsvector"), "written for machines"),
    ],
)
def test_what_a_map_would_not_want_is_left_out_with_the_reason(field, reason):
    verdict = verdict_on(field, Profile())
    assert (verdict.kind, verdict.reason) == ("out", reason)


def test_the_cursor_is_left_out_whatever_its_name():
    assert verdict_on(Field("rev", "bigint"), Profile(), "rev").kind == "out"
    assert verdict_on(Field("rev", "bigint"), Profile()).kind == "plain"


def test_a_field_is_called_empty_only_after_enough_records():
    field = Field("fax", "text")
    assert choice(field, [None] * 20).reason == "empty in the sample"
    assert choice(field, ["", "  "] * 5).kind == "plain"


def test_the_same_words_in_two_fields_are_paid_for_once():
    html = [f"<p>{line}</p>" for line in PROSE]
    fields = [Field("body_html", "text"), Field("body_text", "text"), Field("intro", "text")]
    judged = judge(fields, records(body_html=html, body_text=PROSE, intro=PROSE[::-1]))
    assert [one.verdict.kind for one in judged] == ["out", "text", "text"]
    assert judged[0].verdict.reason == "the same words as body_text"


def test_fields_that_repeat_each_other_are_seen_by_what_is_in_them():
    lines = records(one=PROSE, other=[f" <b>{line}</b> And more." for line in PROSE], third=PROSE[::-1])
    assert repeats("one", "other", lines)
    assert not repeats("one", "third", lines)


def test_a_profile_holds_numbers_and_no_value():
    profile = profile_of("a", records(a=["x@example.com", None, "", "two\nlines", 7]))
    assert (profile.records, profile.filled, profile.longest) == (5, 3, 13)
    assert (round(profile.emails, 2), round(profile.breaks, 2), profile.distinct) == (0.33, 0.33, 1.0)
    assert "example" not in repr(profile)


@pytest.mark.parametrize(
    ("name", "words"),
    {
        "camel": ("BillingStreet", ["billing", "street"]),
        "custom": ("Renewal_Notes__c", ["renewal", "notes"]),
        "acronym": ("HTMLBody", ["html", "body"]),
        "label": ("Time in 'Closed (Support)'", ["time", "in", "closed", "support"]),
        "odd": ('a"b: c', ["a", "b", "c"]),
    }.values(),
)
def test_names_are_cut_into_words(name, words):
    assert words_of(name) == words


def test_a_name_says_what_its_last_word_says():
    assert says_fact("shipping_address") == "address"
    assert says_fact("Receiving Fee x Box") == "fee"
    assert says_fact("address_of_complaint") == "address"
    assert says_fact("complaint") is None
    assert says_words("Last CES survey comment") == "comment"
    assert says_words("email_error_message") is None
    assert says_words("message_id") is None


@pytest.mark.parametrize(
    ("name", "label", "made"),
    [
        ("jobtitle", "Job Title", "job_title"),
        ("hs_lead_status", "Lead Status", "lead_status"),
        ("MailingCity", "Mailing City", "mailing_city"),
        ("Renewal_Risk__c", "Risk of losing them", "renewal_risk"),
        ("Größe in cm", "", "grosse_in_cm"),
        ("数", "", "field"),
        ("DunsNumber", "D-U-N-S Number", "duns_number"),
        ("1e3", "", "n1e3"),
        ("x" * 300, "", "x" * 60),
    ],
)
def test_properties_get_readable_names(name, label, made):
    assert property_name(name, label, ()) == made


def test_names_that_are_taken_get_a_number():
    taken = []
    for name in ("a b", "a-b", "A_B"):
        taken.append(property_name(name, "", taken))
    assert taken == ["a_b", "a_b_2", "a_b_3"]
