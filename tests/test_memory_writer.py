"""Delivering one chunk: trying again, splitting, and what is said about a row."""

import json
import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.memory.envelope import Envelope
from sync.memory.errors import (
    ChunkRefused,
    DestinationMisconfigured,
    DestinationRefused,
    DestinationUnavailable,
    QuotaExhausted,
    RateLimited,
)
from sync.memory.pace import OwnAllowance, Pacer
from sync.memory.writer import ATTEMPTS, LIMITED, BatchWriter, ChunkOutcome, Sendable, pause_before, without_values


class Server:
    """Stands in for the client: `judge` gets the identities of each call and raises, or returns item errors."""

    def __init__(self, judge):
        self.judge, self.calls = judge, []

    def batch(self, body):
        rows = json.loads(body)["rows"]
        self.calls.append([row["email"] for row in rows])
        return {"eventId": f"e{len(self.calls)}", "errors": self.judge(self.calls[-1]) or []}


def rows_of(*names):
    return [
        Sendable(f"key-{name}", name, json.dumps({"email": name, "name": f"Jane {name}"}).encode()) for name in names
    ]


def numbered(count):
    return rows_of(*(f"r{n}@x.example" for n in range(count)))


def writer_for(server, chance=0.0):
    pauses = []
    allowance = OwnAllowance(lambda: sum(pauses))
    pause = lambda seconds: pauses.append(seconds) if seconds else None  # noqa: E731
    pacer = Pacer(1_000_000, 0.9, "call", allowance.reserve, allowance.postpone, pause, lambda: sum(pauses))
    return BatchWriter(server, Envelope(b'{"rows":[', b"]}"), pacer, pause, lambda: chance), pauses


def send(server, rows, chance=0.0):
    writer, pauses = writer_for(server, chance)
    return writer.send(rows), pauses


def taken(outcome):
    return sorted(row.identity for receipt in outcome.receipts for row in receipt.rows)


def refused(outcome):
    return sorted(refusal.row.identity for refusal in outcome.refusals)


def refusing(*bad):
    def judge(names):
        if set(bad) & set(names):
            raise ChunkRefused("POST /batch-memorize: refused", "validation_error")

    return Server(judge)


