"""Exit codes: their numbers, and which of several is the most serious."""

from __future__ import annotations

from collections.abc import Iterable

OK, UNEXPECTED, MISCONFIGURED, REJECTS, SOURCE, DESTINATION, QUOTA, HELD, STORE = range(9)
INTERRUPTED, TERMINATED = 130, 143

MEANINGS = {
    OK: "all delivered",
    UNEXPECTED: "unexpected failure",
    MISCONFIGURED: "configuration or usage",
    REJECTS: "finished, but rows were rejected",
    SOURCE: "a source refused or could not be reached",
    DESTINATION: "the destination refused or could not be reached",
    QUOTA: "monthly quota, credits or budget used up: stopped cleanly, resumes next time",
    HELD: "another run holds the stream",
    STORE: "the state store is unusable",
    INTERRUPTED: "stopped by SIGINT, cleanly, resumes",
    TERMINATED: "stopped by SIGTERM, cleanly, resumes",
}
_MOST_SERIOUS_FIRST = (
    INTERRUPTED, TERMINATED, UNEXPECTED, STORE, MISCONFIGURED, DESTINATION, SOURCE, QUOTA, HELD, REJECTS,
)  # fmt: skip


def most_serious(codes: Iterable[int]) -> int:
    """The code of a command that did several things."""
    found = set(codes)
    return next((code for code in _MOST_SERIOUS_FIRST if code in found), OK)
