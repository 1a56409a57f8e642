"""What the server says about single rows, in the answer to a batch or in its event: decisions, no calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sync.memory.answers import code_of, redact

Verdict = Literal["waiting", "stored", "failed", "partly", "unknown"]

_VERDICTS: Mapping[str, Verdict] = {
    **dict.fromkeys(("pending", "received", "queued", "accepted", "processing", "running", "in_progress"), "waiting"),
    **dict.fromkeys(("completed", "complete", "success", "succeeded", "done"), "stored"),
    **dict.fromkeys(("partial_failure", "partial", "partial_completed", "partially_completed"), "partly"),
    **dict.fromkeys(("failed", "failed_stale", "error", "cancelled", "canceled", "expired"), "failed"),
}
PERMANENT = frozenset({"ENTITY_TYPE_MISMATCH", "MISSING_IDENTIFIER", "COLLECTION_NOT_FOUND", "CONTENT_TOO_LARGE"})
"""Item errors that the same row will meet again: no use in sending it once more."""
_STATUS = re.compile(r"[a-z]+(_[a-z]+){0,3}")
LONGEST_STATUS = 40
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
    """Read the answer to `GET /events/{id}`; unknown words are shown and waited for.

    A count of failed rows that its item errors do not explain adds an error that names no row.
    """
    status = event.get("status") or event.get("state") or ""
    word = status.strip().lower().replace("-", "_").replace(" ", "_") if isinstance(status, str) else ""
    verdict = _VERDICTS.get(word, "unknown")
    errors = item_errors(event)
    named = {error.identities for error in errors if error.identities}  # one row may have several errors
    missing = _failed_count(event) - len(named) - sum(not error.identities for error in errors)
    if missing > 0 and verdict in ("stored", "partly"):
        errors += (ItemError((), "ITEM_FAILED", f"{missing} more rows failed, the server does not say which"),)
    if verdict == "stored" and errors:
        verdict = "partly"
    return EventOutcome(verdict, _shown(status, word), errors)


def _shown(status: Any, word: str) -> str:
    """A status as it may be shown: one word, for a sentence may quote a record."""
    one = _STATUS.fullmatch(word) and len(word) <= LONGEST_STATUS and (word in _VERDICTS or " " not in status.strip())
    return word if one else "unreadable" if word else "none"


def _failed_count(event: Mapping[str, Any]) -> int:
    return max(_count(event.get(name)) for name in ("failed", "failedCount", "errorCount"))


def _count(value: Any) -> int:
    """A number of rows, however it is written; a word that is no number, such as a status, counts nothing."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 10:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return 0
    return int(min(value, 1e9))


def item_errors(data: Mapping[str, Any]) -> tuple[ItemError, ...]:
    """The item errors of an answer, wherever the server put them."""
    nested = data.get("result") or data.get("details")
    found = data.get("errors") or (nested.get("errors") if isinstance(nested, dict) else None) or ()
    if isinstance(found, dict):
        found = [
            (error if isinstance(error, dict) else {"message": error}) | {"key": name} for name, error in found.items()
        ]
    # Whatever else stands there is an error too: one that names no row.
    return tuple(_item_error(entry) for entry in (found if isinstance(found, list | tuple) else [found]))


def _item_error(entry: Any) -> ItemError:
    if not isinstance(entry, dict):
        return ItemError((), "ITEM_FAILED", redact(str(entry)))
    names = (entry.get(key) for key in _IDENTITY_KEYS + _MORE_IDENTITY_KEYS)
    identities = tuple(normalise(str(name)) for name in names if isinstance(name, str | int) and str(name).strip())
    error = entry.get("error")
    code = code_of(entry.get("code"), error) or "ITEM_FAILED"
    message = entry.get("message") or entry.get("reason") or error or "the server gave no reason"
    return ItemError(identities, code, redact(str(message)))


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
