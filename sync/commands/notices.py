"""Notifications of `memsync run`: what each run changed, and that no run could begin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

import structlog

from state.errors import StateError, StoreUnreachable, StoreUnusable
from state.store import Store
from sync.commands.session import refuse_fresh_state, store_for
from sync.exits import exit_of
from sync.maps.model import PropertyMap
from sync.memory.errors import DestinationError
from sync.notify.opening import telling
from sync.request import Request, Surroundings
from sync.settings import Settings
from sync.summary import Summary

PATIENCE = 10.0
"""Seconds that notifications may take at the end of a command."""


def _are_wanted(request: Request) -> bool:
    """A dry run and a backfill change nothing that anybody waits for."""
    return request.command == "run" and not request.dry_run


@contextmanager
def telling_runs(settings: Settings, request: Request, around: Surroundings) -> Iterator[Callable[[Summary], None]]:
    """Gives what is to be called after each run."""
    store = around.store
    if store is None or not _are_wanted(request):
        yield lambda _: None
        return
    ordinary = not (request.full or request.resend or request.asked.limit)
    with telling(settings, lambda: nullcontext(store), structlog.get_logger().warning, PATIENCE) as teller:
        yield (lambda summary: teller.after_run(summary, ordinary=ordinary)) if teller else (lambda _: None)


@contextmanager
def telling_that_none_began(settings: Settings, request: Request, maps: Sequence[PropertyMap]) -> Iterator[None]:
    """Tells of each stream that it did not run when the store or the destination cannot be opened at all."""
    try:
        yield
    except (DestinationError, StateError) as error:
        if _are_wanted(request):
            reason = str(error) if isinstance(error, StateError) else ""
            # A store that is away is not asked again for each map: every time might take as long.
            use = (lambda: _away(reason)) if reason else (lambda: _opened(settings))
            with telling(settings, use, structlog.get_logger().warning, PATIENCE) as teller:
                for one in maps:
                    summary = Summary(one.stream, "failed", exit=exit_of(error), message=str(error))
                    if teller is not None:
                        teller.after_run(summary, ordinary=False)
        raise


@contextmanager
def _away(reason: str) -> Iterator[Store]:
    raise StoreUnreachable(reason)
    yield


@contextmanager
def _opened(settings: Settings) -> Iterator[Store]:
    refuse_fresh_state(settings)
    store = store_for(settings)
    if store is None:
        raise StoreUnusable("there is no state store")
    with store:
        yield store
