"""The resume position of a stream: a versioned JSON document, checked when it is read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict, TypeAdapter

from connectors.base import Cursor
from connectors.cursors import document_of, read_back

Phase = Literal["full", "late", "nulls", "new", "ahead", "done"]


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the order (cursor, key), each value as the server printed it."""

    cursor: str | None = None
    """None: before the first value."""
    key: tuple[str, ...] | None = None
    """None: before every row with this cursor value."""


@dataclass(frozen=True, slots=True)
class Server:
    """Which server was read, and how far its transactions had come."""

    system: str | None
    timeline: int | None
    horizon: int
    """The oldest transaction still running: every older one is finished and visible."""
    next: int
    """The transaction after the newest finished one."""
    standby: bool
    started: str
    """The server's clock, ISO form in UTC."""
    ceiling: str | None
    """The highest cursor value that a saved position may take; None: cursors of this type need no bound."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far reading has come; `saved` and `horizon` bind the next run, the rest the run under way."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    definition: str
    """A digest of what is read: table or query, key, cursor column, condition."""
    table: int | None
    server: Server
    """As met when the run under way (or the last one) began."""
    phase: Phase
    at: Position | None = None
    """The last row read in this phase."""
    saved: Position = Position()
    """Rows up to here are read, except those that transactions from `horizon` on wrote."""
    horizon: int | None = None
    swept: int | None = None
    """The horizon of the last run that looked for late rows of any age."""
    swept_at: str | None = None
    sweeping: bool = True
    """Whether the run under way looks for late rows of any age."""
    version: Literal[1] = 1


_ADAPTER = TypeAdapter(Progress)


def encode(progress: Progress) -> Cursor:
    """The document to store."""
    return document_of(progress, _shown(progress))


def _shown(progress: Progress) -> str:
    """The position as a person reads it; only for looking at."""
    if progress.phase == "full":
        return (
            f"reading everything, up to key {', '.join(progress.at.key)}"
            if progress.at and progress.at.key
            else "start"
        )
    return f"up to {progress.saved.cursor}" if progress.saved.cursor else "everything"


def decode(cursor: Cursor) -> Progress:
    """Read a stored document back; raises SourceMisconfigured when it is none of ours."""
    return read_back(cursor, _ADAPTER)
