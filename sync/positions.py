"""Where a run starts reading: decided from what the store remembers and what the map says now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.source import Source
from state.values import Position
from sync.memory.errors import DestinationMisconfigured

INCREMENTAL, FULL = "incremental", "full"
_NOT_WHAT_IS_READ = {"start", "lookback", "settle"}


@dataclass(frozen=True, slots=True)
class Start:
    """Which reading a run continues, and from where."""

    purpose: str
    since: Mapping[str, Any] | None
    note: str = ""
    """Why everything is read again, where it is."""


def origin_of(source: Source) -> str:
    """A hash of what the map reads: the object, its key, its cursor and its filter."""
    facts = source.model_dump(mode="json", exclude=_NOT_WHAT_IS_READ)
    return hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=16).hexdigest()


def start_of(now: Position, kept: Position | None, kept_full: Position | None, *, full: bool) -> Start:
    """The start of an ordinary run; `now` holds what the map and the destination are at present.

    Raises DestinationMisconfigured when the rows so far went to another organisation.
    """
    if kept is None:
        return Start(INCREMENTAL, None)
    if kept.destination != now.destination:
        raise DestinationMisconfigured(
            f"this stream was delivered to {kept.destination} so far, now it is {now.destination}; use another "
            "MEMSYNC_STATE_URL for another organisation, or `memsync state reset` to send everything there"
        )
    note = _change(kept, now)
    if not full and not note:
        return Start(INCREMENTAL, kept.cursor)
    resumable = kept_full is not None and not _change(kept_full, now)
    return Start(FULL, kept_full.cursor if kept_full is not None and resumable else None, note)


def backfill_start(purpose: str, now: Position, kept: Position | None) -> Start:
    """The start of a backfill: where it was interrupted, or the beginning of its range."""
    resumable = kept is not None and not kept.complete and not _change(kept, now)
    same = kept is not None and kept.destination == now.destination
    return Start(purpose, kept.cursor if kept is not None and resumable and same else None)


def _change(kept: Position, now: Position) -> str:
    if kept.origin != now.origin:
        return "the map's source changed since the last run, so everything is read again; equal rows are not sent"
    if kept.map_hash != now.map_hash:
        return "the map changed since the last run, so everything is read again; equal text is not extracted again"
    return ""
