"""What is told: a small document without any contents of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sync import exits
from sync.log import mask
from sync.notify import conditions
from sync.spans import count
from sync.summary import Summary

COUNTS = ("read", "filtered", "unchanged", "sent", "accepted", "settled", "rejected", "gone", "failed", "waiting")


@dataclass(frozen=True, slots=True)
class Message:
    """One change of one stream."""

    stream: str
    state: str
    exit: int
    message: str
    at: float
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The change in a few words."""
        return f"memsync: {self.stream} {_WORDS[self.state]}"

    def as_dict(self) -> dict[str, Any]:
        """The document; chat programs that take webhooks show its `text`."""
        return {
            "stream": self.stream,
            "state": self.state,
            "exit": self.exit,
            "message": self.message,
            "counts": dict(self.counts),
            "at": datetime.fromtimestamp(self.at, UTC).isoformat(timespec="seconds"),
            "text": f"{self.title}: {self.message}",
        }


_WORDS = {
    conditions.FAILED: "failed",
    conditions.RECOVERED: "recovered",
    conditions.REJECTS: "has rejects",
    conditions.LATE: "is late",
    conditions.UNUSUAL: "read an unusual number of rows",
}


def of_run(state: str, summary: Summary, rejects: Mapping[str, int], unusual: str | None, now: float) -> Message:
    """What to say of a run."""
    texts = {
        conditions.FAILED: summary.message,
        conditions.RECOVERED: f"its last run ended well, {count(summary.sent, 'row')} sent",
        conditions.REJECTS: _of_rejects(summary.stream, rejects),
        conditions.UNUSUAL: unusual or "",
    }
    counts = {name: getattr(summary, name) for name in COUNTS}
    return Message(summary.stream, state, summary.exit, _line(texts[state]), now, counts)


def of_lateness(stream: str, complaint: str, now: float) -> Message:
    """What to say of a stream that does not succeed any more."""
    return Message(stream, conditions.LATE, 1, _line(complaint), now)


def of_maps(name: str, problems: Sequence[str], now: float) -> Message:
    """What to say of maps that cannot be used."""
    more = f"; and {len(problems) - 1:,} more" if len(problems) > 1 else ""
    return Message(name, conditions.FAILED, exits.MISCONFIGURED, _line(f"{problems[0]}{more}"), now)


def of_maps_mended(name: str, now: float) -> Message:
    """What to say once all can be used."""
    return Message(name, conditions.RECOVERED, exits.OK, "all of them can be used again", now)


def _of_rejects(stream: str, rejects: Mapping[str, int]) -> str:
    reasons = ", ".join(f"{rows:,} {code}" for code, rows in sorted(rejects.items()))
    return (
        f"{count(sum(rejects.values()), 'row')} could not be delivered ({reasons}); see: memsync rejects list {stream}"
    )


def _line(text: str) -> str:
    return " ".join(mask(text).split())
