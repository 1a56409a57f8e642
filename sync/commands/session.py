"""What commands have in common: maps chosen by name, the store, the destination, signals.

Each function imports what it works with, so that `--help` waits for none of it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING, Any

import click

from state.errors import StoreUnusable
from sync import log
from sync.codes import INTERRUPTED, TERMINATED
from sync.commands.github import on_github
from sync.commands.refusal import Refused
from sync.maps.problem import MapsInvalid, did_you_mean
from sync.stop import Stop, Stopped

if TYPE_CHECKING:
    from state.store import Store
    from sync.maps.model import PropertyMap
    from sync.request import Surroundings
    from sync.settings import Settings
    from sync.summary import Summary

LONGEST_STOP = 7.5
"""Seconds after the first signal at which the process ends in any case."""


def load_settings() -> Settings:
    """The variables, with logging set up as they say; raises VariablesInvalid."""
    from sync.settings import Settings

    settings = Settings.load()
    log.set_up(settings.memsync_log_format, settings.memsync_log_level)
    return settings


def chosen_maps(folder: Path | None, settings: Settings, names: Sequence[str]) -> list[PropertyMap]:
    """The maps of the named streams, or all; raises MapsInvalid, Refused."""
    from sync.maps.load import load_maps

    maps = {one.stream: one for one in load_maps(folder or Path(settings.memsync_mappings))}
    for name in names:
        if name not in maps:
            known = ", ".join(maps)
            raise Refused(f"no map has the stream {name!r}{did_you_mean(name, maps)}; there are: {known}")
    return [maps[name] for name in dict.fromkeys(names)] if names else list(maps.values())


def usable_maps(folder: Path | None, settings: Settings) -> tuple[Mapping[str, PropertyMap], Sequence[str]]:
    """The maps by stream, and what is wrong with the others; nothing of either where there is no folder of maps."""
    from sync.serve.catalog import stamps_of, usable

    try:
        maps, problems = usable(list(stamps_of(folder or Path(settings.memsync_mappings))))
    except MapsInvalid:
        return {}, []
    return {one.stream: one for one in maps}, [str(problem) for problem in problems]


def store_for(settings: Settings, *, must_exist: bool = False) -> Store | None:
    """Open the state store; None when it must exist and does not. Raises StoreUnusable."""
    from state.address import sqlite_file, state_url
    from state.store import open_store

    path = sqlite_file(state_url(settings.memsync_state_url))
    if must_exist and path is not None and not path.exists():
        if not path.parent.is_dir():
            raise StoreUnusable(f"{path}: there is no folder {path.parent}; create it or change MEMSYNC_STATE_URL")
        return None
    return open_store(settings.memsync_state_url)


def refuse_fresh_state(settings: Settings) -> None:
    """Raise StoreUnusable where MEMSYNC_REQUIRE_STATE is set and no store is there: a loss must not go unnoticed."""
    if not settings.memsync_require_state:
        return
    from state import opening
    from state.address import shown, sqlite_file, state_url

    url = state_url(settings.memsync_state_url)
    where = shown(url)
    if not opening.is_there(url, sqlite_file(url), where):
        raise StoreUnusable(
            f"{where}: there is no state store, and MEMSYNC_REQUIRE_STATE expects one; a new one would have everything "
            "read and sent again. Put the old one back (volume, cache or MEMSYNC_STATE_URL), or, to begin a new one, "
            + _how_to_begin()
        )


def _how_to_begin() -> str:
    """What asks for a new state store: whoever uses a workflow has its button, not its variables."""
    if on_github():
        return (
            "start the workflow by hand with its input first-run (Actions > Run workflow); where it has none, run it "
            "once with MEMSYNC_REQUIRE_STATE=false in the env of its step"
        )
    return "run once with MEMSYNC_REQUIRE_STATE=false"


def refuse_unknown(stream: str, known: Sequence[str]) -> None:
    """Raise Refused unless the store knows the stream."""
    if stream not in known:
        there = (
            f"streams in this state store: {log.mask(', '.join(known))}"
            if known
            else "no stream has run with this store yet"
        )
        raise Refused(f"nothing is known of {stream!r}{did_you_mean(stream, known)}; {there}")


class StoppedEarly(click.ClickException):
    """A signal came before anything was begun."""

    exit_code = INTERRUPTED

    def __init__(self, message: str = "stopped before anything was sent; the next run goes on from here") -> None:
        super().__init__(message)

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"memsync: {self.message}", file=file, err=file is None)


class TerminatedEarly(StoppedEarly):
    """The signal was SIGTERM."""

    exit_code = TERMINATED


@contextmanager
def saying_when_stopped(stop: Stop, message: str) -> Iterator[None]:
    """Tell what a stop means for a command that had begun its work."""
    try:
        yield
    except Stopped:
        raise (TerminatedEarly if stop.signal == signal.SIGTERM else StoppedEarly)(message) from None


@contextmanager
def surroundings(
    settings: Settings,
    *,
    dry_run: bool,
    debug: bool,
    progress: Callable[[Summary], None] = lambda _: None,
) -> Iterator[Surroundings]:
    """Everything that the streams of one command share; SIGINT and SIGTERM stop it cleanly."""
    import structlog

    from state.location import warning_for
    from sync.destination import key_and_address, open_destination
    from sync.request import Surroundings

    warn = structlog.get_logger().warning
    with stopping_on_signals() as stop:
        if not dry_run:
            refuse_fresh_state(settings)
        key_and_address(settings)  # first: a run that cannot begin leaves no new state store behind
        store = store_for(settings, must_exist=dry_run)
        remark = warning_for(store.path) if store is not None and store.path is not None and not dry_run else None
        if remark:
            warn(remark)
        try:
            destination = open_destination(settings, stop.pause, warn)
            try:
                kept = None if dry_run else store
                pacer = destination.pacer(kept, settings)
                with destination.remembered(kept) as known:
                    watched = sys.stderr.isatty()
                    around = Surroundings(settings, store, destination, known, pacer, stop, progress, debug=debug)
                    yield replace(around, counted=watched, confirm=confirm if watched and sys.stdin.isatty() else None)
            finally:
                destination.close()
        except Stopped:
            raise (TerminatedEarly if stop.signal == signal.SIGTERM else StoppedEarly) from None
        finally:
            if store is not None:
                store.close()


def confirm(question: str) -> bool:
    """Ask the person at the terminal, on a line of its own; an answer is awaited before anything is sent."""
    click.echo("\r\x1b[2K", err=True, nl=False)
    return click.confirm(question, err=True)


def shared_pace(around: Surroundings) -> Surroundings:
    """The same for a command that only reads memory: its calls count with those of every run on this store."""
    return replace(around, pacer=around.destination.pacer(around.store, around.settings))


@contextmanager
def stopping_on_signals() -> Iterator[Stop]:
    """The first SIGINT or SIGTERM asks for a clean stop; the second ends the process at once, which is safe too."""
    stop = Stop()

    def ask(number: int, _: FrameType | None) -> None:
        if stop.is_set:
            os._exit(128 + number)
        stop.set(number)
        # A call that hangs cannot be interrupted; all that was accepted is recorded by then, as after kill -9.
        last = threading.Timer(LONGEST_STOP, os._exit, (128 + number,))
        last.daemon = True
        last.start()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
