"""What the server says about single rows, in the answer to a batch or in its event: decisions, no calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sync.memory.answers import redact

Verdict = Literal["waiting", "stored", "failed", "partly", "unknown"]

_VERDICTS: Mapping[str, Verdict] = {
    **dict.fromkeys(("pending", "received", "queued", "accepted", "processing", "running", "in_progress"), "waiting"),
    **dict.fromkeys(("completed", "complete", "success", "succeeded", "done"), "stored"),
    **dict.fromkeys(("partial_failure", "partial", "partial_completed", "partially_completed"), "partly"),
    **dict.fromkeys(("failed", "failed_stale", "error", "cancelled", "canceled", "expired"), "failed"),
}
PERMANENT = frozenset({"ENTITY_TYPE_MISMATCH", "MISSING_IDENTIFIER", "COLLECTION_NOT_FOUND", "CONTENT_TOO_LARGE"})
"""Item errors that the same row will meet again: no use in sending it once more."""
_IDENTITY_KEYS = ("email", "website", "websiteUrl", "website_url", "recordId", "record_id")
_MORE_IDENTITY_KEYS = ("customKeyValue", "customKey", "identifier", "identity", "key")


@dataclass(frozen=True, slots=True)
class ItemError:
    """One row's error as the server gave it."""

    identities: tuple[str, ...]
    code: str
    message: str

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


def normalise(identity: str) -> str:
    """An identity as it is compared: the server may answer in lower case."""
    return identity.strip().casefold()


def outcome_of(event: Mapping[str, Any]) -> EventOutcome:
    """Read the answer to `GET /events/{id}`; unknown words are shown and waited for."""
    status = event.get("status") or event.get("state") or ""
    word = status.strip().lower().replace("-", "_").replace(" ", "_") if isinstance(status, str) else ""
    verdict = _VERDICTS.get(word, "unknown")
    errors = item_errors(event)
    if verdict == "stored" and errors:
        verdict = "partly"
    return EventOutcome(verdict, word[:40] or "none", errors)


def item_errors(data: Mapping[str, Any]) -> tuple[ItemError, ...]:
    """The item errors of an answer, wherever the server put them."""
    nested = data.get("result") or data.get("details")
    found = data.get("errors") or (nested.get("errors") if isinstance(nested, dict) else None) or ()
    return tuple(_item_error(entry) for entry in found) if isinstance(found, list) else ()


def _item_error(entry: Any) -> ItemError:
    if not isinstance(entry, dict):
        return ItemError((), "ITEM_FAILED", redact(str(entry)))
    names = (entry.get(key) for key in _IDENTITY_KEYS + _MORE_IDENTITY_KEYS)
    identities = tuple(normalise(str(name)) for name in names if isinstance(name, str | int) and str(name).strip())
    code = entry.get("code") or entry.get("error")
    message = entry.get("message") or entry.get("reason") or code or "the server gave no reason"
    return ItemError(identities, code if isinstance(code, str) else "ITEM_FAILED", redact(str(message)))


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
