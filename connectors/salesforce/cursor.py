"""The resume position of a stream: a versioned JSON document, checked when it is read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from connectors.base import Cursor
from connectors.cursors import document_of, read_back

# These become parts of statements and addresses, so nothing else may stand in their place.
Stamp = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{15,18}$")]


@dataclass(frozen=True, slots=True)
class Job:
    """A Bulk query job, and how much of its result was read."""

    id: Id
    locator: str | None = None
    """Where the next page of results begins; None: at the start."""
    rows: int = 0
    """Rows before that place."""
    made: Stamp | None = None
    """When it was made: what changed since then, it gives as it was before."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something that is being read: all records, or those stamped in a window.

    Records are read in the order of their ids, which never change, while stamps move as records are edited: a place
    in a result ordered by stamps would be false as soon as someone saves a record.
    """

    end: Stamp
    """Once the part is read, everything stamped before this is."""
    low: Stamp | None = None
    """Only what is stamped from here on; None: everything."""
    high: Stamp | None = None
    """Only what is stamped before this; None: no bound."""
    after: Id | None = None
    """The last id read by REST."""
    job: Job | None = None
    """The Bulk job that reads the part instead."""
    by_rest: bool = False
    """Bulk was refused for this part."""
    done: bool = False
    """Its job is read to the end."""
    born: Stamp | None = None
    """Only what was created before this; None: no bound."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far reading has come. Stamps are the server's, in UTC."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    org: str | None
    definition: str
    """A digest of what is read: object, cursor field, conditions, people."""
    end: Stamp | None = None
    """Everything stamped before this was read; None: the first reading is not complete."""
    part: Part | None = None
    """The first reading or the window under way."""
    refresh: Part | None = None
    """The repeated reading of everything that is under way."""
    whole: Stamp | None = None
    """When everything was last read, or began to be read."""
    version: Literal[1] = 1


_ADAPTER = TypeAdapter(Progress)


def encode(progress: Progress) -> Cursor:
    """The document to store."""
    return document_of(progress, _shown(progress))


def _shown(progress: Progress) -> str:
    """The position as a person reads it; only for looking at."""
    part = progress.part if progress.end is None else None
    if part is None:
        return f"up to {progress.end}" if progress.end else "start"
    if part.job is not None:
        return f"reading everything by a Bulk job, from its record {part.job.rows + 1:,} on"
    return f"reading everything, up to id {part.after}" if part.after else "start"


def decode(cursor: Cursor) -> Progress:
    """Read a stored document back; raises SourceMisconfigured when it is none of ours."""
    return read_back(cursor, _ADAPTER)
