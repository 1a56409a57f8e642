"""All streams at a glance, in a handful of queries however many there are; no keys, no contents."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Select, func, select

from state import leases
from state.tables import chunks, positions, redeliveries, rejects, runs, streams, watch
from state.values import StoredRun

ORDINARY = "run"
"""The command of the runs that are looked at: a backfill says nothing of how fresh a stream is."""
ALL_MAPS = "property maps"
"""The name under which it is remembered what was told of the maps as a whole; no stream is called so."""
SUCCEEDED = ("ok", "rejects")
"""How runs end that read everything that was due."""


@dataclass(frozen=True, slots=True)
class StreamState:
    """One stream as the store knows it. Times are seconds since 1970."""

    stream: str
    runs: Sequence[StoredRun] = ()
    """Newest first; one that never ended and holds no lease any more was killed."""
    success_started: float | None = None
    """The start of the last run that read everything: all that changed before is in memory, or filed."""
    success_ended: float | None = None
    moved: float | None = None
    """The last move of its position, be it of what changed or of a full reading."""
    accepted: float | None = None
    """When the newest chunk that waits for its event was accepted."""
    rejects: Mapping[str, int] = field(default_factory=dict)
    """Rows that could not be delivered, by reason."""
    due_again: int = 0
    unsettled_events: int = 0
    unsettled_rows: int = 0
    oldest_unsettled: float | None = None
    since: float | None = None
    """When a scheduler first had it."""

    @property
    def running(self) -> StoredRun | None:
        """The run under way."""
        return (
            self.runs[0] if self.runs and self.runs[0].finished_at is None and self.runs[0].status != "killed" else None
        )


def states(
    connection: Connection, purposes: Collection[str], newest: int, now: leases.Moment
) -> dict[str, StreamState]:
    """Every stream by name, each with its newest runs."""
    facts: dict[str, dict[str, Any]] = {}
    for source in (_known(), _successes(), _moves(purposes), _waiting(), _due_again(), _watched()):
        for row in connection.execute(source):
            found = dict(row._mapping)
            facts.setdefault(found.pop("stream"), {}).update(found)
    for stream, code, rows in connection.execute(_reasons()):
        facts.setdefault(stream, {}).setdefault("rejects", {})[code] = rows
    for row in connection.execute(_newest_runs(newest)):
        run = StoredRun(**{**row._mapping, "summary": json.loads(row.summary)})
        facts.setdefault(run.stream, {}).setdefault("runs", []).append(run)
    found_all = {stream: StreamState(stream, **facts[stream]) for stream in sorted(facts)}
    return {stream: _with_killed(connection, state, now) for stream, state in found_all.items()}


def _with_killed(connection: Connection, state: StreamState, now: leases.Moment) -> StreamState:
    if state.running is None or leases.is_held(connection, state.stream, now):
        return state
    return replace(state, runs=[replace(state.runs[0], status="killed"), *state.runs[1:]])


def reject_reasons(connection: Connection, stream: str) -> dict[str, int]:
    """How many rejects one stream has, by reason."""
    return {code: rows for _, code, rows in connection.execute(_reasons().where(rejects.c.stream == stream))}


def _known() -> Select[Any]:
    return select(streams.c.stream)


def _successes() -> Select[Any]:
    well = (runs.c.command == ORDINARY) & runs.c.status.in_(SUCCEEDED)
    started, ended = func.max(runs.c.started_at), func.max(runs.c.finished_at)
    columns = (runs.c.stream, started.label("success_started"), ended.label("success_ended"))
    return select(*columns).where(well).group_by(runs.c.stream)


def _moves(purposes: Collection[str]) -> Select[Any]:
    moved = func.max(positions.c.updated_at).label("moved")
    return select(positions.c.stream, moved).where(positions.c.purpose.in_(purposes)).group_by(positions.c.stream)


def _waiting() -> Select[Any]:
    columns = (
        func.count().label("unsettled_events"),
        func.sum(chunks.c.rows).label("unsettled_rows"),
        func.min(chunks.c.accepted_at).label("oldest_unsettled"),
        func.max(chunks.c.accepted_at).label("accepted"),
    )
    return select(chunks.c.stream, *columns).group_by(chunks.c.stream)


def _due_again() -> Select[Any]:
    counted = select(redeliveries.c.stream, func.count().label("due_again"))
    return counted.where(redeliveries.c.due).group_by(redeliveries.c.stream)


def _watched() -> Select[Any]:
    return select(watch.c.stream, watch.c.since).where(watch.c.stream != ALL_MAPS)


def _reasons() -> Select[Any]:
    return select(rejects.c.stream, rejects.c.code, func.count()).group_by(rejects.c.stream, rejects.c.code)


def _newest_runs(newest: int) -> Select[Any]:
    place = func.row_number().over(partition_by=runs.c.stream, order_by=runs.c.id.desc()).label("place")
    ranked = select(runs.c.id, place).where(runs.c.command == ORDINARY).subquery()
    chosen = select(runs).join(ranked, runs.c.id == ranked.c.id).where(ranked.c.place <= newest)
    return chosen.order_by(runs.c.stream, runs.c.id.desc())
