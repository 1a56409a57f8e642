"""Whether a stream succeeded lately enough, measured against its own schedule."""

from __future__ import annotations

from datetime import UTC, datetime

from state.overview import StreamState
from state.values import StoredRun
from sync.guards import BUDGET, UNCONFIRMED
from sync.maps.delivery import Schedule
from sync.serve.timing import StreamTrigger
from sync.spans import span

NEVER = "has never succeeded"
FAILED = ("failed", "quota", UNCONFIRMED)
"""How runs end that a person has to look at."""


def complaint(state: StreamState, schedule: Schedule | None, age: float, now: float, later: float = 0.0) -> str | None:
    """Why a stream is not fresh; None when it is.

    It is fresh when it succeeded within `age` seconds, when it was not due for longer than that, or when a run of it
    gets on, be it in pieces: the first reading of a large source under a limit takes several runs. Without a
    schedule, only the age counts.
    """
    success, running = state.success_ended, state.running
    if success is not None and now - success <= age:
        return None
    if running is not None and now - _got_on(state, running) <= age:
        return None
    if success is None and _went_on(state, now, age):
        return None
    begun = state.success_started if state.success_started is not None else state.since
    if success is None and state.runs and state.runs[0].status in FAILED:
        return _told(state, now)  # nothing ever worked, so there is nothing to wait for
    if schedule is not None and begun is not None and now - _due_after(schedule, begun) - later <= age:
        return None
    return _told(state, now)


def _went_on(state: StreamState, now: float, age: float) -> bool:
    """Whether its last run did all that it was allowed to, lately; the next one goes on."""
    last = state.runs[0] if state.runs else None
    return last is not None and last.status == BUDGET and now - (last.finished_at or last.started_at) <= age


def _due_after(schedule: Schedule, begun: float) -> float:
    return StreamTrigger(schedule).after(datetime.fromtimestamp(begun, UTC)).timestamp()


def _got_on(state: StreamState, running: StoredRun) -> float:
    """When the run under way last did something that counts."""
    return max(running.started_at, state.moved or 0.0, state.accepted or 0.0)


def _told(state: StreamState, now: float) -> str:
    ended = next((run for run in state.runs if run.finished_at is not None or run.status == "killed"), None)
    last = f"; its last run ended as {ended.status}" if ended else "" if state.running else "; it has not run yet"
    if state.running is not None:
        last += f"; the run under way began {_ago(state.running.started_at, now)}"
        last += f" and last got on {_ago(_got_on(state, state.running), now)}"
    if state.success_ended is None:
        return f"{NEVER}{last}"
    moment = datetime.fromtimestamp(state.success_ended, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"last succeeded {_ago(state.success_ended, now)} ({moment}){last if state.runs else ''}"


def _ago(moment: float, now: float) -> str:
    return f"{span(now - moment)} ago"
