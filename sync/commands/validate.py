"""`memsync validate`: is everything as a run needs it?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.codes import most_serious
from sync.commands import github, options, screen
from sync.commands.session import chosen_maps, load_settings, stopping_on_signals
from sync.maps.problem import Problem

if TYPE_CHECKING:
    from sync.check import Opened
    from sync.checked import Check
    from sync.maps.model import PropertyMap
    from sync.settings import Settings


@click.command(epilog="Example: memsync validate --offline")
@click.argument("streams", nargs=-1, metavar="[STREAM]...")
@click.option("--offline", is_flag=True, help="Look at the files only; contact nothing.")
@options.common
def command(streams: tuple[str, ...], offline: bool, mappings: Path | None, as_json: bool, debug: bool) -> int:
    """Check maps, credentials, fields, cursor, collections and limits, and have the server check a sample."""

    settings = load_settings()
    maps = chosen_maps(mappings, settings, streams)
    if offline:
        from sync.checked import check_file

        found = {one.stream: [check_file(one)] for one in maps}
    else:
        from sync.check import check_stream

        with _opened(settings) as opened:
            found = {one.stream: check_stream(one, opened) for one in maps}
    return _show(found, maps, as_json=as_json)


@contextmanager
def _opened(settings: Settings) -> Iterator[Opened]:
    import structlog

    from sync.check import Opened
    from sync.destination import open_destination
    from sync.exits import KNOWN_ERRORS

    with stopping_on_signals() as stop:
        try:
            destination = open_destination(settings, stop.pause, structlog.get_logger().warning)
        except KNOWN_ERRORS as error:
            yield Opened(problem=error if isinstance(error, Exception) else None)
            return
        try:
            yield Opened(destination, destination.collections(), destination.pacer(None, settings))
        finally:
            destination.close()


def _show(found: dict[str, list[Check]], maps: list[PropertyMap], *, as_json: bool) -> int:
    code = most_serious(check.exit for checks in found.values() for check in checks)
    files = {one.stream: one.file for one in maps}
    github.problems(
        Problem(files[name], 0, 0, check.name, check.detail)
        for name, checks in found.items()
        for check in checks
        if check.exit
    )
    if as_json:
        streams = [{"stream": name, "checks": [asdict(check) for check in checks]} for name, checks in found.items()]
        screen.show_json({"ok": code == 0, "command": "validate", "exit": code, "streams": streams})
        return code
    for name, checks in found.items():
        screen.say(name)
        for check in checks:
            mark = "FAIL" if check.exit else "note" if check.name == "note" else "ok"
            screen.say(f"  {mark:<4}  {'' if check.name == 'note' else check.name:<11}  {check.detail}")
    problems = sum(1 for checks in found.values() for check in checks if check.exit)
    screen.say(
        f"\n{screen.count(len(maps), 'stream')} checked, "
        + (f"{screen.count(problems, 'problem')} (exit {code})" if problems else "all well")
    )
    return code
