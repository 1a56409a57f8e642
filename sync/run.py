"""One run of one stream: where it starts, what it does, and how it ends; errors end here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from functools import cache
from typing import Any

from connectors.base import Connector
from state.errors import StateError
from state.store import Store
from state.values import PART, Position
from sync import exits
from sync.assemble import Plan, aside_of, follower_of, identity_hasher, job_of
from sync.costs import estimate
from sync.deliver import deliver
from sync.destination import Destination, answer_of
from sync.guards import BUDGET, BudgetSpent, max_calls
from sync.hold import HeldState, hold
from sync.job import Job, Ledger
from sync.maps.compile import compile_map
from sync.maps.model import PropertyMap
from sync.memory.errors import CallsSpent
from sync.positions import FULL, INCREMENTAL, Start, backfill_start, check_destination, origin_of, start_of
from sync.preview import PreviewState, PreviewWriter
from sync.request import Request, Surroundings, open_source
from sync.shapes import note_drift
from sync.spending import allowance_of, calls_left, rate_of, say_what_would_stop
from sync.summary import Summary


def run_stream(property_map: PropertyMap, request: Request, around: Surroundings) -> Summary:
    """Run one stream to its end. Never raises, but for faults of memsync under --debug: the summary tells all."""
    summary = Summary(property_map.stream)
    meter = _Meter(around.destination, max_calls(request.asked, property_map.limits))
    try:
        _run(property_map, request, replace(around, stop=around.stop.part()), summary, meter)
        _conclude(summary)
    except Exception as error:
        if around.debug and not isinstance(error, exits.KNOWN_ERRORS):
            raise
        _fail(summary, error, around.stop.signal, request.again)
    meter.read_off(summary)
    if summary.identity_changed and property_map.destination.on_identity_change != "rekey":
        records = "1 record" if summary.identity_changed == 1 else f"{summary.identity_changed:,} records"
        summary.note(
            f"{records} with another identity than when delivered before: memory keeps what it had under the old one "
            "(--json names the keys; see onIdentityChange in docs/property-maps.md)"
        )
    return summary


class _Meter:
    """What a run took: time, and calls to the destination."""

    def __init__(self, destination: Destination, most: int | None) -> None:
        self._client = destination.client
        self._began, self._calls = time.monotonic(), destination.client.calls
        self._client.most = None if most is None else self._calls + most

    def read_off(self, summary: Summary) -> None:
        summary.calls = self._client.calls - self._calls
        summary.seconds = round(time.monotonic() - self._began, 3)


_STATUSES = {exits.QUOTA: "quota", exits.HELD: "held", exits.INTERRUPTED: "stopped", exits.TERMINATED: "stopped"}


def _fail(summary: Summary, error: Exception, signal: int | None, again: str) -> None:
    """Enter why a run ended early; what was read but not handed over will be read again."""
    summary.exit = exits.exit_of(error, signal)
    summary.status = _STATUSES.get(summary.exit, "failed")
    if isinstance(error, BudgetSpent | CallsSpent):
        summary.status = error.status if isinstance(error, BudgetSpent) else BUDGET
    summary.message = str(error) or f"stopped; {again} goes on from here"
    if summary.exit == exits.UNEXPECTED:
        # Nobody knows what such a message holds, so it stays out: it may be a piece of a record.
        summary.message = f"unexpected {type(error).__name__}; run again with --debug to see where"
    summary.left_over(again)


def _conclude(summary: Summary) -> None:
    summary.exit = exits.REJECTS if summary.rejected or summary.failed else exits.OK
    summary.status = "rejects" if summary.exit else "ok"


def _run(property_map: PropertyMap, request: Request, around: Surroundings, summary: Summary, meter: _Meter) -> None:
    """Run under the stream's lease and keep the history; a dry run needs neither."""
    store, stream = around.store, property_map.stream
    if request.dry_run or store is None:
        salt = store.salt(stream) if store else None
        _deliver(property_map, request, around, summary, PreviewState(store, stream), salt or b"dry run")
        return
    shard = request.shard
    with hold(store, stream, around.stop, part=f"{PART}{shard}" if shard else "") as lease:
        number = store.start_run(lease, request.command + (f" --shard {shard}" if shard else ""))

        def so_far() -> tuple[int, Mapping[str, Any]]:
            meter.read_off(summary)
            return number, summary.so_far()

        try:
            state = HeldState(store, lease, so_far)
            _deliver(property_map, request, around, summary, state, store.salt(stream) or b"")
            _conclude(summary)
        except Exception as error:
            _fail(summary, error, around.stop.signal, request.again)
            raise
        finally:
            meter.read_off(summary)
            with suppress(StateError):  # the error that ended the run is the one to tell
                store.finish_run(lease, number, summary.status, summary.as_dict())


