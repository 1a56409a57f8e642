"""The one path: read, map, fill chunks, send, record what was accepted, move the cursor behind it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress

from connectors.base import ConnectorError
from state.values import Entry, Step
from sync.chunks import Chunk
from sync.due import FETCHED, Due, due_pages
from sync.flight import Flight
from sync.intake import Intake, Known, in_doubt, misfit, take_in
from sync.job import Job
from sync.maps.problem import MapUnfit
from sync.record import Recorder
from sync.stop import Stopped

_LOOK = 0.2
"""Seconds between looks at the stop flag while every place is taken."""
GRACE = 5.0
"""Seconds that calls in flight have to end once the run stops."""


def deliver(job: Job) -> bool:
    """Bring everything that is due to memory; returns whether all of it was read (False: a limit was reached).

    Raises what stopped it, after everything that was accepted is recorded.
    """
    recorder, flight = Recorder(job), Flight(job.in_flight)
    try:
        try:
            with closing(due_pages(job)) as pages:
                whole = _read(job, pages, recorder, flight)
        except ConnectorError:
            # What was read before is sound; a source that fails every time would otherwise never get on.
            _finish(job, recorder, flight)
            raise
        _finish(job, recorder, flight)
    except BaseException:
        _give_up(job, recorder, flight)
        raise
    finally:
        flight.close()
    return whole


def _read(job: Job, pages: Iterable[Due], recorder: Recorder, flight: Flight) -> bool:
    """Take the pages in, sending on the way; returns whether none was cut short by a limit."""
    again: dict[str, bytes] = {}
    for number, page, made in pages:
        intake = take_in(made, number, _with(again, job.ledger.fingerprints), _aloft(job, recorder), resend=job.resend)
        del made  # what is to be sent is in the intake; the rest need not wait for the next page
        if number == FETCHED:  # they may lie in a page of this run as well
            again |= {row.key: row.fingerprint for row in intake.rows}
        unfit = misfit(intake, proven=job.proven)
        if unfit is not None and number != FETCHED:  # rows that failed before say nothing about the map
            raise MapUnfit(unfit)
        intake = job.allowance.cut(intake, job.ledger.rejected)
        recorder.enter(number, page, intake)
        _send(job, intake, recorder, flight)
        if number == FETCHED:  # what failed together is not filled up with others
            _launch(job, job.chunker.flush(), recorder, flight)
        recorder.record(flight.landed())
        job.glance()
        if intake.cut:
            return False
    return True


def _with(again: Mapping[str, bytes], known: Known) -> Known:
    """The fingerprints, those of rows that this run sent again included."""
    if not again:
        return known
    return lambda keys: {**known(keys), **{key: again[key] for key in keys if key in again}}


def _aloft(job: Job, recorder: Recorder) -> Known:
    """What knows the fingerprints of rows on their way, the latest one of each."""
    ways = [chunk.fingerprints for chunk in recorder.on_the_way()]
    ways.append({row[0]: row[3] for row in job.chunker.waiting})

    def aloft(keys: Sequence[str]) -> Mapping[str, bytes]:
        wanted = set(keys)
        return {key: way[key] for way in ways for key in wanted & way.keys()}

    return aloft


def _finish(job: Job, recorder: Recorder, flight: Flight) -> None:
    """Send what is left, and wait for everything in flight."""
    _launch(job, job.chunker.flush(), recorder, flight)
    while flight.count:
        _wait(job, recorder, flight)
    recorder.record(last=True)


def _send(job: Job, intake: Intake, recorder: Recorder, flight: Flight) -> None:
    for chunk in job.chunker.fill(intake.rows):
        _launch(job, chunk, recorder, flight)


def _launch(job: Job, chunk: Chunk | None, recorder: Recorder, flight: Flight) -> None:
    """Send a chunk as soon as there is a place and no chunk in flight holds one of its identities or keys."""
    if chunk is None:
        return
    marks = frozenset([*chunk.identities, *chunk.fingerprints])
    while not flight.has_place(marks):
        _wait(job, recorder, flight)
    _doubt(job, chunk)
    outcome = recorder.expect(chunk)
    flight.launch(chunk, lambda: job.writer.send(chunk.rows, outcome), marks)


def _doubt(job: Job, chunk: Chunk) -> None:
    """Until a new version of a row is accepted, none counts as delivered: the server may have it already."""
    changing = [
        Entry(row.key, in_doubt(row.before, row.fingerprint), "") for row in chunk.rows if row.before is not None
    ]
    if changing:
        job.ledger.apply(Step(doubted=changing))


def _wait(job: Job, recorder: Recorder, flight: Flight) -> None:
    if job.stop.is_set:
        raise Stopped
    recorder.record(flight.landed(_LOOK))
    job.glance()


def _give_up(job: Job, recorder: Recorder, flight: Flight) -> None:
    """Let calls in flight end, for a short while, and record what they brought."""
    job.stop.set()
    end = time.monotonic() + GRACE
    while flight.count and time.monotonic() < end:
        with suppress(Exception):  # the first problem is the one that is told
            recorder.record(flight.landed(_LOOK))
    with suppress(Exception):
        recorder.record(recorder.unfinished())
