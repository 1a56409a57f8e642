"""What an answer or an event says about single rows: counts must agree, and doubt never means stored."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.follow import failures_of
from sync.memory.settlement import ItemError, blame, item_errors, normalise, outcome_of
from sync.memory.words import ODD_STATUS

ROWS = [(str(number), f"p{number}@x.example") for number in range(1, 6)]
ONE = [{"email": "p3@x.example", "message": "boom"}]
ALL = ["1", "2", "3", "4", "5"]


def failed_of(event, rows=ROWS):
    return sorted(failure.key for failure in failures_of(rows, outcome_of({"status": "completed"} | event), str))


@pytest.mark.parametrize(
    "event",
    [
        {"failed": ONE},
        {"failed": ["P3@x.example "]},
        {"failedItems": ["p3@x.example"]},
        {"failures": ONE},
        {"itemErrors": ONE},
        {"item_errors": ONE[0]},
        {"details": ONE},
        {"result": {"memorized": 4}, "details": {"errors": ONE}},
        {"result": {"errors": ONE}, "details": {"errors": ONE}},
        {"results": [{"email": "p1@x.example", "status": "stored"}, {"email": "p3@x.example", "status": "failed"}]},
        {"results": [{"email": "p3@x.example", "state": "error"}, {"email": "p4@x.example", "success": True}]},
        {"results": [{"email": "p3@x.example", "success": False}]},
        {"rows": [{"email": "p3@x.example", "error": "boom"}, {"email": "p1@x.example", "error": None}]},
        {"errors": {"count": 1, "items": ONE}},
        {"errors": {"p3@x.example": ["bad", "worse"], "p4@x.example": []}},
        {"errors": {"validation": ONE}},
        {"errors": [{"row": {"email": "p3@x.example"}, "message": "boom"}]},
        {"errors": ONE, "error": "1 row failed"},
        {"errors": ONE, "error": {"code": "BUSY", "message": "1 of 5 rows failed"}},
        {"errors": ONE, "success": False},
        {"errors": ONE, "failed": "1 row", "total": 5, "succeeded": "4"},
        {"errors": [*ONE, "a remark"], "total": 5, "succeeded": 4},
        {"errors": [*ONE, ONE[0] | {"recordId": "r3"}], "summary": {"failed": 1}},
    ],
)
def test_a_row_that_is_named_fails_alone_wherever_it_is_named(event):
    assert failed_of(event) == ["3"]


@pytest.mark.parametrize(
    "event",
    [
        {"failed": 1},
        {"failed": "1 row"},
        {"failed": [3]},
        {"failed": ["3"]},
        {"failed": True},
        {"failed": -1},
        {"result": {"failed": 1, "memorized": 4}},
        {"summary": {"failed": 1, "succeeded": 4}},
        {"stats": {"rows": {"failedCount": 1}}},
        {"total": 5, "succeeded": 4},
        {"totalRows": "5", "successCount": "4"},
        {"total": 5, "result": {"memorized": 4}},
        {"total": 5, "processed": 4},
        {"total_count": 5, "processed": 5, "successful": 4},
        {"rejected": 1},
        {"errorCount": 1},
        {"errors": {"count": 2, "items": ONE}},
        {"errors": {"validation": 1}},
        {"errors": "boom"},
        {"error": "1 row failed"},
        {"error": {"code": "BUSY"}},
        {"errorMessage": "something is wrong"},
        {"success": False},
        {"event": {"status": "failed"}},
        {"status": "", "event": {"status": "failed"}},
        {"batches": [{"status": "completed"}, {"status": "failed"}]},
        {"results": [{"status": "failed"}]},
        {"errors": [*ONE, "and another one"]},
        {"failed": 2, "errors": ONE},
        {"failed": 2, "errors": ONE * 2},
        {"failed": 2, "errors": [*ONE, ONE[0] | {"recordId": "r3"}]},
        {"failed": 2, "errors": [*ONE, {"recordId": "r3", "email": "p3@x.example"}, {"recordId": "r3"}]},
        {"failed": 2, "errors": {"p3@x.example": {"email": "p3@x.example"}}, "details": {"errors": ONE}},
        {"failed": 2, "errors": [*ONE, {"identifier": "p3@x.example"}]},
        {"failed": 1, "rejected": 1, "errors": ONE},
        {"error": "1,000 of 1,200 rows failed", "errors": ONE},
        {"failed": 0, "errors": ["boom"]},
    ],
)
def test_what_does_not_add_up_makes_every_row_due_again(event):
    assert failed_of(event) == ALL


@pytest.mark.parametrize(
    "event",
    [
        {"errors": {"count": 0, "items": []}},
        {"errors": [None]},
        {"errors": [None, {}, "", []]},
        {"errors": {}},
        {"errors": ""},
        {"errors": 0, "failed": "0"},
        {"failed": "0 rows", "error": "none"},
        {"error": "0 of 5 rows failed"},
        {"failed": [], "failures": None, "error": None, "errorMessage": ""},
        {"errors": {"validation": 0, "conflict": 0}},
        {"success": True, "total": 5, "succeeded": 5},
        {"total": 5, "memorized": 5, "failed": 0, "errors": [], "failedAt": None, "completedAt": "2026-11-23T00:00Z"},
        {"total": 5, "created": 2, "updated": 3},
        {"total": 5, "stored": 3, "unchanged": 2},
        {"total": 5, "succeeded": 5, "errors": ["tier pro is deprecated"]},
        {"results": [{"email": "p1@x.example", "status": "updated"}, {"success": True, "message": "Stored it"}]},
        {"details": [{"email": "p1@x.example", "message": "ok"}]},
        {"data": [{"email": "p1@x.example", "name": "Zed"}]},
        {"warnings": ["slow"], "errorRate": 0.0},
    ],
)
def test_nothing_and_zero_fail_nobody(event):
    assert outcome_of({"status": "completed"} | event).verdict == "stored"
    assert failed_of(event) == []


SPELLINGS = ("failed", "failedCount", "failed_rows", "errorCount", "totalFailed", "numErrors", "rejectedItems")
HOMES = ("", "result", "summary", "stats", "details", "progress")
TOTALS = (("total", "succeeded"), ("totalRows", "success_count"), ("submitted", "memorized"), ("total", "processed"))
SHAPES = ("errors", "failures", "itemErrors", "failedItems")


@st.composite
def reports(draw):
    """What became of some rows, as some server might tell it: the event, the rows that failed, and those it names."""
    rows = draw(st.integers(1, 8))
    failed = draw(st.sets(st.integers(0, rows - 1)))
    named = draw(st.just(failed) | st.sets(st.sampled_from(sorted(failed)))) if failed else set()
    entries = [{"email": f"p{row}@x.example"} for row in sorted(named)]
    entries += [
        {"email": f"P{row}@x.example", "recordId": f"r{row}"} for row in draw(st.permutations(sorted(named)))[:2]
    ]
    shape = draw(st.sampled_from(["list", "container", "by name", "texts", "results"]))
    event = dict(_told(shape, entries, draw))
    home = draw(st.sampled_from(HOMES))
    event = {home: event} if home else event
    if draw(st.booleans()) or named == failed:
        form = draw(st.sampled_from([int, str, lambda number: f"{number} rows", float]))
        counts = {draw(st.sampled_from(SPELLINGS)): form(len(failed))}
    else:
        total, good = draw(st.sampled_from(TOTALS))
        counts = {total: rows, good: rows - len(failed)}
    home = draw(st.sampled_from(HOMES))
    event |= {home: event.get(home, {}) | counts} if home else counts
    return rows, failed, named, event


def _told(shape, entries, draw):
    if shape == "results":
        well = [{"email": "other@x.example", "status": "stored"}]
        return {"results": well + [entry | {"status": "failed"} for entry in entries]}
    name = draw(st.sampled_from(SHAPES))
    if shape == "container":
        return {name: {"items": entries}}
    if shape == "by name":
        return {name: {entry["email"]: {"message": "no"} for entry in entries}}
    return {name: [entry["email"] for entry in entries] if shape == "texts" else entries}


@settings(max_examples=300, deadline=None)
@given(reports(), st.sampled_from(["completed", "partial"]))
def test_a_row_that_failed_is_never_taken_for_stored_and_the_others_are_where_all_are_named(report, status):
    rows, failed, named, event = report
    entries = [(str(row), f"p{row}@x.example") for row in range(rows)]
    found = outcome_of(event | {"status": status})
    due = {int(failure.key) for failure in failures_of(entries, found, str)}
    assert due >= failed, event
    if named == failed and (failed or status == "completed"):
        assert due == failed, event


def test_five_thousand_errors_are_read_at_once():
    errors = [{"email": f"p{n}@x.example", "website": "x.example", "message": "no"} for n in range(5000)]
    found = outcome_of({"status": "partial", "failed": 5000, "errors": errors})
    assert all(error.identities for error in found.errors)


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"code": "CONTENT_TOO_LARGE"}, "CONTENT_TOO_LARGE"),
        ({"error": "validation_error"}, "validation_error"),
        ({"code": "HTTP_503"}, "HTTP_503"),
        ({"code": "Jane", "error": "BUSY"}, "BUSY"),
        ({"error": "Zanzibar"}, "ITEM_FAILED"),
        ({"code": "value.Quagmire"}, "ITEM_FAILED"),
        ({"code": "ZANZIBAR"}, "ITEM_FAILED"),
        ({"code": "INVALID_ZANZIBAR"}, "ITEM_FAILED"),
        ({"code": "zanzibar"}, "ITEM_FAILED"),
        ({"code": "A" * 70}, "ITEM_FAILED"),
        ({"code": 4711}, "ITEM_FAILED"),
    ],
)
def test_a_code_is_kept_when_it_is_made_of_the_api_s_own_words(entry, code):
    event = {"status": "partial", "errors": [entry | {"email": "p1@x.example", "message": "ZANZIBAR_CITY is odd"}]}
    (failure,) = failures_of(ROWS, outcome_of(event), str)
    assert (failure.code, failure.message) == (code, "... is odd")


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("sleeping", "sleeping"),
        ("Retry-Scheduled", "retry_scheduled"),
        ("zanzibar", ODD_STATUS),
        ("waiting for Zanzibar", ODD_STATUS),
        ("p1@x.example", ODD_STATUS),
        ("waiting_" * 9 + "waiting", ODD_STATUS),
        (None, "none"),
    ],
)
def test_a_status_is_shown_when_it_is_made_of_words_that_a_status_is_made_of(status, shown):
    assert outcome_of({"status": status}).status == shown
    assert outcome_of({"status": status}).verdict == "unknown"


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        (word, "waiting")
        for word in ("pending", "received", "queued", "accepted", "Processing", "in-progress", "running")
    ]
    + [(word, "stored") for word in ("completed", "COMPLETE", "success", "succeeded", "done", " completed ")]
    + [(word, "partly") for word in ("partial", "partial_failure", "partial_completed", "Partially Completed")]
    + [(word, "failed") for word in ("failed", "failed_stale", "error", "cancelled", "canceled", "expired")]
    + [(word, "unknown") for word in ("", "sleeping", None, 7, ["completed"])],
)
def test_every_status_word(word, verdict):
    assert outcome_of({"status": word}).verdict == verdict


def test_a_completed_event_with_errors_is_not_taken_for_stored():
    assert outcome_of({"status": "completed", "errors": [{"email": "a"}]}).verdict == "partly"
    assert outcome_of({"status": "completed", "failed": 2}).verdict == "partly"
    assert outcome_of({"status": "completed", "failed": 0, "errors": []}).verdict == "stored"


def test_failed_rows_that_are_counted_but_not_named_become_an_error_without_a_name():
    found = outcome_of({"status": "partial_failure", "failed": 3, "errors": [{"email": "a"}]})
    assert [error.identities for error in found.errors] == [("a",), ()]


@pytest.mark.parametrize(
    "errors", ["all failed", 3, True, {"a@b.example": "no"}, {"a@b.example": {"code": "X"}}, [[1]]]
)
def test_errors_in_any_shape_are_errors(errors):
    assert len(item_errors({"errors": errors})) == 1


def test_errors_by_identity_name_their_rows():
    assert item_errors({"errors": {"A@b.example": "no"}})[0].identities == ("a@b.example",)
    assert item_errors({"details": {"errors": [{"recordId": 7}]}})[0].identities == ("7",)


def test_a_sentence_is_no_code_and_an_address_is_not_shown():
    error = item_errors({"errors": [{"code": "Jane Doe is bad", "error": "jane@x.example is bad"}]})[0]
    assert (error.code, error.message) == ("ITEM_FAILED", "<e-mail> is bad")


def test_every_row_of_a_named_identity_is_blamed():
    found = blame([ItemError(("a",), "X", "no"), ItemError(("z",), "Y", "no")], ["a", "b", "a"], str)
    assert set(found.named) == {0, 2}
    assert [error.code for error in found.unmatched] == ["Y"]
    assert normalise(" A@B ") == "a@b"
