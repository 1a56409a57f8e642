"""The resume position of a stream: a versioned JSON document, checked when it is read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict, TypeAdapter

from connectors.base import Cursor
from connectors.cursors import document_of, read_back
from connectors.hubspot.values import iso

Phase = Literal["walk", "first", "done"]
"""`walk`: the first reading, through the list; `first`: the first reading, through windows; `done`: later ones."""


@dataclass(frozen=True, slots=True)
class Chore:
    """When something was last done beside the reading, and how many calls it took."""

    at: int
    """Milliseconds since 1970."""
    calls: int | None = None
    """None: it was not needed yet, so nobody knows."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far reading has come. Stamps are milliseconds since 1970."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    portal: str | None
    definition: str
    """A digest of what is read: object, stamp, conditions, associations."""
    phase: Phase
    end: int
    """Everything stamped up to here was read (in a walk: this is when it began)."""
    after: str | None = None
    """Where the walk goes on."""
    pages: int = 0
    """Pages of the walk so far."""
    listed: int = 0
    """Records of the walk so far."""
    deep: Chore | None = None
    """The long look back."""
    archived: Chore | None = None
    swept: Chore | None = None
    linked: Chore | None = None
    version: Literal[1] = 1


_ADAPTER = TypeAdapter(Progress)


def encode(progress: Progress) -> Cursor:
    """The document to store."""
    return document_of(progress, _shown(progress))


def _shown(progress: Progress) -> str:
    """The position as a person reads it; only for looking at."""
    if progress.phase == "walk":
        return f"reading everything, {progress.pages:,} pages so far"
    return f"up to {iso(progress.end)}"


def decode(cursor: Cursor) -> Progress:
    """Read a stored document back; raises SourceMisconfigured when it is none of ours."""
    return read_back(cursor, _ADAPTER)
