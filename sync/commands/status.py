"""`memsync status`: what the state store knows."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sync.commands import options, screen
from sync.commands.session import load_settings, refuse_unknown, store_for, usable_maps
from sync.positions import FULL, INCREMENTAL
from sync.spans import span

if TYPE_CHECKING:
    from state.overview import StreamState
    from state.store import Store
    from sync.settings import Settings


@click.command(epilog="Example: memsync status customers")
@click.argument("stream", required=False)
@options.common
def command(stream: str | None, mappings: Path | None, as_json: bool, debug: bool) -> int:
    """Show cursors, last runs, what is not settled, and rejects, of one stream or of all."""
    from state.address import shown, state_url

    settings = load_settings()
    maps, problems = usable_maps(mappings, settings)
    found = _found(settings, stream, maps)
    if as_json:
        screen.show_json(
            {"ok": True, "command": "status", "state": shown(state_url(settings.memsync_state_url)), "streams": found}
        )
        return 0
    if stream:
        _show_one(found[0])
    elif found:
        _show_all(found)
    if not any(one["runs"] for one in found):
        told = f"{stream} has not run" if stream else "No stream has run"
        screen.say(f"{told} with this state store yet. {_how_to_start(stream, bool(maps or problems))}")
    return 0


def _how_to_start(stream: str | None, with_maps: bool) -> str:
    if not with_maps:
        return "There is no property map here either: memsync init writes one; or is this the wrong folder?"
    return f"Start with: memsync run {stream or ''}".rstrip()


def _found(settings: Settings, stream: str | None, with_map: Collection[str]) -> list[dict[str, Any]]:
    """What is known of a stream, or of all that ran or have a map."""
    with store_for(settings, must_exist=True) or nullcontext() as store:
        ran = store.streams() if store else []
        if stream and stream not in with_map:
            refuse_unknown(stream, ran)
        states = store.overview((INCREMENTAL, FULL), 1) if store else {}
        names = [stream] if stream else sorted({*ran, *with_map})
        return [_about(store, name, states) if store else _never(name) for name in names]


def _never(stream: str) -> dict[str, Any]:
    """What is known of a stream without a state store."""
    from state.overview import StreamState

    counts = dict.fromkeys(("delivered", "rejected", "sent_again", "unsettled_chunks", "unsettled_rows"), 0)
    fresh = _freshness(StreamState(stream))
    return {"stream": stream, **counts, **fresh, "positions": {}, "runs": [], "unsettled": []}


def _about(store: Store, stream: str, states: Mapping[str, StreamState]) -> dict[str, Any]:
    from state.overview import StreamState

    positions = {
        purpose: {"cursor": position.cursor, "complete": position.complete, "updated_at": screen.iso(moved)}
        for purpose, (position, moved) in store.positions(stream).items()
    }
    runs = [
        {
            "command": run.command,
            "started_at": screen.iso(run.started_at),
            "finished_at": screen.iso(run.finished_at),
            "status": run.status,
            "summary": run.summary,
        }
        for run in store.last_runs(stream)
    ]
    waiting = [
        {"event_id": chunk.event_id, "rows": chunk.rows, "status": chunk.status}
        | {"age_seconds": round(time.time() - chunk.accepted_at)}
        for chunk in store.open_events(stream)
    ]
    fresh = _freshness(states.get(stream) or StreamState(stream))
    return {
        "stream": stream,
        **store.counts(stream),
        **fresh,
        "positions": positions,
        "runs": runs,
        "unsettled": waiting,
    }


def _freshness(state: StreamState) -> dict[str, Any]:
    """How old memory may be, and why rows are missing in it."""
    lag = None if state.success_started is None else round(time.time() - state.success_started)
    return {
        "last_success_at": screen.iso(state.success_ended),
        "lag_seconds": lag,
        "reject_reasons": dict(state.rejects),
    }


def _show_all(found: list[dict[str, Any]]) -> None:
    rows = []
    for one in found:
        now = one["positions"].get(INCREMENTAL, {}).get("cursor")
        last: dict[str, Any] = one["runs"][0] if one["runs"] else {"started_at": "-", "summary": {}}
        sent = last["summary"].get("sent")
        counts = [one["delivered"], one["unsettled_rows"], one["sent_again"], one["rejected"]]
        lag = None if one["lag_seconds"] is None else span(one["lag_seconds"])
        begun = screen.short(last["started_at"])
        rows.append([one["stream"], _outcome(last), begun, lag, sent, *counts, screen.cursor(now)])
    heads = ["stream", "last run", "started (UTC)", "lag", "sent", "delivered", "unsettled", "due again", "rejected"]
    screen.table([*heads, "cursor"], rows, numbers=range(4, 9))
    for one in found:
        _say_why(one)


def _outcome(run: Mapping[str, Any]) -> str:
    """How a run ended; what is no ordinary run, such as a backfill, is named."""
    command = run.get("command", "run")
    return f"{run.get('status', 'never')}" + ("" if command == "run" else f" ({command})")


def _say_why(one: Mapping[str, Any]) -> None:
    """Why the last run did not end well."""
    if one["runs"] and (message := one["runs"][0]["summary"].get("message")):
        screen.say(screen.one_line(f"{one['stream']}: {message}"))


def _show_one(one: dict[str, Any]) -> None:
    screen.say(
        f"{one['stream']}: {one['delivered']:,} rows delivered, {one['unsettled_rows']:,} of them not settled yet, "
        f"{one['sent_again']:,} due again, {one['rejected']:,} rejected"
    )
    if one["last_success_at"]:
        lag = span(one["lag_seconds"])
        screen.say(f"last success {screen.short(one['last_success_at'])} UTC; all changes older than {lag} are handled")
    for code, rows in sorted(one["reject_reasons"].items()):
        screen.say(f"  {rows:,} rejected: {screen.one_line(code)}")
    for purpose, position in one["positions"].items():
        state = "complete" if position["complete"] else "under way"
        screen.say(f"\n{purpose.strip('. ')} ({state}, {screen.short(position['updated_at'])} UTC)")
        screen.say(f"  cursor: {screen.cursor(position['cursor'])}")
    if one["runs"]:
        screen.say()
        names = ("read", "unchanged", "sent", "settled", "rejected", "calls")
        rows = [
            [
                screen.short(run["started_at"]),
                run["command"],
                run["status"],
                *(run["summary"].get(name) for name in names),
            ]
            for run in one["runs"]
        ]
        screen.table(["started (UTC)", "command", "status", *names], rows, numbers=range(3, 9))
        _say_why(one)
    if one["unsettled"]:
        screen.say()
        rows = [[w["event_id"], w["rows"], w["status"], screen.span(w["age_seconds"])] for w in one["unsettled"]]
        screen.table(["event", "rows", "status", "age"], rows, numbers=[1])
