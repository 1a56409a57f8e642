"""What goes into the store and comes out of it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson


class Entry(NamedTuple):
    """One row of an accepted chunk (a tuple: it is made once per row)."""

    key: str
    fingerprint: bytes
    identity: str
    """A salted hash of the identity: enough to match the server's item errors to keys."""
    leans: bool = False
    """Whether texts were left out because an earlier delivery holds them: worth nothing if that one fails."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far one reading of a stream has come, and what it was read for."""

    cursor: Mapping[str, Any] | None
    complete: bool
    map_hash: str
    origin: str
    """Hash of what the map reads: another object, key or filter makes the cursor worthless."""
    destination: str
    """The organisation and host that received the rows."""


@dataclass(frozen=True, slots=True)
class AcceptedChunk:
    """A chunk that the server took: its keys are kept until the event settles."""

    event_id: str
    entries: Sequence[Entry]
    refused: Sequence[str] = ()
    """Identity hashes of rows of the same call that were refused at once: their event may name them again."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A row that was not delivered, with the reason."""

    key: str
    code: str
    message: str
    final: bool = False
    """Whether sending the row again as it is would be useless."""


@dataclass(frozen=True, slots=True)
class Step:
    """What changes together: written in one transaction or not at all."""

    accepted: Sequence[AcceptedChunk] = ()
    rejects: Sequence[Failure] = ()
    failed: Sequence[Failure] = ()
    """Rows that the server could not take now: they are due again, or become rejects after three times."""
    purpose: str | None = None
    position: Position | None = None
    destination: str = ""
    """Who takes the accepted rows: from the first of them on, the stream belongs to that organisation."""
    removed: Sequence[str] = ()
    """Keys that are gone from the source: nothing is kept of them."""
    doubted: Sequence[Entry] = ()
    """Delivered rows of which a new version is about to be sent: what counts as delivered of them until it is taken."""
    run: tuple[int, Mapping[str, Any]] | None = None
    """The run that writes this, and its numbers so far: all that is known of it if it is killed."""


class Entries(Sequence[tuple[str, str]]):
    """The (key, identity hash) pairs of a chunk, packed until somebody looks: a million rows may be unsettled."""

    __slots__ = ("_open", "_packed", "_refused")

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._open: list[tuple[str, str]] | None = None
        self._refused: list[str] = []

    @staticmethod
    def pack(entries: Sequence[Entry], refused: Sequence[str] = ()) -> bytes:
        """The bytes that the store keeps."""
        columns = [[entry.key for entry in entries], [entry.identity for entry in entries], list(refused)]
        return zlib.compress(orjson.dumps(columns), 1)

    def _pairs(self) -> list[tuple[str, str]]:
        if self._open is None:
            keys, identities, self._refused = orjson.loads(zlib.decompress(self._packed))
            self._open = list(zip(keys, identities, strict=True))
        return self._open

    @property
    def refused(self) -> Sequence[str]:
        """Identity hashes of rows of the same call that were refused at once."""
        self._pairs()
        return self._refused

    def __len__(self) -> int:
        return len(self._pairs())

    def __getitem__(self, place: Any) -> Any:
        return self._pairs()[place]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs())


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An accepted chunk whose event has not ended."""

    id: int
    event_id: str
    rows: int
    accepted_at: float
    polls: int
    next_poll_at: float
    status: str
    entries: Sequence[tuple[str, str]] = field(default=(), repr=False)
    """(key, identity hash) of each row; nothing where only the event was asked for."""


@dataclass(frozen=True, slots=True)
class Redelivery:
    """A row that a failed event named: to be re-read by key and sent again."""

    key: str
    attempts: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class StoredReject:
    """A row that could not be delivered. Times are seconds since 1970."""

    stream: str
    key: str
    code: str
    message: str
    attempts: int
    first_at: float
    last_at: float


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run as the history keeps it."""

    id: int
    stream: str
    command: str
    started_at: float
    finished_at: float | None
    status: str
    summary: Mapping[str, Any]


PART = "#"
"""Stands between a stream and one part of it, such as `#0/4`, in the name of a lease; no stream has it in its name."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write for one stream, or for one part of it, until `fence` is no longer the newest."""

    name: str
    owner: str
    fence: int

    @property
    def stream(self) -> str:
        return self.name.partition(PART)[0]

    @property
    def part(self) -> str:
        return self.name[len(self.stream) :]
