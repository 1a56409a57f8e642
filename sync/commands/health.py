"""`memsync health`: whether every stream succeeded lately, from the state store alone."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.commands import options, screen
from sync.commands.session import load_settings, store_for, usable_maps
from sync.maps.problem import did_you_mean
from sync.positions import FULL, INCREMENTAL

if TYPE_CHECKING:
    from state.overview import StreamState
    from sync.maps.model import PropertyMap
    from sync.settings import Settings


@click.command(epilog="Example: memsync health --max-age 3h")
@click.argument("streams", nargs=-1, metavar="[STREAM]...")
@click.option(
    "--max-age",
    type=options.Duration(),
    default="3h",
    show_default=True,
    help="How long ago the last success may be; for a stream that is due less often: how late it may be.",
)
@options.common
def command(streams: tuple[str, ...], max_age: float, mappings: Path | None, as_json: bool, debug: bool) -> int:
    """Exit with 0 when every stream succeeded lately, else with 1 and a line for each that did not.

    Looks at the streams on a schedule, or at all where none has one. Asks the state store only, so that it may be
    called beside `memsync serve` or a cron job, as often as is liked. A map that is broken is named and not measured.
    """
    from state.overview import StreamState
    from sync.serve.freshness import complaint

    settings = load_settings()
    # Runs of sound maps go on, and are measured; whoever has no maps here asks for all that ran.
    (maps, problems), known = usable_maps(mappings, settings), _states(settings)
    complaints = {}
    for name in _chosen(streams, maps, known):
        one = maps.get(name)
        state = known.get(name) or StreamState(name)
        complaints[name] = complaint(state, one.schedule if one else None, max_age, time.time())
    bad = {name: text for name, text in complaints.items() if text is not None}
    nothing = not complaints
    code = 1 if bad or nothing else 0
    if as_json:
        found = [{"stream": name, "ok": text is None, "reason": text} for name, text in complaints.items()]
        document = {"ok": code == 0, "command": "health", "exit": code, "streams": found}
        screen.show_json(document | {"map_problems": list(problems)})
    elif nothing:
        screen.say("there is no stream: no property map can be read and the state store knows none")
    else:
        for name, text in bad.items():
            screen.say(f"{name}: {text}")
        if not bad:
            verb = "is" if len(complaints) == 1 else "are"
            screen.say(f"{len(complaints)} of {screen.count(len(complaints), 'stream')} {verb} well")
        for problem in problems:
            screen.say(screen.one_line(f"not measured: {problem}"))
    return code


def _states(settings: Settings) -> Mapping[str, StreamState]:
    store = store_for(settings, must_exist=True)
    if store is None:
        return {}
    with store:
        return store.overview((INCREMENTAL, FULL), 1)


def _chosen(names: Sequence[str], maps: Mapping[str, PropertyMap], known: Mapping[str, StreamState]) -> Sequence[str]:
    """The named streams; else those on a schedule, else all with a map, else all that the store knows."""
    for name in names:
        if name not in maps and name not in known:
            there = ", ".join(sorted({*maps, *known})) or "none"
            raise click.UsageError(
                f"there is no stream {name!r}{did_you_mean(name, {*maps, *known})}; there are: {there}"
            )
    scheduled = [name for name, one in maps.items() if one.schedule is not None]
    return list(dict.fromkeys(names)) or scheduled or list(maps) or list(known)
