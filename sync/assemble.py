"""What one run of one stream works with, put together: the delivery, and the follower of its events."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from connectors.base import Connector
from state.values import Position
from sync.aside import Aside
from sync.chunks import Chunker
from sync.destination import envelope_for
from sync.follow import Follower
from sync.guards import Allowance
from sync.job import Job, Ledger, Writer
from sync.maps.compile import CompiledMap
from sync.maps.model import PropertyMap
from sync.memory.writer import BatchWriter
from sync.positions import Start
from sync.preview import PreviewWriter
from sync.rekey import Rekeying, RekeyingWriter, key_property
from sync.request import Request, Surroundings
from sync.summary import Summary


@dataclass(frozen=True, slots=True)
class Plan:
    """One run of one stream, decided but not begun."""

    property_map: PropertyMap
    request: Request
    around: Surroundings
    summary: Summary
    state: Ledger
    compiled: CompiledMap
    now: Position
    start: Start
    hash_identity: Callable[[str], str]


def job_of(plan: Plan, connector: Connector, allowance: Allowance, glance: Callable[[], None]) -> Job:
    """The delivery of what is due."""
    around, request, wanted = plan.around, plan.request, plan.property_map.destination
    destination, pacer = around.destination, around.pacer
    envelope = envelope_for(plan.property_map, plan.compiled, destination, around.collections, dry_run=request.dry_run)
    writer: Writer
    if request.dry_run:
        writer = PreviewWriter(destination.client, envelope, pacer, around.stop.pause, plan.compiled.text_names)
    else:
        writer = BatchWriter(destination.client, envelope, pacer, around.stop.pause)
    if wanted.on_identity_change == "rekey":
        name = key_property(plan.property_map, connector.check())
        if not request.dry_run:
            compiled = plan.compiled
            of, kind = compiled.entity_type, compiled.identity
            calls = Rekeying(destination.client, pacer, around.stop.pause, of, kind, name)
            writer = RekeyingWriter(writer, calls, plan.state.holders)
    return Job(
        stream=plan.property_map.stream,
        purpose=plan.start.purpose,
        connector=connector,
        since=None if plan.start.since is None else dict(plan.start.since),
        until=request.until,
        make_row=plan.compiled.row,
        row_of=plan.compiled.row_of,
        chunker=Chunker(pacer.rows_per_call(wanted.rows_per_call), envelope.room),
        writer=writer,
        ledger=plan.state,
        position=plan.now,
        summary=plan.summary,
        stop=around.stop,
        in_flight=around.settings.memsync_in_flight,
        hash_identity=plan.hash_identity,
        resend=request.resend,
        proven=not plan.start.note and plan.state.has_fingerprints(),
        allowance=allowance,
        shard=request.shard,
        fetch_keys=request.keys,
        progress=around.progress,
        glance=glance,
    )


def identity_hasher(salt: bytes) -> Callable[[str], str]:
    """Turns identities into marks that say nothing to others: enough to match the server's item errors to keys."""
    fresh = hashlib.blake2b(key=salt, digest_size=8)

    def hashed(identity: str) -> str:
        keyed = fresh.copy()
        keyed.update(identity.encode())
        return keyed.hexdigest()

    return hashed


def follower_of(plan: Plan) -> Follower:
    """What settles the stream's accepted chunks."""
    return follower_for(plan.around, plan.state, plan.hash_identity, plan.summary)


def follower_for(
    around: Surroundings, state: Ledger, hash_identity: Callable[[str], str], summary: Summary
) -> Follower:
    """The same where nothing is to be delivered."""
    return Follower(
        ledger=state,
        ask=around.destination.client.event,
        pacer=around.pacer,
        stop=around.stop,
        clock=time.time,
        hash_identity=hash_identity,
        summary=summary,
        progress=around.progress,
    )


def aside_of(plan: Plan, follower: Follower) -> Aside:
    """What asks for events while rows are still to be sent."""
    around = plan.around
    return Aside(follower, plan.state.due_event, lambda: around.destination.client.calls, around.stop)
