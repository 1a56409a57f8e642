"""Reads one part, all records or a window, by REST or by a Bulk job, whichever suits its size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from connectors.salesforce import statements
from connectors.salesforce.bulk import Bulk, BulkRefused, JobAborted, JobFailed, ResultsLost
from connectors.salesforce.calls import Caller, fits_address
from connectors.salesforce.cursor import Job, Part
from connectors.salesforce.faults import (
    AnswerTooLarge,
    LocatorLost,
    NotThere,
    Refusal,
    TookTooLong,
    TooLongForAddress,
    explain,
)
from connectors.salesforce.newer import Newer
from connectors.salesforce.plan import Plan
from connectors.salesforce.records import Batch, Fields, Records
from connectors.salesforce.results import EMPTY_IN_A_ROW, Result, Seen, ShortResult, Unusable
from connectors.salesforce.values import stamp

MOST_ROWS = 50_000
"""Records of one query, which is then paged through: few enough for a server to sort."""
_LESS, FEWEST = 10, 500
_IN_A_ROW = {LocatorLost: 5, ShortResult: 2}
"""How often a query fails in these ways, without a record more, until the reading ends."""
Api = Literal["auto", "rest", "bulk"]
Effort = Literal["all", "halves", "bulk"]
"""Against queries that take too long: all that can be done, nothing (the caller halves the window), or Bulk at once."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some records of a part, and the part as it goes on behind them."""

    batch: Batch
    part: Part
    notes: Sequence[str] = ()
    rows: int = 0
    """Rows of REST of which it was made."""


@dataclass(slots=True)
class Spent:
    """Bulk jobs whose results are read to the end."""

    jobs: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Way:
    """Which of the two APIs reads; with `auto`, more records than `threshold` are read by Bulk."""

    api: Api
    threshold: int


