"""Events are looked after while rows are still being sent, with a bounded share of the calls."""

import threading

import pytest

from state.store import open_store
from state.values import AcceptedChunk, Entry, Step
from sync.aside import SHARE, Aside
from sync.follow import Follower
from sync.hold import HeldState
from sync.memory.errors import QuotaExhausted
from sync.memory.pace import Pacer
from sync.stop import Stop, Stopped
from sync.summary import Summary


class Stage:
    """A store with accepted chunks, a server that says of each event what it is told, and a run that makes calls."""

    def __init__(self, path, answer=None):
        self.now, self.calls, self.asked, self.looks = 1_000_000.0, 0, [], 0
        self.answer = answer or (lambda event: {"status": "completed"})
        self.store = open_store(f"sqlite:///{path / 'state.db'}", lambda: self.now)
        self.state = HeldState(self.store, self.store.acquire("s", "me"))
        self.stop, self.summary = Stop(), Summary("s")
        pacer = Pacer(10**6, 0.9, "call", lambda _, __: 0.0, lambda _: None, self.stop.pause)
        follower = Follower(self.state, self._ask, pacer, self.stop, lambda: self.now, str, self.summary)
        self.aside = Aside(follower, self._due, lambda: self.calls, self.stop, lambda: self.now)

    def _ask(self, event):
        self.asked.append(event)
        return self.answer(event)

    def _due(self):
        self.looks += 1
        return self.state.due_event()

    def accept(self, count):
        chunks = [AcceptedChunk(f"event-{number}", [Entry(f"k{number}", b"f", "i")]) for number in range(count)]
        self.state.apply(Step(chunks))

    def glance(self):
        """As a run does; the answer is waited for, so that the test need not."""
        self.aside.glance()
        self.aside.end()


@pytest.fixture
def stage(tmp_path):
    one = Stage(tmp_path)
    yield one
    one.store.close()


def test_events_that_are_due_are_settled_during_the_run_within_their_share_of_the_calls(stage):
    stage.accept(50)
    stage.now += 10
    for calls in range(100):
        stage.calls = calls
        stage.glance()
    assert len(stage.asked) == SHARE * 100 - 1  # nine of the first ninety-nine calls
    assert stage.summary.settled == len(stage.asked) == 50 - len(stage.state.unsettled())


def test_the_event_that_is_due_longest_is_asked_for_first(stage):
    stage.accept(1)
    stage.now += 1
    stage.state.apply(Step([AcceptedChunk("late", [Entry("x", b"f", "i")])]))
    stage.now, stage.calls = stage.now + 10, 100
    stage.glance()
    stage.glance()
    assert stage.asked == ["event-0", "late"]


def test_an_event_is_left_alone_until_it_is_due_and_the_store_is_not_asked_all_the_time(stage):
    stage.accept(1)
    stage.calls = 1000
    for _ in range(50):
        stage.glance()
    assert (stage.asked, stage.looks) == ([], 1)
    stage.now += 2
    stage.glance()
    assert stage.asked == ["event-0"]


def test_an_event_that_has_not_ended_is_asked_for_again_later(tmp_path):
    stage = Stage(tmp_path, lambda event: {"status": "processing"})
    stage.accept(1)
    stage.now, stage.calls = stage.now + 10, 1000
    stage.glance()
    stage.glance()
    assert (stage.asked, stage.summary.settled) == (["event-0"], 0)
    stage.now += 10
    stage.glance()
    assert len(stage.asked) == 2
    stage.store.close()


def test_a_used_up_quota_reaches_the_run(tmp_path):
    def refuse(event):
        raise QuotaExhausted("used up")

    stage = Stage(tmp_path, refuse)
    stage.accept(1)
    stage.now, stage.calls = stage.now + 10, 1000
    with pytest.raises(QuotaExhausted):
        stage.glance()
    assert len(stage.state.unsettled()) == 1
    stage.store.close()


def test_a_question_without_an_answer_holds_neither_the_run_nor_its_stop(tmp_path):
    closed = threading.Event()
    stage = Stage(tmp_path, lambda event: closed.wait(20) and {"status": "completed"})
    stage.accept(2)
    stage.now, stage.calls = stage.now + 10, 1000
    for _ in range(5):
        stage.aside.glance()
    assert len(stage.asked) <= 1
    stage.stop.set()
    with pytest.raises(Stopped):
        stage.aside.end()
    closed.set()
    stage.store.close()
