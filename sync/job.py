"""Everything that one run of one stream works with, put together once at the top."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from connectors.base import Connector, Cursor, Record, Values
from state.values import Failure, Position, Redelivery, Step, Unsettled
from sync.chunks import Chunker
from sync.guards import Allowance
from sync.maps.row import Reject, Row
from sync.memory.writer import ChunkOutcome
from sync.shards import Shard
from sync.stop import Stop
from sync.summary import Summary


class Ledger(Protocol):
    """What a run asks of its stream's state; every write proves the lease."""

    def fingerprints(self, keys: Sequence[str]) -> dict[str, bytes]: ...
    def has_fingerprints(self) -> bool: ...
    def holders(self, marks: Sequence[bytes]) -> Mapping[bytes, int]: ...
    def held(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]: ...
    def delivered_keys(self) -> Iterator[str]: ...
    def apply(self, step: Step) -> None: ...
    def rejected(self) -> Set[str]: ...
    def due_redeliveries(self) -> list[Redelivery]: ...
    def due_event(self) -> Unsettled | None: ...
    def unsettled(self) -> list[Unsettled]: ...
    def entries(self, chunk: Unsettled) -> Sequence[tuple[str, str]]: ...
    def settle(self, chunk: Unsettled, failures: Sequence[Failure]) -> int: ...
    def begin(self, purpose: str, position: Position, *, afresh: bool) -> None: ...
    def conclude(self, purpose: str, position: Position) -> None: ...
    def poll_again(self, chunk: Unsettled, status: str, seconds: float) -> None: ...
    def shape(self) -> str | None: ...
    def keep_shape(self, shape: str) -> None: ...


class Writer(Protocol):
    """Delivers the rows of a chunk; `sync.memory.writer.BatchWriter`, or the one that only looks."""

    def send(self, rows: Sequence[Any], outcome: ChunkOutcome | None = None) -> ChunkOutcome: ...

    @property
    def remarks(self) -> Sequence[str]:
        """What a person should know of the sending."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one stream. Modes differ in what is handed in here, and nowhere below."""

    stream: str
    purpose: str
    """Which reading of the stream this is: incremental, full, or a backfill's range."""
    connector: Connector
    since: Cursor | None
    until: datetime | None
    make_row: Callable[[Record], Row | Reject]
    row_of: Callable[[Sequence[str]], Callable[[Values], Row | Reject]]
    chunker: Chunker
    writer: Writer
    ledger: Ledger
    position: Position
    """What a position of this run is for; its cursor is filled in as the run goes on."""
    summary: Summary
    stop: Stop
    in_flight: int
    hash_identity: Callable[[str], str]
    resend: bool = False
    proven: bool = False
    """Whether rows of this very map were delivered before."""
    allowance: Allowance = field(default_factory=Allowance)
    """How many rows may be sent."""
    shard: Shard | None = None
    """Read only this part of the records."""
    fetch_keys: Sequence[str] | None = None
    """Read these records by key instead of what is due."""
    progress: Callable[[Summary], None] = lambda _: None
    glance: Callable[[], None] = lambda: None
    """Looks after an accepted chunk's event, if one is due; returns at once."""
