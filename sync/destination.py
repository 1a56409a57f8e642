"""The destination of a command, opened once: client, plan, collections and pace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

from state.errors import StateError
from state.store import Store
from sync.flight import Flight
from sync.maps.compile import CompiledMap
from sync.maps.model import PropertyMap
from sync.memory.client import MemoryClient
from sync.memory.collections import Collection, collections_of, resolve
from sync.memory.envelope import Envelope, make_envelope, mapping_object
from sync.memory.errors import DestinationMisconfigured, DestinationUnavailable, RateLimited
from sync.memory.http import Http, check_address
from sync.memory.pace import OwnAllowance, Pacer
from sync.memory.plan import Plan, plan_of
from sync.memory.writer import pause_before
from sync.settings import Settings

ATTEMPTS = 3
"""Calls before a destination that does not answer at the start counts as unreachable."""
_LOOK = 0.1
"""Seconds between looks at the stop flag while a call is out."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Destination:
    """An organisation's memory, ready for calls."""

    http: Http
    client: MemoryClient
    plan: Plan
    name: str
    """The organisation: rows delivered to one are not delivered to another."""
    pause: Callable[[float], None]

    def pacer(self, store: Store | None, settings: Settings) -> Pacer:
        """A pacer that shares the plan's limit with every process on the same store."""
        own = OwnAllowance()
        reserve = (lambda span, burst: store.reserve(self.name, span, burst)) if store else own.reserve
        postpone = (lambda seconds: store.postpone(self.name, seconds)) if store else own.postpone
        share, unit = settings.memsync_rate_share, settings.memsync_rate_unit
        pacer = Pacer(self.plan.per_minute, share, unit, reserve, postpone, self.pause)
        pacer.count(self.client.calls)
        return pacer

    def collections(self) -> list[Collection]:
        """Every collection of the organisation."""
        return insist(lambda: collections_of(self.client.collections()), self.pause)

    @contextmanager
    def remembered(self, store: Store | None) -> Iterator[list[Collection]]:
        """Every collection; a quota that is found used up is noted in the store, and costs the next run one batch."""
        noted = store.exhausted(self.name) if store else None
        self.client.doubtful = noted is not None
        known = [Collection(*one) for one in noted.items()] if noted else self.collections()
        try:
            yield known
        finally:
            with suppress(StateError):  # the error that ended the run is the one to tell
                if store and self.client.exhausted is not None:
                    store.note_exhausted(self.name, {one.id: one.name for one in known})
                elif store and noted is not None and not self.client.doubtful:
                    store.note_exhausted(self.name, None)

    def close(self) -> None:
        """Close its connections."""
        self.http.close()


def key_and_address(settings: Settings) -> tuple[str, str]:
    """What the destination is opened with, looked at without contacting it; raises DestinationMisconfigured."""
    problem = settings.key_problem()
    if problem or settings.personize_secret_key is None:
        raise DestinationMisconfigured(problem or "")
    address = check_address(settings.personize_base_url, settings.allowed_hosts)
    return settings.personize_secret_key.get_secret_value().strip(), address


def open_destination(settings: Settings, pause: Callable[[float], None], warn: Callable[[str], None]) -> Destination:
    """Connect and ask `me()`; raises DestinationError."""
    key, address = key_and_address(settings)
    http = Http(address, key)
    try:
        client = MemoryClient(http, settings.personize_api_version, warn)
        plan = plan_of(insist(client.me, pause))
    except BaseException:
        http.close()
        raise
    if plan.assumed:
        warn(f"the server names no limit per minute; {plan.per_minute} calls a minute are assumed")
    return Destination(http, client, plan, plan.organization or urlsplit(address).netloc, pause)


def insist(call: Callable[[], _T], pause: Callable[[float], None]) -> _T:
    """Make a reading call, again after a pause when there was no usable answer; raises the last error."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return answer_of(call, pause)
        except RateLimited as limit:
            if attempt == ATTEMPTS:
                raise
            pause(limit.retry_after or 60.0)
        except DestinationUnavailable as problem:
            if attempt == ATTEMPTS:
                raise
            pause(
                pause_before(attempt, DestinationUnavailable("", ambiguous=False, retry_after=problem.retry_after), 0.5)
            )
    raise AssertionError("unreachable")


def answer_of(call: Callable[[], _T], pause: Callable[[float], None]) -> _T:
    """Make a call on a thread of its own: a stop leaves it behind instead of waiting for a server that hangs."""
    flight = Flight(1)
    flight.launch(None, call)
    flight.close()
    while True:
        for landed in flight.landed(_LOOK):
            found: _T = landed.result
            return found
        pause(0.0)


def _resolved(compiled: CompiledMap, destination: Destination, known: list[Collection]) -> dict[str, Collection]:
    try:
        return resolve(compiled.properties, known)
    except DestinationMisconfigured:
        known[:] = destination.collections()  # those that are remembered may be old
        return resolve(compiled.properties, known)


def envelope_for(
    property_map: PropertyMap,
    compiled: CompiledMap,
    destination: Destination,
    known: list[Collection],
    *,
    dry_run: bool,
) -> Envelope:
    """The frame of this stream's calls; raises DestinationMisconfigured when a collection is unknown."""
    resolved = _resolved(compiled, destination, known)
    run_name = f"{property_map.stream}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    word = destination.client.extract_word
    mapping = mapping_object(compiled.entity_type, compiled.identity, compiled.properties, resolved, word, run_name)
    wanted = property_map.destination
    enterprise = wanted.plan == "enterprise" or destination.plan.is_enterprise
    return make_envelope(
        property_map.source_label, mapping, wanted.tier, wanted.chunk_size, dry_run=dry_run, enterprise=enterprise
    )
