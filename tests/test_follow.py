"""Events are followed to their end, however they end, on a clock that only moves when somebody waits."""

from itertools import pairwise

import pytest

from state.store import open_store
from state.values import AcceptedChunk, Entries, Entry, Step
from sync.follow import GROWTH, LONGEST, NEVER_AFTER, VANISHED_AFTER, Follower, failures_of
from sync.hold import HeldState
from sync.memory.errors import ChunkRefused, DestinationUnavailable, QuotaExhausted, RateLimited
from sync.memory.pace import OwnAllowance, Pacer
from sync.memory.settlement import outcome_of
from sync.stop import Stopped
from sync.summary import Summary


class Clock:
    """The time, and the stop that pauses by moving it."""

    def __init__(self):
        self.now, self.stop_at = 1_000_000.0, float("inf")

    def __call__(self):
        return self.now

    def pause(self, seconds):
        if self.now + seconds >= self.stop_at:
            self.now = self.stop_at
            raise Stopped
        self.now += seconds


class Stage:
    def __init__(self, path):
        self.clock, self.asked = Clock(), []
        self.store = open_store(f"sqlite:///{path / 'state.db'}", self.clock)
        self.lease = self.store.acquire("s", "me")
        self.summary = Summary("s")

    def accept(self, event, *names):
        entries = [Entry(f"key-{name}", b"f", name) for name in names]
        self.store.apply(self.lease, Step([AcceptedChunk(event, entries)]))

    def follow(self, answers, wait=120.0, per_minute=6000):
        """`answers`: per event a list of answers, of which the last one stays."""

        def ask(event):
            self.asked.append((self.clock.now, event))
            found = answers[event].pop(0) if len(answers[event]) > 1 else answers[event][0]
            if isinstance(found, Exception):
                raise found
            return found

        own = OwnAllowance(self.clock)
        pacer = Pacer(per_minute, 0.9, "call", own.reserve, own.postpone, self.clock.pause, self.clock)
        state = HeldState(self.store, self.lease)
        Follower(state, ask, pacer, self.clock, self.clock, str, self.summary).follow(wait)

    @property
    def due(self):
        return {one.key: one.code for one in self.store.due_redeliveries("s")}

    @property
    def waiting(self):
        return [chunk.event_id for chunk in self.store.unsettled("s")]


@pytest.fixture
def stage(tmp_path):
    one = Stage(tmp_path)
    yield one
    one.store.close()


def done(status="completed", **more):
    return {"status": status, **more}


def test_a_stored_chunk_is_settled(stage):
    stage.accept("e", "a", "b")
    stage.follow({"e": [done("processing"), done()]})
    assert (stage.summary.settled, stage.summary.failed, stage.summary.waiting) == (2, 0, 0)
    assert stage.waiting == []


def test_questions_come_at_growing_intervals(stage):
    stage.accept("e", "a")
    stage.follow({"e": [done("processing")]}, wait=600)
    times = [at for at, _ in stage.asked]
    gaps = [round(later - earlier, 3) for earlier, later in pairwise(times)]
    assert gaps[0] == 2.0
    assert gaps[1] == 2.0 * GROWTH
    assert max(gaps) == LONGEST
    assert len(times) < 20


def test_rows_named_in_a_partial_event_are_due_again_and_the_others_settled(stage):
    stage.accept("e", "a", "b", "c")
    stage.follow({"e": [done("partial_failure", errors=[{"email": "B", "code": "BUSY", "message": "later"}])]})
    assert stage.due == {"key-b": "BUSY"}
    assert (stage.summary.settled, stage.summary.failed) == (2, 1)


def test_a_row_that_will_never_do_is_a_reject(stage):
    stage.accept("e", "a", "b")
    stage.follow({"e": [done("partial", errors=[{"email": "a", "code": "CONTENT_TOO_LARGE"}])]})
    assert [one.key for one in stage.store.rejects("s")] == ["key-a"]


@pytest.mark.parametrize(
    "event",
    [
        done("failed"),
        done("failed_stale"),
        done("partial_failure"),
        done("partial_failure", errors=[{"message": "one of them"}]),
        done("partial_failure", errors=[{"email": "a"}], failed=2),
        done("completed", errors="broken"),
        done("completed", failed=1),
    ],
)
def test_where_the_server_does_not_say_which_rows_failed_all_are_due_again(stage, event):
    stage.accept("e", "a", "b")
    stage.follow({"e": [event]})
    assert set(stage.due) == {"key-a", "key-b"}
    assert stage.waiting == []


def test_a_new_word_is_waited_for_and_noted_once(stage):
    stage.accept("e", "a")
    stage.accept("f", "b")
    stage.follow({"e": [done("sleeping")], "f": [done("sleeping"), done("sleeping"), done()]})
    assert stage.waiting == ["e"]
    assert len(stage.summary.notes) == 1
    assert "'sleeping'" in stage.summary.notes[0]


def test_an_event_that_vanished_is_waited_for_a_quarter_of_an_hour(stage):
    stage.accept("e", "a")
    stage.follow({"e": [None]}, wait=VANISHED_AFTER)
    assert stage.waiting == ["e"]
    stage.follow({"e": [None]}, wait=200)
    assert stage.waiting == []
    assert set(stage.due) == {"key-a"}


