"""The numbers of a run. They balance: read = filtered + unchanged + sent + rejected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LISTED = 1000
"""Keys of records that are gone which a summary names, at most."""


@dataclass(slots=True)
class Summary:
    """What one run of one stream did; counted by the thread that records."""

    stream: str
    status: str = "running"
    read: int = 0
    filtered: int = 0
    """Left out by a rule of the map's source."""
    unchanged: int = 0
    """Delivered before as they are now."""
    sent: int = 0
    """Handed to the server, which took the call that carried them."""
    accepted: int = 0
    """Of those, the ones that the server took and gave an event for."""
    settled: int = 0
    """Rows whose event ended well during this run, of this run and of earlier ones."""
    rejected: int = 0
    """Could not be made into a row, or refused for good."""
    gone: int = 0
    identity_changed: int = 0
    """Of the rows sent, those whose record had another identity when it was delivered before."""
    failed: int = 0
    """Accepted rows whose event ended badly: they are sent again, at most three times."""
    filed: int = 0
    """Of the failed rows, those that are rejects now: for the third time, or for a reason that stays."""
    waiting: int = 0
    """Accepted rows whose event has not ended: the next run follows them."""
    calls: int = 0
    retries: int = 0
    duplicates_possible: int = 0
    seconds: float = 0.0
    cursor_from: Mapping[str, Any] | None = None
    cursor_to: Mapping[str, Any] | None = None
    due: int | None = None
    """About how many rows there are to read, where that is known: for progress."""
    complete: bool = False
    """Whether everything that was due was read."""
    agreed: bool = False
    """Whether somebody agreed to whatever a guard would ask."""
    with_text: int = 0
    """Of the rows sent, those with text to extract."""
    exit: int = 0
    message: str = ""
    """Why the run ended as it did, when it did not end well."""
    estimate: dict[str, Any] | None = None
    """What a dry run expects the real one to take."""
    notes: list[str] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    """Rejected rows by reason."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Filtered records by reason."""
    gone_keys: dict[str, str] = field(default_factory=dict)
    """What became of records that are gone, by key; the first thousand."""
    identity_changed_keys: list[str] = field(default_factory=list)
    """Keys of the records with another identity; the first thousand."""

    def reject(self, code: str, rows: int = 1) -> None:
        """Count rows that were rejected for a reason."""
        self.rejected += rows
        self.reasons[code] = self.reasons.get(code, 0) + rows

    def leave_out(self, reasons: Mapping[str, int]) -> None:
        """Enter why records were filtered."""
        for reason, records in reasons.items():
            self.left_out[reason] = self.left_out.get(reason, 0) + records

    def miss(self, keys: Iterable[str], word: str) -> None:
        """Enter records that are gone, and what became of them."""
        for key in keys:
            self.gone += 1
            if len(self.gone_keys) < LISTED:
                self.gone_keys[key] = word

    def move(self, keys: Sequence[str]) -> None:
        """Enter records whose identity changed."""
        self.identity_changed += len(keys)
        self.identity_changed_keys += keys[: max(0, LISTED - len(self.identity_changed_keys))]

    def note(self, text: str) -> None:
        """Keep what a person should know, once."""
        if text not in self.notes:
            self.notes.append(text)

    def left_over(self, again: str) -> None:
        """Take rows that were read but not handled out of the count, and say what reads them `again`."""
        if self.read > self.handled:
            left = self.read - self.handled
            rows, them = ("1 row was", "it") if left == 1 else (f"{left:,} rows were", "them")
            self.notes.append(f"{rows} read but not sent; {again} reads {them} again")
            self.read = self.handled

    def so_far(self) -> dict[str, Any]:
        """The numbers of a run that goes on: rows that were read and are not handled yet do not count."""
        found = {name: value for name in self.__slots__ if isinstance(value := getattr(self, name), int | float)}
        del found["exit"]
        return found | {"read": self.handled}

    @property
    def handled(self) -> int:
        """Rows of which it is settled what became of them."""
        return self.filtered + self.unchanged + self.sent + self.rejected

    @property
    def balances(self) -> bool:
        """Whether every row that was read is accounted for."""
        return self.read == self.handled

    def as_dict(self) -> dict[str, Any]:
        """The summary as `--json` shows it."""
        return {name: getattr(self, name) for name in self.__slots__}