def _deliver(
    property_map: PropertyMap, request: Request, around: Surroundings, summary: Summary, state: Ledger, salt: bytes
) -> None:
    """Read, send, move the position; follow the events meanwhile and afterwards."""
    plan = _plan(property_map, request, around, summary, state, salt)
    follower = follower_of(plan)
    with closing(aside_of(plan, follower)) as aside:
        spent = _send_what_is_due(plan, aside.glance)
        aside.end()
    follower.follow(request.wait)
    if spent is not None:
        raise spent


def _plan(
    property_map: PropertyMap, request: Request, around: Surroundings, summary: Summary, state: Ledger, salt: bytes
) -> Plan:
    compiled = compile_map(property_map, salt)
    origin = origin_of(property_map.source)
    now = Position(None, complete=False, map_hash=compiled.map_hash, origin=origin, destination=around.destination.name)
    start = _start(property_map.stream, request, around.store, now)
    summary.notes += [start.note] if start.note else []
    summary.cursor_from = start.since
    return Plan(property_map, request, around, summary, state, compiled, now, start, identity_hasher(salt))


def _send_what_is_due(plan: Plan, glance: Callable[[], None]) -> BudgetSpent | None:
    """Returns what ended the run before everything was read, when that was a limit or a guard."""
    request, around, summary, start = plan.request, plan.around, plan.summary, plan.start
    fields = plan.compiled.source_fields
    with closing(open_source(plan.property_map, request.since, fields, around.stop.pause)) as connector:
        note_drift(plan, connector)
        due = cache(lambda: _due(plan, connector))
        allowance = allowance_of(plan, due)
        job = job_of(plan, connector, allowance, glance)
        if around.counted and request.keys is None:
            summary.due = due()
        if start.purpose == FULL and request.keys is None:
            plan.state.begin(FULL, replace(plan.now, cursor=start.since), afresh=start.moved)
        whole = deliver(job)
    return _end(plan, job, whole=whole)


def _due(plan: Plan, connector: Connector) -> int | None:
    """About how many records there are to read; a source that hangs does not keep a stop waiting."""
    since = None if plan.start.since is None else dict(plan.start.since)
    due = answer_of(lambda: connector.count(since), plan.around.stop.pause)
    shard = plan.request.shard
    return due if due is None or shard is None else due // shard.count


def _end(plan: Plan, job: Job, *, whole: bool) -> BudgetSpent | None:
    """Enter how far the reading came, and what ended it."""
    request, summary, start, spent = plan.request, plan.summary, plan.start, job.allowance.reached
    summary.complete = whole and request.keys is None
    summary.agreed = summary.agreed or job.allowance.agreed
    for remark in job.writer.remarks:
        summary.note(remark)
    if spent is not None and not spent.status:
        summary.note(spent.why + ("" if request.resend else f"; {request.again} goes on behind it"))
    elif whole and request.keys is None:
        cursor = summary.cursor_to or start.since
        plan.state.conclude(start.purpose, replace(plan.now, cursor=cursor, complete=True))
    if isinstance(job.writer, PreviewWriter):
        _foretell(plan, job.writer)
    return BudgetSpent(spent.why, spent.status) if spent is not None and spent.status else None


def _foretell(plan: Plan, writer: PreviewWriter) -> None:
    """Enter what a dry run found out about the real one."""
    summary, around = plan.summary, plan.around
    in_flight = around.settings.memsync_in_flight
    if plan.property_map.destination.on_identity_change == "rekey":
        writer.work.rekeyed = summary.identity_changed
    summary.estimate = estimate(writer.work, rate_of(plan), around.pacer, in_flight, calls_left(plan))
    say_what_would_stop(plan, writer)
    summary.accepted = 0  # the server was shown one chunk and took none


def _start(stream: str, request: Request, store: Store | None, now: Position) -> Start:
    if store is None:
        return Start(INCREMENTAL, None)
    check_destination(store.destination(stream), now)
    if request.command == "backfill":
        purpose = f"backfill {request.since or ''}..{request.until or ''}" + (
            f" {request.shard}" if request.shard else ""
        )
        return backfill_start(purpose, now, store.position(stream, purpose))
    return start_of(now, store.position(stream, INCREMENTAL), store.position(stream, FULL), full=request.full)
