"""What commands have in common: maps chosen by name, the store, the destination, signals."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click
import structlog

from state.address import sqlite_file, state_url
from state.errors import StoreUnusable
from state.location import warning_for
from state.store import Store, open_store
from sync import log
from sync.destination import open_destination
from sync.maps.load import load_maps
from sync.maps.model import PropertyMap
from sync.maps.problem import did_you_mean
from sync.request import Surroundings
from sync.settings import Settings
from sync.stop import Stop, Stopped
from sync.summary import Summary

LONGEST_STOP = 7.5
"""Seconds after the first signal at which the process ends in any case."""


def load_settings() -> Settings:
    """The variables, with logging set up as they say; raises VariablesInvalid."""
    settings = Settings.load()
    log.set_up(settings.memsync_log_format, settings.memsync_log_level)
    return settings


def chosen_maps(folder: Path | None, settings: Settings, names: Sequence[str]) -> list[PropertyMap]:
    """The maps of the named streams, or all; raises MapsInvalid, click.UsageError."""
    maps = {one.stream: one for one in load_maps(folder or Path(settings.memsync_mappings))}
    for name in names:
        if name not in maps:
            known = ", ".join(maps)
            raise click.UsageError(f"no map has the stream {name!r}{did_you_mean(name, maps)}; there are: {known}")
    return [maps[name] for name in dict.fromkeys(names)] if names else list(maps.values())


def store_for(settings: Settings, *, must_exist: bool = False) -> Store | None:
    """Open the state store; None when it must exist and does not. Raises StoreUnusable."""
    path = sqlite_file(state_url(settings.memsync_state_url))
    if must_exist and path is not None and not path.exists():
        if not path.parent.is_dir():
            raise StoreUnusable(f"{path}: there is no folder {path.parent}; create it or change MEMSYNC_STATE_URL")
        return None
    return open_store(settings.memsync_state_url)


def refuse_unknown(stream: str, known: Sequence[str]) -> None:
    """Raise click.UsageError unless the store knows the stream."""
    if stream not in known:
        there = f"streams in this state store: {', '.join(known)}" if known else "no stream has run with this store yet"
        raise click.UsageError(f"nothing is known of {stream!r}{did_you_mean(stream, known)}; {there}")


@contextmanager
def surroundings(
    settings: Settings,
    *,
    dry_run: bool,
    debug: bool,
    progress: Callable[[Summary], None] = lambda _: None,
) -> Iterator[Surroundings]:
    """Everything that the streams of one command share; SIGINT and SIGTERM stop it cleanly."""
    warn = structlog.get_logger().warning
    with stopping_on_signals() as stop:
        store = store_for(settings, must_exist=dry_run)
        remark = warning_for(store.path) if store is not None and store.path is not None and not dry_run else None
        if remark:
            warn(remark)
        try:
            destination = open_destination(settings, stop.pause, warn)
            try:
                pacer = destination.pacer(None if dry_run else store, settings)
                known = destination.collections()
                yield Surroundings(
                    settings, store, destination, known, pacer, stop, progress, counted=sys.stderr.isatty(), debug=debug
                )
            finally:
                destination.close()
        except Stopped:
            raise SystemExit(128 + (stop.signal or signal.SIGINT)) from None
        finally:
            if store is not None:
                store.close()


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
