"""What a run may send before it stops: limits that somebody set, and guards against spending by mistake."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import takewhile
from statistics import median

from state.values import StoredRun
from sync.chunks import Outgoing
from sync.costs import Rate
from sync.intake import Intake, those_last
from sync.maps.delivery import Limits

HISTORY, ENOUGH = 20, 5
"""Runs whose sent rows make the usual number, and how many there must be."""
LEAST_UNUSUAL = 1000
"""So many rows are never unusual, however few the usual number is."""
UNCONFIRMED, BUDGET = "unconfirmed", "budget"
"""How a run ends that somebody has to agree to, and one that used up what it was given."""
_DELIVERED = ("ok", "rejects")


class BudgetSpent(Exception):
    """The run stopped at a limit or a guard; everything that it sent is accounted for."""

    def __init__(self, message: str, status: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many rows may be sent, or so many with text to extract."""

    rows: int
    why: str
    """What is said when the run stops here."""
    status: str = BUDGET
    """How the run ends here; empty for --limit, which is an end like any other."""
    texts: bool = False
    """Whether only rows with text to extract count."""
    ahead: bool = False
    """Whether the number of records that are due is held against it before anything is read."""
    question: str = ""
    """What a person at a terminal is asked instead; empty where there is nothing to ask."""

    def cost(self, rows: Sequence[Outgoing]) -> int:
        """How many of the rows count here."""
        return sum(row.has_text for row in rows) if self.texts else len(rows)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says about spending; None: what the map says."""

    limit: int | None = None
    max_rows: int | None = None
    max_calls: int | None = None
    max_credits: int | None = None
    yes: bool = False
    """Whether somebody agreed to whatever a guard would ask."""


def caps_of(asked: Asked, limits: Limits, rate: Rate) -> list[Cap]:
    """The limits that somebody set, as rows; those of the command line come before those of the map."""
    caps = []
    if asked.limit is not None:
        caps.append(Cap(asked.limit, f"stopped at --limit {asked.limit}", status=""))
    rows = _first(asked.max_rows, limits.max_rows)
    if rows is not None:
        caps.append(Cap(rows, f"stopped after {rows:,} rows (--max-rows or limits.maxRows); the next run goes on"))
    credits_ = _first(asked.max_credits, limits.max_credits)
    if credits_ is not None:
        most = int(credits_ / rate.high)
        why = f"stopped after {most:,} rows, which may cost {credits_:,} credits (--max-credits or limits.maxCredits)"
        caps.append(Cap(most, f"{why}; the next run goes on"))
    return caps


def _first(*found: int | None) -> int | None:
    return next((one for one in found if one is not None), None)


def max_calls(asked: Asked, limits: Limits) -> int | None:
    """The most calls that a run may make."""
    return _first(asked.max_calls, limits.max_calls)


def open_runs(runs: Sequence[StoredRun], command: str) -> list[StoredRun]:
    """The runs of a command since one of them read everything that was due; newest first, as they are given."""
    of_it = (run for run in runs if run.command.split(" ")[0] == command)
    return list(takewhile(lambda run: not _is_complete(run), of_it))


def is_established(runs: Sequence[StoredRun]) -> bool:
    """Whether a run of the stream ever read everything."""
    return any(run.command == "run" and _is_complete(run) for run in runs)


def somebody_agreed(unended: Sequence[StoredRun]) -> bool:
    """Whether somebody agreed to what these runs have begun."""
    return any(run.summary.get("agreed") for run in unended)


def guard_against_much_text(limits: Limits, unended: Sequence[StoredRun]) -> Cap | None:
    """The guard of a first run, a backfill, or a run that sends everything again: text costs money."""
    if limits.confirm_above is None:
        return None
    most = limits.confirm_above
    why = (
        f"stopped before more than {most:,} rows with text to extract were sent: that costs credits, and nobody agreed "
        "to it yet. See what it takes with --dry-run, then give --yes, or raise limits.confirmAbove in the map"
    )
    question = f"More than {most:,} rows with text to extract may be sent, which costs credits. Go on?"
    left = max(0, most - sum(_number(run, "with_text") for run in unended))
    return Cap(left, why, UNCONFIRMED, texts=True, question=question)


def guard_against_unusual(limits: Limits, runs: Sequence[StoredRun], unended: Sequence[StoredRun]) -> Cap | None:
    """The guard of an ordinary run: many times more rows than usual may be a mistake in the source or the map."""
    usual = usual_of(runs)
    if usual is None or limits.times_usual is None:
        return None
    most = max(LEAST_UNUSUAL, usual * limits.times_usual)
    told = f"{usual:,} is the usual number of a run, and this one would send more than {most:,}"
    why = (
        f"stopped before an unusual number of rows was sent: {told}. See what it is with --dry-run, then give --yes, "
        "or set limits.timesUsual in the map"
    )
    # Stopping again and again, or failing on the way, must not send it all after all.
    left = max(0, most - sum(_number(run, "sent") for run in unended))
    return Cap(left, why, UNCONFIRMED, question=f"{told[0].upper()}{told[1:]}. Go on?")


def usual_of(runs: Sequence[StoredRun]) -> int | None:
    """How many rows a run of the stream usually sends; None while too few sent any. Newest runs first."""
    well = [_number(run, "sent") for run in runs if run.command == "run" and run.status in _DELIVERED]
    some = [rows for rows in well if rows][:HISTORY]
    return int(median(some)) if len(some) >= ENOUGH else None


def _is_complete(run: StoredRun) -> bool:
    return run.status in _DELIVERED and bool(run.summary.get("complete"))


def _number(run: StoredRun, name: str) -> int:
    found = run.summary.get(name)
    return found if isinstance(found, int) else 0


class Allowance:
    """What the rows of one run are held against, page by page; used by the thread that reads."""

    def __init__(self, caps: Sequence[Cap] = (), confirm: Callable[[str], bool] | None = None) -> None:
        self._left = {cap: cap.rows for cap in caps}
        self._confirm = confirm
        self.agreed = False
        """Whether the person at the terminal agreed to something."""
        self.reached: Cap | None = None
        """The cap that ended the run, once one did."""

    def cut(self, intake: Intake, last: Callable[[], Set[str]]) -> Intake:
        """Leave the rows aside that are too many; rows with the keys that `last` gives are the first to be left."""
        while (cap := self._exceeded(intake.rows)) is not None:
            if not self._agreed(cap):
                rows = those_last(intake.rows, last())
                rows = rows[: self._room(rows)]
                intake = replace(intake, rows=rows, cut=True)
                self.reached = cap
                break
            del self._left[cap]
        for cap in self._left:
            self._left[cap] -= cap.cost(intake.rows)
        return intake

    def _exceeded(self, rows: Sequence[Outgoing]) -> Cap | None:
        return next((cap for cap, left in self._left.items() if cap.cost(rows) > left), None)

    def _agreed(self, cap: Cap) -> bool:
        agreed = bool(cap.question and self._confirm and self._confirm(cap.question))
        self.agreed = self.agreed or agreed
        return agreed

    def _room(self, rows: Sequence[Outgoing]) -> int:
        """How many of the first rows every cap has room for."""
        counts = dict.fromkeys(self._left, 0)
        for place, row in enumerate(rows):
            for cap, left in self._left.items():
                counts[cap] += cap.cost([row])
                if counts[cap] > left:
                    return place
        return len(rows)
