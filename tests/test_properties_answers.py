"""Whatever a server answers: never an exception that nobody expects, and never a row both stored and failed."""

import json
import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sync.follow import failures_of
from sync.memory.answers import Answer, data_of
from sync.memory.envelope import Envelope
from sync.memory.errors import (
    ChunkRefused,
    DestinationError,
    DestinationMisconfigured,
    DestinationUnavailable,
    QuotaExhausted,
    RateLimited,
)
from sync.memory.pace import OwnAllowance, Pacer
from sync.memory.retry_after import LONGEST, wait_asked_for
from sync.memory.settlement import blame, item_errors, normalise, outcome_of
from sync.memory.writer import BatchWriter, Sendable

NAMES = ("a@x.example", "b@x.example", "c@x.example", "A@X.example", "7")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ERROR = st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from(NAMES) | JSON,
        "recordId": st.sampled_from(NAMES) | st.integers(0, 9),
        "code": st.sampled_from(["MISSING_IDENTIFIER", "CONTENT_TOO_LARGE", "BAD"]) | JSON,
        "message": st.text(max_size=8) | JSON,
        "error": JSON,
    },
)
ERRORS = st.lists(ERROR | JSON, max_size=4) | st.dictionaries(st.sampled_from(NAMES), JSON, max_size=3) | JSON
STATUS = st.sampled_from(["completed", "partial", "failed", "processing", "sleeping", " Partially-Completed "])
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "status": STATUS | JSON,
        "state": STATUS | JSON,
        "errors": ERRORS,
        "result": st.fixed_dictionaries({}, optional={"errors": ERRORS}) | JSON,
        "details": st.fixed_dictionaries({}, optional={"errors": ERRORS}) | JSON,
        "failed": st.integers(-1, 5) | JSON,
        "errorCount": JSON,
        "failures": ERRORS,
        "error": JSON,
        "success": JSON,
        "total": st.integers(-1, 5) | JSON,
        "succeeded": st.integers(-1, 5) | JSON,
        "results": st.lists(ERROR | JSON, max_size=3) | JSON,
        "summary": st.dictionaries(
            st.sampled_from(["failed", "total", "stored", "errors", "rows"]), ERRORS, max_size=3
        ),
    },
)


def told(answer):
    """What an answer is taken for: its data, or the error."""
    try:
        return data_of(answer, "POST /batch")
    except DestinationError as problem:
        return problem


@settings(max_examples=120, deadline=None)
@given(EVENT)
def test_any_event_is_read_as_a_verdict(event):
    found = outcome_of(event)
    assert found.verdict in ("waiting", "stored", "failed", "partly", "unknown")
    assert found.verdict != "stored" or not found.errors
    assert len(found.status) <= 40
    for error in found.errors:
        assert error.code
        assert len(error.message) <= 203
        assert all(name == normalise(name) for name in error.identities)


@settings(max_examples=120, deadline=None)
@given(EVENT, st.lists(st.sampled_from(NAMES), min_size=1, max_size=5))
def test_of_an_ended_event_every_row_is_stored_or_failed_and_none_is_both(event, names):
    entries = [(f"key-{number}", normalise(name)) for number, name in enumerate(names)]
    found = outcome_of(event)
    failed = Counter(failure.key for failure in failures_of(entries, found, str))
    assert set(failed.values()) <= {1}
    if found.verdict == "stored":
        assert not failed
    if found.verdict == "failed":
        assert set(failed) == {key for key, _ in entries}
    blamed = {entries[place][0] for place in blame(found.errors, [mark for _, mark in entries], str).named}
    if found.verdict == "partly":
        assert blamed <= set(failed)
        # An error that names no row leaves no row for certain.
        assert failed.keys() == blamed or len(failed) == len(entries)


@settings(max_examples=120, deadline=None)
@given(st.dictionaries(st.sampled_from(["errors", "result", "details", "eventId"]), ERRORS))
def test_item_errors_are_found_in_any_object(data):
    for error in item_errors(data):
        assert error.code


@pytest.mark.parametrize("depth", [900, 985, 1000, 1020, 1030, 5000])
def test_an_answer_of_nested_lists_is_an_answer_that_cannot_be_used(depth):
    text = '{"success":true,"data":{"eventId":"e","errors":' + "[" * depth + "]" * depth + "}}"
    found = told(Answer(200, {}, text.encode()))
    if isinstance(found, dict):
        assert len(item_errors(found)) == 1
    else:
        assert isinstance(found, DestinationUnavailable)
        assert found.ambiguous


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from([200, 201, 302, 400, 401, 402, 404, 408, 413, 422, 425, 429, 500, 502, 503, 504]),
    st.binary(max_size=40)
    | EVENT.map(lambda event: json.dumps(event).encode())
    | JSON.map(lambda j: json.dumps(j).encode()),
    st.dictionaries(st.sampled_from(["retry-after", "date", "location"]), st.text(max_size=30)),
)
def test_any_answer_is_data_or_an_error_with_a_name(status, body, headers):
    found = told(Answer(status, headers, body))
    assert isinstance(found, dict) or "POST /batch" in str(found)


# -- how long to wait


def _rfc850(moment):
    return moment.strftime("%A, %d-%b-%y %H:%M:%S GMT")


def _asctime(moment):
    return moment.strftime("%a %b %e %H:%M:%S %Y")


MOMENTS = st.datetimes(datetime(2001, 1, 1), datetime(2060, 1, 1)).map(lambda m: m.replace(microsecond=0, tzinfo=UTC))