class Parts:
    """Reads parts of one stream."""

    def __init__(
        self, caller: Caller, plan: Plan, records: Records, way: Way, spent: Spent, *, limit: int = MOST_ROWS
    ) -> None:
        self._caller, self._plan, self._records = caller, plan, records
        self._wanted, self._threshold, self._spent = way.api, way.threshold, spent
        self._bulk = Bulk(caller, plan.label)
        self._limit = limit if way.api == "rest" else max(limit, way.threshold + 1)
        self._effort: Effort = "all"
        self.newer = Newer()
        self._refused = False
        """Whether Bulk was asked to read at once what takes REST too long, and did not."""

    @property
    def _api(self) -> Api:
        """What the map says; before an old job is gone on with, a second one would rarely be worth it."""
        return "auto" if self._wanted == "bulk" and self.newer.gathers else self._wanted

    def read(self, part: Part, effort: Effort = "all") -> Iterator[Piece]:
        """Yield a part from where it was left; raises ConnectorError.

        Raises TookTooLong where no query comes to an end; see Effort.
        """
        self._effort = effort
        if part.done:
            self._spent.jobs += [part.job.id] if part.job else []
            return
        if part.job is not None or ("bulk" in (self._api, effort) and not part.by_rest):
            yield from self._by_bulk(part)
        elif not fits_address(statements.page(self._plan, part, self._limit)):
            if self._api == "rest":
                raise TooLongForAddress(
                    f"{self._plan.label}: the list of fields is too long for a REST query: map fewer of them, or leave "
                    "`api` out"
                )
            yield from self._by_bulk(part)
        else:
            yield from self._by_rest(part)

    def let_go(self, job: Job) -> None:
        """Read a job no further: it is cleared away once the reading ends."""
        self._spent.jobs.append(job.id)

    # REST

    def _by_rest(self, part: Part) -> Iterator[Piece]:
        lost = 0
        while True:
            begun = part
            try:
                result = self._caller.query(statements.page(self._plan, part, self._limit), self._plan.label)
                if self._is_for_bulk(part, result):
                    break
                found = 0
                for piece in self._pieces(result, part):
                    part, found = piece.part, found + piece.rows
                    yield piece
                if found < self._limit:
                    return
                lost = 0
            except (LocatorLost, ShortResult) as problem:
                lost = lost + 1 if part == begun else 0
                if lost >= _IN_A_ROW[type(problem)]:
                    yield Piece(Batch(), part)
                    raise
            except (AnswerTooLarge, TookTooLong) as problem:
                if not self._takes_less(problem, part):
                    break
        yield from self._by_bulk(part)

    def _pieces(self, result: Result, part: Part) -> Iterator[Piece]:
        """The pages of one query, each with the part behind it: the last place before which nothing is missing."""
        for sheet in self._caller.sheets(result, self._plan.label, self._limit):
            batch, rows = self._records.of_rest(sheet.rows), sheet.rows
            self.newer.note(rows)
            part = replace(part, after=str(rows[-1]["Id"])) if rows and sheet.sure else part
            yield Piece(batch, part, rows=len(rows))

    def _takes_less(self, problem: AnswerTooLarge | TookTooLong, part: Part) -> bool:
        """Ask for fewer records from now on; False: Bulk must do it. Raises `problem` where neither helps."""
        if isinstance(problem, AnswerTooLarge):
            return self._takes_smaller(problem, part)
        if self._effort == "halves":
            raise TookTooLong(f"{self._plan.label}: a window of time takes too long")
        if self._limit > FEWEST:
            self._limit = max(self._limit // _LESS, FEWEST)
            return True
        if not self.may_use_bulk(part):
            raise explain(Refusal(400, "QUERY_TIMEOUT", ""), self._plan.label)
        return False

    def _takes_smaller(self, problem: AnswerTooLarge, part: Part) -> bool:
        """Ask for smaller answers from now on; False: Bulk must do it. Raises `problem` where neither helps."""
        if self._caller.ask_for_less():
            return True
        if self.may_use_bulk(part):
            return False
        if self._limit == 1:
            raise problem
        self._limit = max(min(self._limit, FEWEST) // _LESS, 1)
        return True

    def may_use_bulk(self, part: Part) -> bool:
        """Whether a part may be read by Bulk: the map allows it, and it was not refused."""
        return self._api != "rest" and not part.by_rest and not self._refused

    def _is_for_bulk(self, part: Part, result: Result) -> bool:
        large = part.after is None and (result.total or 0) > self._threshold
        return self._api == "auto" and large and self.may_use_bulk(part)

    # Bulk

    def _by_bulk(self, part: Part) -> Iterator[Piece]:
        job = part.job
        try:
            if job is None:
                made = stamp(self._caller.now())
                job = Job(self._bulk.create(statements.bulk(self._plan, part)), made=made)
                yield Piece(Batch(), replace(part, job=job))  # a run that is killed now goes on with this job
            announced = self._bulk.wait(job.id)
        except NotThere:
            if part.job is None:
                yield from self._instead(part, JobFailed(f"{self._plan.label}: a new Bulk job is not there"))
            else:  # deleted, or its results are older than a week
                yield from self.read(replace(part, job=None), self._effort)
        except (BulkRefused, JobFailed) as problem:
            self._spent.jobs += [job.id] if job is not None else []
            yield from self._instead(part, problem)
        else:
            try:
                yield from self._results(part, job, announced)
            except (ResultsLost, Unusable):  # the same job would bring the next run to the same end
                yield Piece(Batch(), replace(part, job=None))
                raise

    def _instead(self, part: Part, problem: BulkRefused | JobFailed) -> Iterator[Piece]:
        """Read the part by REST, and say so; not where the map insists on Bulk, or someone aborted the job."""
        part = replace(part, job=None)
        if self._api == "bulk" or isinstance(problem, JobAborted):
            yield Piece(Batch(), part)
            raise problem
        part = replace(part, by_rest=True)
        self._refused |= self._effort == "bulk"
        yield Piece(Batch(), part, (f"{problem}; read by REST instead",))
        yield from self._by_rest(part)

    def _results(self, part: Part, job: Job, announced: int | None) -> Iterator[Piece]:
        shape, seen, empty, ids = self._plan.shape, {job.locator}, 0, Seen()
        while True:
            read = 0
            with self._bulk.results(job.id, job.locator, shape, counted=announced is not None) as results:
                held: Batch | None = None
                for rows in results.pieces:
                    if held is not None:
                        yield Piece(held, replace(part, job=job))
                    read += len(rows)
                    self._check(rows, ids, job.rows + read, announced)
                    self.newer.note(rows)
                    held = self._records.of_rows([(fields, None) for fields in self.newer.without(rows, job.id)])
                job = Job(job.id, results.onward, job.rows + read, job.made)
            ended, empty = job.locator is None, 0 if read else empty + 1
            if not ended and (job.locator in seen or empty == EMPTY_IN_A_ROW):
                raise ResultsLost(
                    f"{self._plan.label}: the results of a Bulk job lead in a circle; the next run starts another one"
                )
            seen.add(job.locator)
            if ended and announced is not None and job.rows < announced:
                yield Piece(held or Batch(), replace(part, job=None))
                raise ResultsLost(
                    f"{self._plan.label}: a Bulk job announced {announced:,} records and gave {job.rows:,}; the next "
                    "run reads this part again"
                )
            if ended:
                self._spent.jobs.append(job.id)
            yield Piece(held or Batch(), replace(part, job=job, done=ended))
            if ended:
                return

    def _check(self, rows: Sequence[Fields], ids: Seen, found: int, announced: int | None) -> None:
        told = "the same records twice" if ids.repeats([str(fields.get("Id")) for fields in rows]) else ""
        if announced is not None and found > announced:
            told = told or f"{found:,} records and more, of {announced:,} that were announced"
        if told:
            raise ResultsLost(f"{self._plan.label}: a Bulk job gave {told}; the next run starts another one")