def test_an_event_that_is_found_again_is_followed_on(stage):
    stage.accept("e", "a")
    stage.follow({"e": [None, None, done()]})
    assert stage.summary.settled == 1


@pytest.mark.parametrize("status", ["processing", "sleeping"])
def test_an_event_that_never_ends_is_given_up_after_a_day(stage, status):
    stage.accept("e", "a")
    stage.clock.now += NEVER_AFTER - 300
    stage.follow({"e": [done(status)]}, wait=200)
    assert stage.waiting == ["e"]
    stage.follow({"e": [done(status)]}, wait=300)
    assert stage.waiting == []
    assert set(stage.due) == {"key-a"}


@pytest.mark.parametrize("wait", [0.0, 1.0, 30.0])
@pytest.mark.parametrize(
    "trouble", [DestinationUnavailable("x", ambiguous=False), ChunkRefused("x", "x"), RateLimited("x", 900.0)]
)
def test_the_time_for_following_is_kept_and_what_is_left_waits_for_the_next_run(stage, wait, trouble):
    stage.accept("e", "a", "b")
    stage.accept("f", "c")
    began = stage.clock.now
    stage.follow({"e": [trouble], "f": [trouble]}, wait=wait)
    assert stage.clock.now <= began + wait
    assert stage.waiting == ["e", "f"]
    assert stage.summary.waiting == 3


def test_a_pace_that_is_too_slow_ends_the_following_in_time(stage):
    for number in range(20):
        stage.accept(str(number), "a")
    began = stage.clock.now
    stage.follow({str(number): [done()] for number in range(20)}, wait=60, per_minute=6)
    assert stage.clock.now <= began + 60
    assert 4 <= stage.summary.settled <= 6


@pytest.mark.parametrize("trouble", [DestinationUnavailable("x", ambiguous=False), ChunkRefused("x", "x")])
def test_one_odd_event_does_not_keep_the_others_back(stage, trouble):
    stage.accept("e", "a")
    stage.accept("f", "b")
    stage.follow({"e": [trouble], "f": [done()]})
    assert stage.waiting == ["e"]
    assert stage.summary.settled == 1


def test_a_used_up_quota_ends_the_following(stage):
    stage.accept("e", "a")
    with pytest.raises(QuotaExhausted):
        stage.follow({"e": [QuotaExhausted("month")]})
    assert stage.waiting == ["e"]
    assert stage.summary.waiting == 1


def test_a_stop_ends_the_following_and_keeps_what_was_settled(stage):
    stage.accept("e", "a")
    stage.accept("f", "b")
    stage.clock.stop_at = stage.clock.now + 10
    with pytest.raises(Stopped):
        stage.follow({"e": [done()], "f": [done("processing")]})
    assert stage.waiting == ["f"]
    assert (stage.summary.settled, stage.summary.waiting) == (1, 1)


def test_the_next_run_goes_on_where_this_one_ended(stage):
    stage.accept("e", "a")
    stage.follow({"e": [done("processing")]}, wait=10)
    asked = len(stage.asked)
    stage.follow({"e": [done()]}, wait=60)
    assert stage.summary.settled == 1
    assert len(stage.asked) == asked + 1


def test_two_errors_of_one_row_do_not_hide_another_failed_row():
    errors = [{"email": "a@x.example", "message": "one"}, {"email": "a@x.example", "message": "two"}]
    found = outcome_of({"status": "partial_failure", "failed": 2, "errors": errors})
    failures = failures_of([("1", "a@x.example"), ("2", "b@x.example")], found, str)
    assert {one.key for one in failures} == {"1", "2"}


@pytest.mark.parametrize("count", ["3", 3.0, 1e30])
def test_a_count_of_failed_rows_is_read_however_it_is_written(count):
    found = outcome_of({"status": "completed", "failed": count})
    assert len(failures_of([("1", "a"), ("2", "b")], found, str)) == 2


def test_an_error_of_a_row_that_was_refused_at_once_fails_no_other_row():
    entries = Entries(Entries.pack([Entry("1", b"", "a@x.example")], ["bad@x.example"]))
    errors = [{"email": "bad@x.example", "message": "no"}]
    assert failures_of(entries, outcome_of({"status": "partial_failure", "failed": 1, "errors": errors}), str) == []


def test_what_may_be_a_piece_of_a_record_is_left_out_of_the_server_s_words():
    errors = [{"email": "a@x.example", "message": "bad name Canary N1 phone CANARY-555, 'x y' is odd"}]
    (failure,) = failures_of([("1", "a@x.example")], outcome_of({"status": "partial", "errors": errors}), str)
    assert failure.message == "bad name ... ... phone ... ... is odd"


def test_rows_that_fail_for_good_are_told_from_those_sent_again(tmp_path):
    stage = Stage(tmp_path)
    stage.accept("e", "a", "b")
    errors = [
        {"email": "a", "code": "CONTENT_TOO_LARGE", "message": "x"},
        {"email": "b", "code": "BUSY", "message": "x"},
    ]
    stage.follow({"e": [{"status": "partial_failure", "errors": errors}]})
    assert (stage.summary.failed, stage.summary.filed) == (2, 1)
