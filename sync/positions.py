"""Where a run starts reading: decided from what the store remembers and what the map says now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sync.memory.errors import DestinationMisconfigured

if TYPE_CHECKING:
    from connectors.source import Source
    from state.values import Position

INCREMENTAL, FULL = "incremental", "full"


@dataclass(frozen=True, slots=True)
class Start:
    """Which reading a run continues, and from where."""

    purpose: str
    since: Mapping[str, Any] | None
    note: str = ""
    """Why everything is read again, where it is."""
    moved: bool = False
    """Whether another source is read than before, so that its keys may mean nothing."""


def origin_of(source: Source) -> str:
    """A hash of what the map reads: the object, its key, its cursor and its filter."""
    facts = source.model_dump(mode="json", exclude=set(source.says_when))
    return hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=16).hexdigest()


def check_destination(bound: str | None, now: Position) -> None:
    """Raise DestinationMisconfigured when the stream's rows so far went to another organisation."""
    if bound is not None and bound != now.destination:
        raise DestinationMisconfigured(
            f"this stream was delivered to {bound} so far, now it is {now.destination}; use another "
            "MEMSYNC_STATE_URL for another organisation, or `memsync state reset` to send everything there"
        )


def start_of(now: Position, kept: Position | None, kept_full: Position | None, *, full: bool) -> Start:
    """The start of an ordinary run; `now` holds what the map and the destination are at present."""
    if kept is None:
        return Start(INCREMENTAL, None)
    note = _change(kept, now) or (_change(kept_full, now) if kept_full is not None else "")
    if not full and not note:
        return Start(INCREMENTAL, kept.cursor)
    resumable = kept_full is not None and not _change(kept_full, now)
    cursor = kept_full.cursor if kept_full is not None and resumable else None
    return Start(FULL, cursor, note, moved=kept.origin != now.origin)


def backfill_start(purpose: str, now: Position, kept: Position | None) -> Start:
    """The start of a backfill: where it was interrupted, or the beginning of its range."""
    resumable = kept is not None and not kept.complete and not _change(kept, now)
    return Start(purpose, kept.cursor if kept is not None and resumable else None)


def _change(kept: Position, now: Position) -> str:
    if kept.origin != now.origin:
        return "the map's source changed since the last run, so everything is read again; equal rows are not sent"
    if kept.map_hash != now.map_hash:
        return "the map changed since the last run, so everything is read again; equal text is not extracted again"
    return ""