@pytest.mark.parametrize("count", [1, 2, 3, 50, 100])
def test_one_bad_row_costs_one_row_and_few_calls_wherever_it_stands(count):
    rows = numbered(count)
    for place in range(count):
        bad = rows[place].identity
        server = refusing(bad)
        outcome, _ = send(server, rows)
        assert outcome.problem is None
        assert refused(outcome) == [bad]
        assert taken(outcome) == sorted(row.identity for row in rows if row.identity != bad)
        assert len(server.calls) - 1 <= 2 * math.ceil(math.log2(count))
        assert outcome.duplicates_possible == 0


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.data())
def test_a_row_is_in_one_receipt_or_one_refusal_unless_a_problem_says_why(count, data):
    rows = numbered(count)
    bad = {rows[place].identity for place in data.draw(st.sets(st.integers(0, count - 1), max_size=count // 5))}
    outcome, _ = send(refusing(*bad), rows)
    assert outcome.problem is None
    assert sorted(taken(outcome) + refused(outcome)) == sorted(row.identity for row in rows)
    assert set(refused(outcome)) == bad


@pytest.mark.parametrize("first", [0, 40, 88])
def test_bad_rows_side_by_side_do_not_keep_the_others_back(first):
    rows = numbered(100)
    outcome, _ = send(refusing(*(row.identity for row in rows[first : first + 12])), rows)
    assert outcome.problem is None
    assert (len(refused(outcome)), len(taken(outcome))) == (12, 88)


@pytest.mark.parametrize("count", [20, 100, 500])
def test_a_chunk_of_which_nothing_is_taken_blames_the_map_after_few_calls(count):
    rows = numbered(count)
    server = refusing(*(row.identity for row in rows))
    outcome, _ = send(server, rows)
    assert isinstance(outcome.problem, DestinationMisconfigured)
    assert "the map does not fit" in str(outcome.problem)
    assert len(server.calls) <= 4 * math.ceil(math.log2(count))


def test_rows_with_one_identity_keep_their_order_while_split():
    rows = rows_of(*(f"r{n}" for n in range(30)), "same", *(f"s{n}" for n in range(30)), "same")
    server = refusing(*(f"r{n}" for n in range(6)))
    outcome, _ = send(server, rows)
    delivered = [row for receipt in outcome.receipts for row in receipt.rows if row.identity == "same"]
    assert outcome.problem is None
    assert [row is rows[place] for row, place in zip(delivered, (30, 61), strict=True)] == [True, True]


def test_item_errors_are_matched_by_identity_in_any_case():
    server = Server(lambda names: [{"email": "R1@X.example ", "code": "MISSING_IDENTIFIER", "message": "none"}])
    outcome, _ = send(server, numbered(4))
    assert refused(outcome) == ["r1@x.example"]
    assert outcome.refusals[0].final
    assert len(taken(outcome)) == 3
    assert len(server.calls) == 1


@pytest.mark.parametrize("bad", range(8))
def test_item_errors_that_name_no_row_are_narrowed_down(bad):
    server = Server(lambda names: [{"message": "one row failed"}] if f"r{bad}@x.example" in names else [])
    outcome, _ = send(server, numbered(8))
    assert refused(outcome) == [f"r{bad}@x.example"]
    assert len(taken(outcome)) == 7
    assert outcome.duplicates_possible == sum(map(len, server.calls)) - 8 <= 8


def test_a_named_and_an_unnamed_error_together_lose_no_row():
    def judge(names):
        named = [{"email": "r0@x.example"}] if "r0@x.example" in names else []
        return named + ([{"message": "another"}] if "r1@x.example" in names else [])

    outcome, _ = send(Server(judge), numbered(2))
    assert refused(outcome) == ["r0@x.example", "r1@x.example"]


BAD = "r{}@x.example"


def complaining(bad, told):
    """A server that takes every call, and says of the bad rows in it what `told` makes of their number."""
    return Server(lambda names: told(len(bad & set(names))) if bad & set(names) else [])


def one_entry_each(number):
    return [{"index": 0, "message": "row invalid"}] * number


def one_sentence(_):
    return "something is wrong with the rows"


def counted_in_a_sentence(number):
    return [f"{number} rows failed"]


@pytest.mark.parametrize("told", [one_entry_each, counted_in_a_sentence])
@pytest.mark.parametrize("place", [0, 1, 37, 50, 98, 99])
def test_a_counted_bad_row_costs_no_more_duplicates_than_its_call_has_rows(told, place):
    server = complaining({BAD.format(place)}, told)
    outcome, _ = send(server, numbered(100))
    assert refused(outcome) == [BAD.format(place)]
    assert len(taken(outcome)) == 99
    assert outcome.duplicates_possible == sum(map(len, server.calls[1:])) <= 102


@settings(max_examples=150, deadline=None)
@given(st.integers(2, 120), st.data(), st.sampled_from([one_entry_each, one_sentence, counted_in_a_sentence]))
def test_a_search_sends_a_row_again_a_few_times_at_most_and_loses_none(count, data, told):
    rows = numbered(count)
    places = data.draw(st.sets(st.integers(0, count - 1), max_size=max(1, count // 8)))
    bad = {rows[place].identity for place in places}
    server = complaining(bad, told)
    outcome, _ = send(server, rows)
    assert outcome.problem is None
    assert sorted(taken(outcome) + refused(outcome)) == sorted(row.identity for row in rows)
    assert set(refused(outcome)) <= bad
    often = Counter(name for call in server.calls[1:] for name in call)
    assert max(often.values(), default=0) <= math.ceil(math.log2(count)) + 1
    assert outcome.duplicates_possible == often.total()
    events = {f"e{number}": call for number, call in enumerate(server.calls, 1)}
    assert all(row.identity in events[receipt.event_id] for receipt in outcome.receipts for row in receipt.rows)
    if told is one_entry_each and bad and not {0, count - 1} <= places:
        assert set(refused(outcome)) == bad


@pytest.mark.parametrize("words", ["tier pro is deprecated", ["tier pro is deprecated"], [{"message": "deprecated"}]])
def test_words_under_errors_in_every_answer_cost_a_few_rows_and_then_nothing(words):
    server = Server(lambda names: words)
    writer, _ = writer_for(server)
    outcomes = [writer.send(numbered(100)) for _ in range(10)]
    assert [(len(taken(one)), refused(one), one.problem) for one in outcomes] == [(100, [], None)] * 10
    assert sum(map(len, server.calls)) == 1004
    assert sum(one.duplicates_possible for one in outcomes) == 4


def test_words_under_errors_of_calls_of_one_row_are_taken_for_remarks_in_the_end():
    writer, _ = writer_for(Server(lambda names: ["deprecated"]))
    outcomes = [writer.send(rows_of(f"r{number}")) for number in range(50)]
    assert sum(len(one.refusals) for one in outcomes) == 10
    assert not any(one.problem for one in outcomes)
    named = writer_for(Server(lambda names: ["deprecated", *({"email": name} for name in names if name == "r49")]))[0]
    assert [len(named.send(rows_of(f"r{number}")).refusals) for number in range(50)][-1] == 1


def test_where_the_counts_agree_other_words_cost_nothing():
    server = Server(lambda names: [{"email": names[3], "message": "bad"}, "one row is bad"])
    server.batch = lambda body, batch=server.batch: batch(body) | {"failed": 1}
    outcome, _ = send(server, numbered(100))
    assert (refused(outcome), len(taken(outcome)), len(server.calls)) == ([BAD.format(3)], 99, 1)


def test_a_failed_row_that_is_only_counted_is_searched_for():
    server = Server(lambda names: [])
    server.batch = lambda body, batch=server.batch: batch(body) | {"failed": int(BAD.format(5) in server.calls[-1])}
    outcome, _ = send(server, numbered(20))
    assert refused(outcome) == [BAD.format(5)]


def test_a_row_whose_identity_stands_twice_is_not_sent_again_out_of_turn():
    rows = rows_of("a", "same", "b", "c", "same", "d")
    server = complaining({"b"}, one_entry_each)
    outcome, _ = send(server, rows)
    assert refused(outcome) == ["b"]
    assert all("same" not in call for call in server.calls[1:])
    assert taken(outcome).count("same") == 2


def test_a_search_that_is_cut_short_leaves_the_rows_with_the_call_that_took_them():
    server = complaining({BAD.format(5)}, one_entry_each)

    def batch(body, batch=server.batch):
        if len(server.calls) == 4:
            raise QuotaExhausted("used up")
        return batch(body)

    server.batch = batch
    outcome, _ = send(server, numbered(40))
    assert isinstance(outcome.problem, QuotaExhausted)
    assert len(taken(outcome)) == 40


def test_what_is_there_is_taken_once_while_the_chunk_is_still_being_sent():
    outcome, halted = ChunkOutcome(), []

    def judge(names):
        if len(names) == 8:
            raise ChunkRefused("no", "validation_error")
        if BAD.format(7) in names:
            halted.append(outcome.take())

    writer, _ = writer_for(Server(judge))
    assert writer.send(numbered(8), outcome) is outcome
    rest = outcome.take()
    assert [taken(one) for one in (*halted, rest)] == [[BAD.format(n) for n in range(k, k + 4)] for k in (0, 4)]
    assert outcome.take() == ChunkOutcome()


@pytest.mark.parametrize("calls", range(1, 9))
def test_whenever_one_takes_the_last_of_a_search_every_row_is_in_one_place(calls):
    outcome, seen = ChunkOutcome(), []
    server = complaining({BAD.format(21)}, one_entry_each)

    def batch(body, batch=server.batch):
        if len(server.calls) == calls:
            seen.append(outcome.take(last=True))
            raise QuotaExhausted("used up")
        return batch(body)

    server.batch = batch
    writer, _ = writer_for(server)
    writer.send(numbered(32), outcome)
    if seen:
        assert len(taken(seen[0])) == len(set(taken(seen[0]))) == 32
        assert seen[0].duplicates_possible == sum(map(len, server.calls[1:]))


def failing(*problems):
    queue = list(problems)

    def judge(names):
        if queue:
            raise queue.pop(0)

    return Server(judge)


def unavailable(ambiguous=False, after=None):
    return DestinationUnavailable("down", ambiguous=ambiguous, retry_after=after)


def test_an_ambiguous_answer_is_resent_after_a_pause_and_counted():
    outcome, pauses = send(failing(unavailable(ambiguous=True)), numbered(3))
    assert (outcome.retries, outcome.duplicates_possible, len(taken(outcome))) == (1, 3, 3)
    assert pauses[0] >= 5.0


def test_a_refused_connection_is_no_possible_duplicate():
    outcome, _ = send(failing(unavailable()), numbered(3))
    assert (outcome.retries, outcome.duplicates_possible) == (1, 0)


def test_a_destination_that_stays_away_is_given_up_after_five_calls():
    server = failing(*[unavailable()] * 9)
    outcome, pauses = send(server, numbered(3))
    assert isinstance(outcome.problem, DestinationUnavailable)
    assert len(server.calls) == ATTEMPTS
    assert len(pauses) == ATTEMPTS - 1


def test_a_server_that_asks_for_hours_is_not_waited_for():
    server = failing(unavailable(after=86400.0))
    outcome, pauses = send(server, numbered(3))
    assert isinstance(outcome.problem, DestinationUnavailable)
    assert not pauses
    assert pause_before(1, unavailable(after=86400.0), 1.0) <= 990.1


@pytest.mark.parametrize("ambiguous", [True, False])
@given(attempt=st.integers(1, 5), chance=st.floats(0, 1))
def test_pauses_stay_within_bounds(ambiguous, attempt, chance):
    pause = pause_before(attempt, unavailable(ambiguous), chance)
    assert (5.0 if ambiguous else 0.5) <= pause <= max(5.0, min(60.0, 2.0**attempt))


@pytest.mark.parametrize(("asked", "least"), [(37.0, 37.0), (0.2, 1.0), (None, 60.0)])
@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_a_429_is_waited_out_as_told(asked, least, chance):
    outcome, pauses = send(failing(RateLimited("slow", asked)), numbered(1), chance)
    assert outcome.problem is None
    assert least - 1e-6 <= pauses[0] <= least * 1.1 + 7


def test_a_429_for_ever_ends_the_run():
    server = failing(*[RateLimited("slow", 1.0)] * 99)
    outcome, _ = send(server, numbered(1))
    assert isinstance(outcome.problem, QuotaExhausted)
    assert len(server.calls) == LIMITED


@pytest.mark.parametrize("kind", [QuotaExhausted, DestinationRefused, DestinationMisconfigured])
def test_what_waiting_cannot_mend_is_tried_once_without_a_pause(kind):
    server = failing(kind("no"))
    outcome, pauses = send(server, numbered(3))
    assert type(outcome.problem) is kind
    assert (len(server.calls), pauses) == (1, [])


def test_what_was_accepted_before_a_problem_is_kept():
    def judge(names):
        if len(names) == 8:
            raise ChunkRefused("no", "validation_error")
        if "r7@x.example" in names:
            raise QuotaExhausted("used up")

    outcome, _ = send(Server(judge), numbered(8))
    assert isinstance(outcome.problem, QuotaExhausted)
    assert len(taken(outcome)) == 4


def test_a_stop_that_came_during_the_wait_keeps_the_call_from_starting():
    class Halt(Exception):
        pass

    def pause(_):
        raise Halt

    server = refusing()
    allowance = OwnAllowance()
    pacer = Pacer(60, 0.9, "call", allowance.reserve, allowance.postpone, lambda _: None)
    outcome = BatchWriter(server, Envelope(b'{"rows":[', b"]}"), pacer, pause).send(numbered(2))
    assert isinstance(outcome.problem, Halt)
    assert not server.calls


@pytest.mark.parametrize("words", ["Jane Zoë", 'a "quoted" name', "+49 170 1234567", "line\nbreak"])
def test_the_server_s_words_about_a_row_show_none_of_its_values(words):
    body = json.dumps({"email": "x@y.example", "name": words, "age": 4711}).encode()
    for said in (
        f"bad: {words}",
        f"bad: {json.dumps(words)}",
        f"bad: {json.dumps({'m': words})!r}",
        f"bad {words[:7]}...",
    ):
        shown = without_values(said + " 4711", body)
        assert words[:5] not in shown
        assert "4711" not in shown
