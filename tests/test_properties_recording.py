"""Models of what a run remembers: the cursor behind unsafe rows, chunks cut anywhere, calls paced by any clock."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from types import SimpleNamespace

import pytest
from fixtures_state import Clock
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

import sync.record
from connectors.base import Page
from state.errors import StoreUnusable
from state.values import Position
from sync.chunks import Chunk, Chunker, Outgoing
from sync.flight import Landed
from sync.intake import Intake
from sync.maps.row import Reject
from sync.memory.errors import DestinationMisconfigured, DestinationUnavailable
from sync.memory.pace import OwnAllowance
from sync.memory.writer import ChunkOutcome, Receipt, Refusal
from sync.record import Recorder
from sync.summary import Summary
from sync.watermark import Watermark

NOW = Position(None, complete=False, map_hash="m", origin="o", destination="d")


class Notebook:
    """A state store that notes every step, and is full when it is told to be."""

    def __init__(self):
        self.keys, self.cursor, self.full = set(), 0, False

    def apply(self, step):
        if self.full:
            self.full = False
            raise StoreUnusable("full")
        self.keys |= {entry.key for chunk in step.accepted for entry in chunk.entries}
        self.keys |= {failure.key for failure in (*step.rejects, *step.failed)}
        if step.position is not None:
            self.cursor = step.position.cursor["at"]


class Run(RuleBasedStateMachine):
    """A run whose calls end in any order and any way; the model is a list of what every page held."""

    def __init__(self):
        super().__init__()
        self.notebook, self.summary = Notebook(), Summary("s")
        job = SimpleNamespace(
            ledger=self.notebook,
            summary=self.summary,
            position=NOW,
            purpose="incremental",
            hash_identity=str,
            progress=lambda _: None,
        )
        self.recorder = Recorder(job)
        self.pages, self.aloft, self.waiting, self.number, self.done = [], [], [], 0, set()

    @rule(rows=st.integers(0, 4), rejects=st.integers(0, 1))
    def read_a_page(self, rows, rejects):
        page = len(self.pages) + 1
        keys = [f"{page}-{n}" for n in range(rows + rejects)]
        made = [Outgoing(key, key, b"{}", b"f", page) for key in keys[:rows]]
        self.pages.append(set(keys))
        refused = [Reject(key, "MISSING_IDENTIFIER", "no address") for key in keys[rows:]]
        self.recorder.enter(page, Page([], {"at": page}), Intake(made, refused, 0))
        self.waiting += made

    @precondition(lambda self: self.waiting)
    @rule(most=st.integers(1, 6))
    def send_a_chunk(self, most):
        self.number += 1
        self.aloft.append(Chunk(self.number, tuple(self.waiting[:most])))
        self.waiting = self.waiting[most:]

    @precondition(lambda self: self.aloft)
    @rule(data=st.data(), full=st.booleans(), last=st.booleans())
    def a_call_ends(self, data, full, last):
        chunk = self.aloft.pop(data.draw(st.integers(0, len(self.aloft) - 1)))
        fates = data.draw(st.lists(st.sampled_from("tttrfl"), min_size=len(chunk.rows), max_size=len(chunk.rows)))
        by = {fate: [row for row, its in zip(chunk.rows, fates, strict=True) if its == fate] for fate in "trfl"}
        outcome = ChunkOutcome(
            receipts=[Receipt("e", by["t"])] if by["t"] else [],
            refusals=[
                Refusal(row, "BAD", "no", final=row in by["r"]) for row in chunk.rows if row in by["r"] + by["f"]
            ],
            problem=DestinationUnavailable("away", ambiguous=False) if by["l"] else None,
        )
        self.notebook.full = full
        with suppress(StoreUnusable, DestinationUnavailable, DestinationMisconfigured):
            self.recorder.record([Landed(chunk, outcome)], last=last)
        self.notebook.full = False

    @rule()
    def a_moment_passes(self):
        self.recorder.record()

    @invariant()
    def every_row_behind_the_cursor_is_stored(self):
        behind = set().union(*self.pages[: self.notebook.cursor])
        assert behind <= self.notebook.keys

    def teardown(self):
        # In the end everything that can be stored is, and the cursor stands as far as it may.
        rest = [Chunk(0, tuple(self.waiting))] if self.waiting else []
        for chunk in [*self.aloft, *rest]:
            self.recorder.record([Landed(chunk, ChunkOutcome([Receipt("e", chunk.rows)]))])
        self.recorder.record(last=True)
        self.every_row_behind_the_cursor_is_stored()
        finished = next((n for n, keys in enumerate(self.pages) if not keys <= self.notebook.keys), len(self.pages))
        assert self.notebook.cursor == finished


TRIALS = settings(max_examples=150, stateful_step_count=25, deadline=None)
HUNT = settings(TRIALS, phases=[Phase.generate], derandomize=True, report_multiple_bugs=False, print_blob=False)


def test_no_cursor_is_stored_beyond_a_row_that_is_not_whatever_order_and_end_calls_have():
    run_state_machine_as_test(Run, settings=TRIALS)


class Newest(Watermark):
    """The mistake that is often made: the cursor of the newest page of which nothing is outstanding."""

    def advance(self):
        done = [page for page, (_, outstanding) in self._pages.items() if outstanding <= 0]
        found = self._pages[max(done)][0] if done else None
        for page in done:
            del self._pages[page]
        return found


class Hasty(Watermark):
    """Another one: the cursor of a page as soon as it was read."""

    def advance(self):
        found = next(reversed(self._pages.values()), (None,))[0]
        self._pages.clear()
        return found


@pytest.mark.parametrize("mistake", [Newest, Hasty])
def test_the_model_finds_a_cursor_that_is_taken_from_anything_but_the_finished_prefix(monkeypatch, mistake):
    monkeypatch.setattr(sync.record, "Watermark", mistake)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Run, settings=HUNT)


def test_the_model_finds_a_step_that_is_forgotten_when_it_could_not_be_stored(monkeypatch):
    whole = Recorder._store

    def forgetful(self):
        try:
            whole(self)
        except StoreUnusable:
            self._accepted, self._filed, self._failed = [], [], []
            raise

    monkeypatch.setattr(Recorder, "_store", forgetful)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Run, settings=HUNT)


# -- chunks


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.lists(st.integers(0, 300), max_size=12), st.booleans()), max_size=9),
    st.integers(1, 9),
    st.integers(1, 200),
)
def test_no_row_is_lost_doubled_or_moved_however_large_and_whenever_chunks_are_asked_for(rows, most, room):
    chunker, found, given_in = Chunker(most, room), [], []
    for number, (sizes, flushed) in enumerate(rows):
        page = [Outgoing(f"{number}-{n}", str(number), b"x" * size, b"", 1) for n, size in enumerate(sizes)]
        given_in += page
        found += chunker.fill(page)
        found.append(chunker.flush() if flushed else None)
    found.append(chunker.flush())
    chunks = [chunk for chunk in found if chunk is not None]
    assert [row for chunk in chunks for row in chunk.rows] == given_in
    assert [chunk.number for chunk in chunks] == list(range(1, len(chunks) + 1))
    for chunk in chunks:
        assert 1 <= len(chunk.rows) <= most
        assert len(chunk.rows) == 1 or sum(len(row.body) + 1 for row in chunk.rows) <= room
    assert chunker.flush() is None


# -- the limiter


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.floats(0.1, 5)),
        st.tuples(st.just("told"), st.floats(0, 60)),
        st.tuples(st.just("pass"), st.floats(0, 20)),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.floats(0, 5))
def test_processes_on_one_store_are_paced_as_one_process_would_pace_itself(steps, burst):
    clock = Clock()
    own = OwnAllowance(lambda: clock.wall)
    with clock.open("sqlite:///:memory:") as store:
        for kind, value in steps:
            if kind == "call":
                assert store.reserve("org", value, burst) == pytest.approx(own.reserve(value, burst), abs=1e-5)
            elif kind == "told":
                store.postpone("org", value)
                own.postpone(value)
            else:
                clock.advance(value)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.floats(0, 3)), min_size=2, max_size=30), st.sampled_from([0.0, 1.0, 4.0])
)
def test_no_stretch_of_time_holds_more_calls_than_its_share_and_the_burst(steps, burst):
    clock, span, starts = Clock(), 0.5, []
    with clock.open("sqlite:///:memory:") as store:
        for _, pause in steps:
            starts.append(clock.wall + store.reserve("org", span, burst))
            clock.advance(pause)
    starts.sort()
    for first in range(len(starts)):
        for last in range(first, len(starts)):
            calls = last - first + 1
            assert calls <= (starts[last] - starts[first] + burst) / span + 1 + 1e-4


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-(10.0**6), 10.0**6), min_size=1, max_size=12), st.floats(0.01, 60))
def test_a_clock_that_jumps_stops_calls_for_an_hour_at_most(jumps, span):
    clock = Clock()
    with clock.open("sqlite:///:memory:") as store:
        for jump in jumps:
            clock.wall += jump
            waits = [store.reserve("org", span, 0.0) for _ in range(3)]
            assert all(0.0 <= wait <= 3600 + 3 * span for wait in waits)
            assert all(later >= earlier + span - 1e-3 for earlier, later in pairwise(waits))
