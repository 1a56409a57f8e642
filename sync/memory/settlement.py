"""What the server says about single rows, in the answer to a batch or in its event: decisions, no calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sync.memory.amounts import Amount, failed, frames, not_stored
from sync.memory.answers import redact
from sync.memory.reported import Entry, entries, normalise, rows_named
from sync.memory.words import known_code, status_word

__all__ = ["Blame", "EventOutcome", "ItemError", "blame", "item_errors", "normalise", "outcome_of", "settles_by_count"]

Verdict = Literal["waiting", "stored", "failed", "partly", "unknown"]

_VERDICTS: Mapping[str, Verdict] = {
    **dict.fromkeys(("pending", "received", "queued", "accepted", "processing", "running", "in_progress"), "waiting"),
    **dict.fromkeys(("completed", "complete", "success", "succeeded", "done"), "stored"),
    **dict.fromkeys(("partial_failure", "partial", "partial_completed", "partially_completed"), "partly"),
    **dict.fromkeys(("failed", "failed_stale", "error", "cancelled", "canceled", "expired"), "failed"),
}
PERMANENT = frozenset({"ENTITY_TYPE_MISMATCH", "MISSING_IDENTIFIER", "COLLECTION_NOT_FOUND", "CONTENT_TOO_LARGE"})
"""Item errors that the same row will meet again: no use in sending it once more."""


@dataclass(frozen=True, slots=True)
class ItemError:
    """One row's error as the server gave it."""

    identities: tuple[str, ...]
    code: str
    message: str
    rows: int = 0
    """How many rows it is about, where that is certain; else 0."""

    @property
    def final(self) -> bool:
        """Whether sending the row again as it is would be useless."""
        return self.code in PERMANENT


@dataclass(frozen=True, slots=True)
class EventOutcome:
    """What an event says: a verdict, the item errors, and the server's own word for it."""

    verdict: Verdict
    status: str
    errors: tuple[ItemError, ...] = ()


@dataclass(frozen=True, slots=True)
class Blame:
    """Which rows the item errors name, by position; `unmatched` errors name none of them."""

    named: Mapping[int, ItemError]
    unmatched: tuple[ItemError, ...]


def outcome_of(event: Mapping[str, Any]) -> EventOutcome:
    """Read the answer to `GET /events/{id}`; unknown words are shown and waited for.

    Its counts must agree: rows that failed or are missing from the total, and that no item error names, add an error
    that names no row. So does an event that is completed in one place and failed in another. Where total, stored and
    named rows add up, an item error that names nobody is a remark.
    """
    words = [word for frame in frames(event) if (word := _status_of(frame))]
    word = words[0] if words else ""
    verdict = _VERDICTS.get(word, "unknown")
    if verdict == "stored" and any(_VERDICTS.get(other) in ("failed", "partly") for other in words):
        verdict = "partly"
    found = entries(event)
    missing = not_stored(event)
    add_up = missing.exact and max(missing, failed(event)).rows == rows_named(found)
    errors = _errors(found, max(failed(event), missing), remarks=add_up)
    if verdict == "stored" and errors:
        verdict = "partly"
    return EventOutcome(verdict, status_word(word, _VERDICTS), errors)


def _status_of(frame: Mapping[str, Any]) -> str:
    status = frame.get("status") or frame.get("state") or ""
    return status.strip().lower().replace("-", "_").replace(" ", "_") if isinstance(status, str) else ""


def item_errors(data: Mapping[str, Any]) -> tuple[ItemError, ...]:
    """The item errors of an answer, wherever the server put them; failed rows that they do not name are one more."""
    return _errors(entries(data), failed(data), remarks=False)


def settles_by_count(data: Mapping[str, Any], named: int) -> bool:
    """Whether an answer gives the number of rows that failed, and so many are named: what else it says are remarks."""
    counted = failed(data)
    return counted.exact and counted.rows <= named


def _errors(found: list[Entry], counted: Amount, *, remarks: bool) -> tuple[ItemError, ...]:
    errors = tuple(_item_error(entry) for entry in found if not entry.whole and (entry.names or not remarks))
    words = [_item_error(entry) for entry in found if entry.whole and entry.told]
    missing = max(counted.rows, len(words[:1])) - rows_named(found)
    if missing <= 0 or any(not error.identities for error in errors):
        return errors
    said = (
        words[0]
        if words
        else ItemError((), "ITEM_FAILED", f"{missing} more rows failed, the server does not say which")
    )
    return (*errors, replace(said, identities=(), rows=missing if counted.exact else 0))


def _item_error(entry: Entry) -> ItemError:
    told, error = entry.told, entry.told.get("error")
    code = known_code(told.get("code"), error) or "ITEM_FAILED"
    message = told.get("message") or told.get("reason") or error or "the server gave no reason"
    rows = entry.about.rows if entry.about.exact else 0
    return ItemError(tuple(dict.fromkeys(entry.names.values())), code, redact(str(message)), rows)


def blame(errors: Iterable[ItemError], identities: Sequence[str], hashed: Callable[[str], str]) -> Blame:
    """Match item errors to rows by identity; every row with the named identity is blamed.

    `identities` holds one mark per row, as `hashed` makes it of a normalised identity.
    """
    places: dict[str, list[int]] = {}
    for place, mark in enumerate(identities):
        places.setdefault(mark, []).append(place)
    named: dict[int, ItemError] = {}
    unmatched = []
    for error in errors:
        hits = [place for name in error.identities for place in places.get(hashed(name), ())]
        named.update(dict.fromkeys(hits, error))
        if not hits:
            unmatched.append(error)
    return Blame(named, tuple(unmatched))
