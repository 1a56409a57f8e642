"""Calls in flight, reading ahead, and stopping: threads that neither hang nor leak."""

import signal
import threading
import time

import pytest

from connectors.base import Page
from sync.flight import Flight
from sync.read_ahead import read_ahead
from sync.stop import Stop, Stopped


def land(flight):
    found = []
    while flight.count:
        found += [landed.result for landed in flight.landed(0.5)]
    return found


def test_so_many_tasks_are_really_aloft_at_once():
    flight, together = Flight(4), threading.Barrier(4, timeout=3)
    for number in range(4):
        assert flight.has_place()
        flight.launch(number, together.wait)
    assert not flight.has_place()
    assert sorted(land(flight)) == [0, 1, 2, 3]
    flight.close()


def test_tasks_that_share_a_mark_are_never_aloft_together_while_others_go_on():
    flight, gate = Flight(4), threading.Event()
    flight.launch("slow", lambda: gate.wait(3), {"a@x", "b@x"})
    assert not flight.has_place({"c@x", "b@x"})
    assert flight.has_place({"c@x"})
    flight.launch("quick", lambda: "done", {"c@x"})
    assert [landed.subject for landed in flight.landed(2)] == ["quick"]
    gate.set()
    assert land(flight) == [True]
    assert flight.has_place({"b@x"})
    flight.close()


def test_a_task_that_fails_after_all_is_told_and_not_waited_for():
    flight = Flight(2)

    def fail():
        raise SystemExit(3)

    flight.launch("x", fail)
    with pytest.raises(SystemExit):
        land(flight)
    assert flight.count == 0
    flight.close()


def test_the_threads_end():
    flight = Flight(3)
    for number in range(3):
        flight.launch(number, lambda: None)
    land(flight)
    flight.close()
    wait_for(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("send-")])


def wait_for(condition):
    end = time.monotonic() + 3
    while not condition():
        assert time.monotonic() < end, "still not"
        time.sleep(0.01)


# -- stopping


def test_a_pause_ends_at_once_for_everybody_who_waits():
    stop, ended = Stop(), []

    def wait():
        with pytest.raises(Stopped):
            stop.pause(60)
        ended.append(time.monotonic())

    waiting = [threading.Thread(target=wait) for _ in range(5)]
    for thread in waiting:
        thread.start()
    time.sleep(0.05)
    began = time.monotonic()
    stop.set(signal.SIGTERM)
    for thread in waiting:
        thread.join(timeout=3)
    assert len(ended) == 5
    assert max(ended) - began < 1


def test_a_pause_without_a_stop_lasts_as_long_as_asked():
    began = time.monotonic()
    Stop().pause(0.05)
    Stop().pause(0)
    Stop().pause(-1)
    assert 0.05 <= time.monotonic() - began < 0.5


def test_a_pause_after_a_stop_does_not_begin():
    stop = Stop()
    stop.set()
    for _ in range(3):
        with pytest.raises(Stopped):
            stop.pause(0)


def test_a_signal_handler_may_set_a_stop_whatever_it_interrupts():
    stop = Stop()
    before = signal.signal(signal.SIGALRM, lambda number, _: stop.set(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Stopped):
            stop.pause(10)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert stop.signal == signal.SIGALRM


def test_a_part_stops_with_the_whole_and_the_whole_not_with_a_part():
    whole = Stop()
    part, other = whole.part(), whole.part()
    part.set()
    assert (part.is_set, other.is_set, whole.is_set) == (True, False, False)
    whole.set(15)
    assert other.is_set
    assert whole.part().is_set


def test_the_first_signal_is_remembered():
    stop = Stop()
    part = stop.part()
    stop.set(15)
    part.set()
    assert (stop.signal, part.signal) == (15, 15)


def test_parts_that_nobody_holds_are_forgotten():
    stop = Stop()
    for _ in range(100):
        stop.part()
    assert len(stop._parts) < 3


# -- reading ahead


def pages(count, before=lambda number: None):
    for number in range(count):
        before(number)
        yield Page([], {"at": number})


def readers():
    return [thread for thread in threading.enumerate() if thread.name == "read"]


def test_pages_come_in_order_and_one_is_ahead():
    taken = []
    read = []
    for page in read_ahead(pages(6, read.append), Stop()):
        time.sleep(0.01)
        assert len(read) - len(taken) <= 2  # the one at hand, and the one ahead
        taken.append(page.cursor["at"])
    assert taken == list(range(6))
    wait_for(lambda: not readers())


def test_an_error_of_the_source_comes_after_the_pages_before_it():
    def fail(number):
        if number == 2:
            raise ValueError("page 2")

    taken = []
    with pytest.raises(ValueError, match="page 2"):
        taken.extend(page.cursor["at"] for page in read_ahead(pages(5, fail), Stop()))
    wait_for(lambda: not readers())


def test_a_stop_ends_a_reading_that_hangs():
    stop, gate = Stop(), threading.Event()

    def hang(number):
        if number == 1:
            gate.wait(5)

    reading = read_ahead(pages(3, hang), stop)
    next(reading)
    threading.Timer(0.05, stop.set).start()
    began = time.monotonic()
    threading.Timer(0.4, gate.set).start()
    with pytest.raises(Stopped):
        next(reading)
    assert time.monotonic() - began < 2.5
    wait_for(lambda: not readers())


def test_a_reading_that_is_given_up_closes_the_source():
    closed = threading.Event()

    def source():
        try:
            yield from pages(100)
        finally:
            closed.set()

    reading = read_ahead(source(), Stop())
    next(reading)
    reading.close()
    assert closed.wait(2)
    wait_for(lambda: not readers())