@settings(max_examples=120, deadline=None)
@given(
    MOMENTS,
    st.integers(-(10**6), 10**6),
    st.sampled_from([lambda m: format_datetime(m, usegmt=True), _rfc850, _asctime]),
)
def test_a_date_in_each_of_the_three_forms_of_http_is_so_many_seconds_away(now, seconds, form):
    headers = {"retry-after": form(now + timedelta(seconds=seconds)), "date": format_datetime(now, usegmt=True)}
    assert wait_asked_for(None, headers) == (seconds if seconds > 0 else None)


@settings(max_examples=120, deadline=None)
@given(JSON | st.integers() | st.text(), st.text(), st.text())
@example("9" * 400, "9" * 400, "")
@example(10**400, "-1", "")
def test_a_wait_is_finite_and_positive_or_none(member, header, date):
    found = wait_asked_for({"retryAfterSeconds": member}, {"retry-after": header, "date": date})
    assert found is None or (found > 0 and math.isfinite(found))


@settings(max_examples=120, deadline=None)
@given(JSON | st.integers(-5, 2000) | st.text(max_size=5), st.integers(-5, 2000).map(str) | st.text(max_size=12))
def test_a_429_is_waited_out_within_bounds_or_ends_the_run(member, header):
    body = json.dumps({"error": "rate_limit_exceeded", "window": "per_minute", "retryAfterSeconds": member}).encode()
    found = told(Answer(429, {"retry-after": header}, body))
    if isinstance(found, RateLimited):
        assert found.retry_after is None or 0 < found.retry_after <= LONGEST
    else:
        assert isinstance(found, QuotaExhausted)
        assert "too long" in str(found)


# -- one chunk, whatever the server makes of it


class Whimsical:
    """Judges every call by chance, and keeps a ledger of the rows that it took."""

    def __init__(self, draw, names):
        self.draw, self.names, self.calls, self.stored = draw, names, 0, Counter()

    def batch(self, body):
        rows = json.loads(body)["rows"]
        self.calls += 1
        kind = self.draw(st.sampled_from(["take"] * 4 + ["refuse", "errors", "lost", "away", "slow", "month"]))
        if kind == "refuse":
            raise ChunkRefused("POST /batch: refused", "validation_error")
        if kind == "away":
            raise DestinationUnavailable("down", ambiguous=False)
        if kind == "slow":
            raise RateLimited("slow", 1.0)
        if kind == "month":
            raise QuotaExhausted("used up")
        self.stored.update(row["key"] for row in rows)
        if kind == "lost":
            raise DestinationUnavailable("cut", ambiguous=True)
        return {"eventId": f"e{self.calls}", "errors": self.draw(ERRORS) if kind == "errors" else []}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(NAMES) | st.integers(10, 40).map(str), min_size=1, max_size=24), st.data())
def test_every_row_of_a_chunk_is_in_one_receipt_or_in_one_refusal_or_left_with_a_problem(names, data):
    rows = [
        Sendable(f"k{n}", name, json.dumps({"key": f"k{n}", "email": name}).encode()) for n, name in enumerate(names)
    ]
    server, pauses = Whimsical(data.draw, names), []
    allowance = OwnAllowance(lambda: sum(pauses))
    pacer = Pacer(10**6, 0.9, "call", allowance.reserve, allowance.postpone, pauses.append, lambda: sum(pauses))
    outcome = BatchWriter(server, Envelope(b'{"rows":[', b"]}"), pacer, pauses.append, lambda: 0.0).send(rows)
    taken = [row.key for receipt in outcome.receipts for row in receipt.rows]
    assert all(receipt.rows for receipt in outcome.receipts)
    turned_down = [refusal.row.key for refusal in outcome.refusals]
    once = Counter(taken + turned_down)
    assert set(once.values()) <= {1}
    assert set(taken) <= set(server.stored), "a receipt for a row that never arrived"
    if outcome.problem is None:
        assert set(once) == {row.key for row in rows}
    else:
        assert isinstance(outcome.problem, DestinationError)
    # What was stored more than once is not more than what was owned up to.
    assert sum(server.stored.values()) - len(taken) <= outcome.duplicates_possible + len(turned_down)


@pytest.mark.parametrize("unnamed", [False, True])
@pytest.mark.parametrize("count", [2, 7, 50, 64, 500])
def test_one_bad_row_costs_twice_the_halvings_at_most_however_it_is_told(count, unnamed):
    rows = [Sendable(str(n), f"r{n}", json.dumps({"email": f"r{n}"}).encode()) for n in range(count)]
    for place in {0, 1, count // 2, count - 1}:
        calls = []

        class Picky:
            def batch(self, body, bad=f"r{place}", calls=calls):
                names = [row["email"] for row in json.loads(body)["rows"]]
                calls.append(names)
                if bad not in names:
                    return {"eventId": "e", "errors": []}
                if unnamed:
                    return {"eventId": "e", "errors": ["one row is bad"]}
                raise ChunkRefused("refused", "validation_error")

        pacer = Pacer(10**6, 0.9, "call", lambda _, __: 0.0, lambda _: None, lambda _: None)
        outcome = BatchWriter(Picky(), Envelope(b'{"rows":[', b"]}"), pacer, lambda _: None, lambda: 0.0).send(rows)
        assert [refusal.row.key for refusal in outcome.refusals] == [str(place)]
        assert not isinstance(outcome.problem, DestinationMisconfigured)
        assert len(calls) - 1 <= 2 * math.ceil(math.log2(count))
