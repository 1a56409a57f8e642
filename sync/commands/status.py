"""`memsync status`: what the state store knows."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import click

from state.address import shown, state_url
from state.overview import StreamState
from state.store import Store
from sync.commands import options, screen
from sync.commands.session import load_settings, refuse_unknown, store_for
from sync.positions import INCREMENTAL
from sync.spans import span


@click.command(epilog="Example: memsync status customers")
@click.argument("stream", required=False)
@options.common
def command(stream: str | None, mappings: object, as_json: bool, debug: bool) -> int:
    """Show cursors, last runs, what is not settled, and rejects, of one stream or of all."""
    settings = load_settings()
    store = store_for(settings, must_exist=True)
    if store is None:
        found: list[dict[str, Any]] = []
        if stream:
            refuse_unknown(stream, [])
    else:
        with store:
            if stream:
                refuse_unknown(stream, store.streams())
            states = store.overview(INCREMENTAL, 1)
            found = [_about(store, name, states) for name in ([stream] if stream else store.streams())]
    if as_json:
        screen.show_json(
            {"ok": True, "command": "status", "state": shown(state_url(settings.memsync_state_url)), "streams": found}
        )
    elif not found:
        screen.say("No stream has run with this state store yet. Start with: memsync run")
    elif stream:
        _show_one(found[0])
    else:
        _show_all(found)
    return 0


def _about(store: Store, stream: str, states: Mapping[str, StreamState]) -> dict[str, Any]:
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
        for chunk in store.unsettled(stream)
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
    return f"{run.get('status', '-')}" + ("" if command == "run" else f" ({command})")


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
