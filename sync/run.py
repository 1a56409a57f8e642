"""One run of one stream: what it works with is put together here, modes are chosen here, errors end here."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import import_module
from typing import Any

from connectors.base import Connector
from state.errors import StateError
from state.store import Store
from state.values import Position
from sync import exits
from sync.chunks import Chunker
from sync.deliver import deliver
from sync.destination import Destination, envelope_for
from sync.follow import Follower
from sync.hold import HeldState, hold
from sync.job import Job, Ledger, Writer
from sync.maps.compile import CompiledMap, compile_map
from sync.maps.model import PropertyMap
from sync.memory.collections import Collection
from sync.memory.pace import Pacer
from sync.memory.writer import BatchWriter
from sync.positions import FULL, INCREMENTAL, Start, backfill_start, check_destination, origin_of, start_of
from sync.preview import PreviewState, PreviewWriter
from sync.settings import Settings
from sync.stop import Stop
from sync.summary import Summary


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for on the command line."""

    command: str = "run"
    dry_run: bool = False
    full: bool = False
    resend: bool = False
    limit: int | None = None
    wait: float = 120.0
    """Seconds for which events are followed."""
    since: datetime | None = None
    until: datetime | None = None
    keys: Sequence[str] | None = None
    """Only these records, read by key."""

    @property
    def again(self) -> str:
        """What goes on where this was stopped."""
        return "the same command" if self.full or self.command != "run" else "the next run"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all streams of one command share."""

    settings: Settings
    store: Store | None
    """None in a dry run without a store."""
    destination: Destination
    collections: list[Collection]
    pacer: Pacer
    stop: Stop
    progress: Callable[[Summary], None] = lambda _: None
    counted: bool = False
    """Whether to ask sources how many rows are due, for the progress shown to a person."""
    debug: bool = False


def open_source(
    property_map: PropertyMap,
    since: datetime | None,
    fields: Sequence[str] | None,
    pause: Callable[[float], None] = time.sleep,
) -> Connector:
    """Open the connector of a map; raises ConnectorError, VariablesInvalid."""
    source = property_map.source
    module: Any = import_module(f"connectors.{source.connector}")
    variables = module.Variables.load(source.connection)
    if since is not None:
        source = source.model_copy(update={"start": since})
    connector: Connector = module.connect(source, variables, fields, pause)
    return connector


def run_stream(property_map: PropertyMap, request: Request, around: Surroundings) -> Summary:
    """Run one stream to its end. Never raises, but for faults of memsync under --debug: the summary tells all."""
    summary = Summary(property_map.stream)
    meter = _Meter(around.destination)
    try:
        _run(property_map, request, replace(around, stop=around.stop.part()), summary, meter)
        _conclude(summary)
    except Exception as error:
        if around.debug and not isinstance(error, exits.KNOWN_ERRORS):
            raise
        _fail(summary, error, around.stop.signal, request.again)
    meter.read_off(summary)
    return summary


class _Meter:
    """What a run took: time, and calls to the destination."""

    def __init__(self, destination: Destination) -> None:
        self._client = destination.client
        self._began, self._calls = time.monotonic(), destination.client.calls

    def read_off(self, summary: Summary) -> None:
        summary.calls = self._client.calls - self._calls
        summary.seconds = round(time.monotonic() - self._began, 3)


_STATUSES = {exits.QUOTA: "quota", exits.HELD: "held", exits.INTERRUPTED: "stopped", exits.TERMINATED: "stopped"}


def _fail(summary: Summary, error: Exception, signal: int | None, again: str) -> None:
    """Enter why a run ended early; what was read but not handed over will be read again."""
    summary.exit = exits.exit_of(error, signal)
    summary.status = _STATUSES.get(summary.exit, "failed")
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
    with hold(store, stream, around.stop) as lease:
        number = store.start_run(lease, request.command)
        try:
            _deliver(property_map, request, around, summary, HeldState(store, lease), store.salt(stream) or b"")
            _conclude(summary)
        except Exception as error:
            _fail(summary, error, around.stop.signal, request.again)
            raise
        finally:
            meter.read_off(summary)
            with suppress(StateError):  # the error that ended the run is the one to tell
                store.finish_run(lease, number, summary.status, summary.as_dict())


@dataclass(frozen=True, slots=True)
class _Plan:
    """One run of one stream, decided but not begun."""

    property_map: PropertyMap
    request: Request
    around: Surroundings
    summary: Summary
    state: Ledger
    compiled: CompiledMap
    now: Position
    start: Start
    salt: bytes


def _deliver(
    property_map: PropertyMap, request: Request, around: Surroundings, summary: Summary, state: Ledger, salt: bytes
) -> None:
    """Read, send, move the position, follow the events."""
    compiled = compile_map(property_map, salt)
    origin = origin_of(property_map.source)
    now = Position(None, complete=False, map_hash=compiled.map_hash, origin=origin, destination=around.destination.name)
    start = _start(property_map.stream, request, around.store, now)
    summary.notes += [start.note] if start.note else []
    summary.cursor_from = start.since
    plan = _Plan(property_map, request, around, summary, state, compiled, now, start, salt)
    if start.purpose == FULL and request.keys is None:
        state.begin(FULL, replace(now, cursor=start.since), afresh=start.moved)
    connector = open_source(property_map, request.since, compiled.source_fields, around.stop.pause)
    try:
        job = _job(plan, connector)
        if around.counted and request.keys is None:
            summary.due = connector.count(job.since)
        whole = deliver(job)
    finally:
        connector.close()
    if not whole:
        summary.notes.append(f"stopped at --limit {request.limit}; {request.again} goes on behind it")
    elif request.keys is None:
        state.conclude(start.purpose, replace(now, cursor=summary.cursor_to or start.since, complete=True))
    if isinstance(job.writer, PreviewWriter):
        summary.estimate = job.writer.estimate(property_map.destination.tier, around.pacer)
        summary.accepted = 0  # the server was shown one chunk and took none
    _follow(plan, job)


def _start(stream: str, request: Request, store: Store | None, now: Position) -> Start:
    if store is None:
        return Start(INCREMENTAL, None)
    check_destination(store.destination(stream), now)
    if request.command == "backfill":
        purpose = f"backfill {request.since or ''}..{request.until or ''}"
        return backfill_start(purpose, now, store.position(stream, purpose))
    return start_of(now, store.position(stream, INCREMENTAL), store.position(stream, FULL), full=request.full)


def _job(plan: _Plan, connector: Connector) -> Job:
    around, request, wanted = plan.around, plan.request, plan.property_map.destination
    destination, pacer = around.destination, around.pacer
    envelope = envelope_for(plan.property_map, plan.compiled, destination, around.collections, dry_run=request.dry_run)
    writer: Writer
    if request.dry_run:
        writer = PreviewWriter(destination.client, envelope, pacer)
    else:
        writer = BatchWriter(destination.client, envelope, pacer, around.stop.pause)
    return Job(
        stream=plan.property_map.stream,
        purpose=plan.start.purpose,
        connector=connector,
        since=None if plan.start.since is None else dict(plan.start.since),
        until=request.until,
        make_row=plan.compiled.row,
        chunker=Chunker(pacer.rows_per_call(wanted.rows_per_call), envelope.room),
        writer=writer,
        ledger=plan.state,
        position=plan.now,
        summary=plan.summary,
        stop=around.stop,
        in_flight=around.settings.memsync_in_flight,
        hash_identity=identity_hasher(plan.salt),
        resend=request.resend,
        limit=request.limit,
        fetch_keys=request.keys,
        progress=around.progress,
    )


def identity_hasher(salt: bytes) -> Callable[[str], str]:
    """Turns identities into marks that say nothing to others: enough to match the server's item errors to keys."""
    fresh = hashlib.blake2b(key=salt, digest_size=8)

    def hashed(identity: str) -> str:
        keyed = fresh.copy()
        keyed.update(identity.encode())
        return keyed.hexdigest()

    return hashed


def _follow(plan: _Plan, job: Job) -> None:
    around = plan.around
    Follower(
        ledger=plan.state,
        ask=around.destination.client.event,
        pacer=around.pacer,
        stop=around.stop,
        clock=time.time,
        hash_identity=job.hash_identity,
        summary=plan.summary,
        progress=around.progress,
    ).follow(plan.request.wait)
