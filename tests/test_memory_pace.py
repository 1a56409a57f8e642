"""The plan's limit, minute by minute, on a clock that only moves when somebody waits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.memory.pace import OwnAllowance, Pacer


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def pause(self, seconds):
        assert seconds > 0
        self.now += seconds


def pacer_on(clock, per_minute=60, share=0.9, unit="call", allowance=None):
    allowance = allowance or OwnAllowance(clock)
    return Pacer(per_minute, share, unit, allowance.reserve, allowance.postpone, clock.pause, clock)


def most_in_a_minute(starts):
    """The most units in any 60 seconds; a start at the very end counts to the next minute."""
    most = units = first = 0
    for at, cost in starts:
        units += cost
        while starts[first][0] <= at - 60 + 1e-6:
            units -= starts[first][1]
            first += 1
        most = max(most, units)
    return most


@pytest.mark.parametrize("per_minute", [1, 2, 5, 10, 60, 61, 120, 600, 3000])
@pytest.mark.parametrize("share", [0.5, 0.9, 1.0])
def test_no_minute_holds_more_calls_than_the_plan_allows_and_the_share_is_used(per_minute, share):
    clock = Clock()
    pacer = pacer_on(clock, per_minute, share)
    began, starts = clock.now, []
    while True:
        pacer.wait()
        if clock.now >= began + 300:
            break
        starts.append((clock.now, 1))
    assert most_in_a_minute(starts) <= per_minute
    assert len(starts) >= int(0.97 * 5 * per_minute * share)
    assert len(starts) <= 5 * per_minute * share + per_minute


@pytest.mark.parametrize(
    ("per_minute", "wanted"), [(60, 1), (60, 7), (60, 40), (60, 500), (1000, 100), (1000, 500), (5, 100)]
)
def test_where_rows_are_counted_no_minute_holds_too_many_and_the_share_is_used(per_minute, wanted):
    clock = Clock()
    pacer = pacer_on(clock, per_minute, unit="row")
    rows = pacer.rows_per_call(wanted)
    assert 1 <= rows <= min(wanted, per_minute)
    began, starts = clock.now, []
    while True:
        pacer.wait(rows)
        if clock.now >= began + 300:
            break
        starts.append((clock.now, rows))
    assert most_in_a_minute(starts) <= per_minute
    assert sum(cost for _, cost in starts) >= 0.97 * 5 * rows * (int(per_minute * 0.9) // rows)
    assert sum(cost for _, cost in starts) >= 0.85 * 5 * int(per_minute * 0.9)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 54), min_size=2, max_size=40))
def test_calls_of_any_size_keep_the_limit_of_rows(sizes):
    clock = Clock()
    pacer = pacer_on(clock, unit="row")
    starts = []
    for rows in sizes:
        pacer.wait(rows)
        starts.append((clock.now, rows))
    assert most_in_a_minute(starts) <= 60


@settings(max_examples=30, deadline=None)
@given(st.lists(st.booleans(), min_size=150, max_size=150), st.floats(0, 5))
def test_two_processes_on_one_allowance_keep_the_limit_together(whose, idle):
    clock = Clock()
    allowance = OwnAllowance(clock)
    pair = [pacer_on(clock, allowance=allowance), pacer_on(clock, allowance=allowance)]
    starts = []
    for first in whose:
        pair[first].wait()
        starts.append((clock.now, 1))
        clock.now += idle if len(starts) % 50 == 0 else 0
    assert most_in_a_minute(starts) <= 60


def test_calls_that_were_made_without_asking_are_counted():
    clock = Clock()
    fresh, counted = pacer_on(clock), pacer_on(clock)
    counted.count(20)
    fresh.wait()
    began = clock.now
    counted.wait()
    assert clock.now - began > 15


@pytest.mark.parametrize("per_minute", [10, 60, 6000])
@pytest.mark.parametrize("seconds", [1.0, 37.0, 900.0])
def test_a_429_is_waited_out_whole_by_everybody(per_minute, seconds):
    clock = Clock()
    allowance = OwnAllowance(clock)
    pair = [pacer_on(clock, per_minute, allowance=allowance), pacer_on(clock, per_minute, allowance=allowance)]
    for pacer in pair:
        pacer.wait()
    told = clock.now
    pair[0].slow_down(seconds, None)
    for pacer in pair:
        before = clock.now
        pacer.wait()
        # The other process may hold a few calls that it booked before.
        assert clock.now >= told + seconds - 1e-6 or (pacer is pair[1] and per_minute == 6000), before
    assert clock.now >= told + seconds - 1e-6


def test_a_call_that_was_booked_before_a_429_waits_it_out_too():
    clock = Clock()
    pacer = pacer_on(clock)
    waits = []

    def pause(seconds):
        waits.append(seconds)
        clock.now += seconds
        if len(waits) == 1:
            pacer.slow_down(37.0, None)

    while not waits:
        pacer.wait(pause=pause)
    assert len(waits) == 2
    assert waits[1] >= 37.0


def test_calls_booked_together_wait_for_the_first_of_them():
    clock = Clock()
    pacer = pacer_on(clock, 6000)
    pacer.slow_down(30.0, None)
    pauses = []
    for _ in range(5):
        pacer.wait(pause=pauses.append)  # the clock stands still: each is a thread of its own
    assert min(pauses) >= 30.0
    assert len(pauses) == 5


@pytest.mark.parametrize(("named", "kept"), [(20, 20), (600, 60), (None, 60)])
def test_a_lower_limit_that_the_server_names_is_kept(named, kept):
    clock = Clock()
    pacer = pacer_on(clock)
    pacer.slow_down(1.0, named)
    assert pacer.per_minute == kept


def test_a_stop_ends_the_wait():
    class StopIt(Exception):
        pass

    def stop(_):
        raise StopIt

    clock = Clock()
    pacer = pacer_on(clock, 1)
    pacer.wait()
    with pytest.raises(StopIt):
        pacer.wait(pause=stop)
