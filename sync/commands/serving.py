"""What `memsync serve` does: everything is put together and serves until it is stopped."""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click
import structlog

from connectors.variables import VariablesInvalid
from state import opening
from state.address import shown, sqlite_file, state_url
from state.errors import StoreUnusable
from state.location import warning_for
from state.store import Store, open_store
from sync.codes import INTERRUPTED, TERMINATED
from sync.commands.session import refuse_fresh_state, stopping_on_signals
from sync.notify.opening import telling
from sync.serve.board import Board
from sync.serve.catalog import Catalog
from sync.serve.gate import Gate
from sync.serve.runner import Runner
from sync.serve.service import Service
from sync.serve.shared import Shared
from sync.serve.tally import Tally
from sync.serve.timetable import Timetable
from sync.serve.web import Pages, StatusServer
from sync.settings import Settings
from sync.stop import Stop
from sync.web.listening import AddressUnusable

LAST_WORDS = 0.5
"""Seconds that notifications get at the end: what is not delivered by then is told by the next process."""


class _AddressRefused(click.ClickException):
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line."""

    parallel: int
    host: str
    port: int
    jitter: float


def serve(settings: Settings, folder: Path, wanted: Wanted) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code."""
    problem = settings.key_problem()
    if problem:
        raise VariablesInvalid(problem)
    gc.set_threshold(100_000, 20, 50)  # as in `memsync run`: rows are freed as soon as they are sent
    with stopping_on_signals() as stop:
        try:
            _serve(settings, folder, wanted, stop)
            structlog.get_logger().info("ended: no run is under way any more; the next start goes on from here")
        except AddressUnusable as error:
            raise _AddressRefused(str(error)) from None
    return TERMINATED if stop.signal == signal.SIGTERM else INTERRUPTED


def _serve(settings: Settings, folder: Path, wanted: Wanted, stop: Stop) -> None:
    """Put everything together and serve until the stop is set."""
    log = structlog.get_logger()
    warn = _once(log.warning)
    catalog, tally, gate = Catalog(folder, log.warning), Tally(), Gate(settings.memsync_in_flight, stop)
    catalog.load()
    shared = Shared(settings, store_opener(settings, warn), stop, warn)
    with ExitStack() as things:
        teller = things.enter_context(telling(settings, shared.store, log.warning, LAST_WORDS))
        runner = Runner(catalog.find, shared, gate, tally, teller, stop, lambda: timetable.queued, warn)
        timetable = Timetable(runner.run, wanted.parallel, wanted.jitter, tally.skip)
        age = settings.memsync_notify_after.total_seconds()
        board = Board(catalog, shared, timetable, tally, age, wanted.jitter)
        service = Service(catalog, shared, timetable, board, tally, teller, stop)
        pages = Pages(board.look, lambda: time.monotonic() - service.ticked)
        server = things.enter_context(StatusServer(pages, wanted.host, wanted.port))
        log.info("serving", page=server.url, streams=len(catalog.loaded.maps), parallel=wanted.parallel)
        service.run()


def store_opener(settings: Settings, warn: Callable[[str], None]) -> Callable[[], Store]:
    """Opens the state store, again and again; once one was there, it is never replaced by a new one."""
    was_there = False

    def opened() -> Store:
        nonlocal was_there
        url = state_url(settings.memsync_state_url)
        if was_there and not opening.is_there(url, sqlite_file(url), shown(url)):
            raise StoreUnusable(
                f"{shown(url)}: the state store is gone; put it back. A restart would begin a new one, and with it "
                "everything would be read and sent again"
            )
        refuse_fresh_state(settings)
        store = open_store(settings.memsync_state_url)
        was_there = True
        remark = warning_for(store.path) if store.path is not None else None
        if remark:
            warn(remark)
        return store

    return opened


def _once(warn: Callable[[str], None]) -> Callable[[str], None]:
    """Say each text once: what is opened again and again has the same things to say."""
    said: set[str] = set()

    def say(text: str) -> None:
        if text not in said:
            said.add(text)
            warn(text)

    return say
