"""Reads a stream page by page, and says where it is safe to resume.

The first reading takes all records; later ones take windows of stamps, from a look back before the last end on. Within
each of them records come by REST in the order of their ids, or by a Bulk job.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from connectors.base import Cursor, Page, SourceMisconfigured
from connectors.salesforce import Source
from connectors.salesforce.calls import Caller
from connectors.salesforce.cursor import Part, Progress, decode, encode
from connectors.salesforce.faults import TookTooLong
from connectors.salesforce.parts import Effort, Parts, Piece
from connectors.salesforce.plan import Plan
from connectors.salesforce.records import Batch
from connectors.salesforce.values import moment, stamp
from connectors.salesforce.windows import Windows, is_shortest, span_of

OLDEST = timedelta(days=1)
"""Of a job that an earlier run has begun; a new one is made where it is older."""
_JITTER = timedelta(minutes=1)
"""By which a position may be ahead of all clocks: they are set now and then."""
_NEARLY = 0.95
"""Of the time between refreshes: a daily run does not begin at the same second every day."""
HALVINGS = 6
"""Of windows in one reading, until the rest is read by Bulk."""
_NOT_SWEPT = (
    "the reading of everything again (`refresh`) was interrupted and went on now; what was erased in Salesforce is "
    "found by a whole one, which the next run begins"
)
Under = Literal["part", "refresh"]
"""Which of the two readings that a position may hold."""


class Reader:
    """One reading of a stream, from the beginning or from a saved cursor."""

    def __init__(
        self, source: Source, caller: Caller, plan: Plan, org: str | None, parts: Parts, until: datetime | None = None
    ) -> None:
        self._source, self._plan, self._org, self._parts = source, plan, org, parts
        self._until = until
        self._now, self._latest = caller.now(), caller.latest()
        self._halvings = 0
        self._notes = [apart] if (apart := caller.clocks_apart()) else []

    def read(self, since: Cursor | None) -> Iterator[Page]:
        """Yield pages; the last one is empty and carries the cursor for the next run."""
        progress = self._begin(since)
        if self._notes:
            yield Page((), encode(progress), notes=tuple(self._notes))
        if progress.end is None or self._plan.reads_all:
            progress = yield from self._everything(progress)
        else:
            progress = self._rewound(progress)
            if progress.part is not None and _goes_on(progress.part):
                progress = replace(progress, part=(yield from self._newer_first(progress, progress.part)))
            progress = yield from self._windows(progress)
            if self._until is None and self._is_refresh_due(progress):
                progress = yield from self._again(progress)
        yield Page((), encode(progress))

    # Where to begin

    def _begin(self, since: Cursor | None) -> Progress:
        saved = None if since is None else decode(since)
        if saved is not None and saved.org and self._org and saved.org[:15] != self._org[:15]:
            raise SourceMisconfigured(
                f"this stream has read the Salesforce org {saved.org} so far, and the login belongs to org "
                f"{self._org}: give the other org a stream of its own (`connection`), or begin anew with `memsync run "
                "STREAM --full`"
            )
        if saved is None or saved.definition != self._plan.definition or self._is_ahead(saved):
            return Progress(self._org, self._plan.definition)
        fresh = replace(saved, part=self._without_old_job(saved.part), refresh=self._without_old_job(saved.refresh))
        return replace(fresh, org=saved.org or self._org)

    def _is_ahead(self, saved: Progress) -> bool:
        """Whether a position lies in the future, so that nobody knows since when changes were missed."""
        if saved.end is None or moment(saved.end) <= self._latest + _JITTER:
            return False
        self._notes.append(
            f"the saved position ({saved.end}) lies in the future, so a clock was ahead when it was made, and changes "
            "may have been missed: everything is read once more; equal rows are not sent"
        )
        return True

    def _without_old_job(self, part: Part | None) -> Part | None:
        """The part as it is; from its beginning where its job is old, for too much has changed since."""
        job = part.job if part is not None else None
        if part is None or job is None or part.done or self._now - moment(job.made or part.end) <= OLDEST:
            return part
        self._parts.let_go(job)
        return replace(part, job=None)

    # Everything

    def _everything(self, progress: Progress) -> Generator[Page, None, Progress]:
        """Yield all records, from where it was interrupted; returns the position behind them."""
        begun, fresh = progress.part or self._whole(), progress.part is None
        if _goes_on(begun) and not self._plan.reads_all:
            begun = yield from self._newer_first(progress, begun)
        progress = replace(progress, end=None, part=begun)
        bounded = begun.low is not None or begun.high is not None
        progress = yield from self._through(progress, "part", sweep=fresh and not bounded)
        return replace(progress, part=None, end=begun.end, whole=begun.end)

    def _whole(self) -> Part:
        end = stamp(self._now - self._plan.settle)
        high = None if self._until is None else stamp(self._until)
        return Part(
            end=end if high is None else min(end, high),
            low=None if self._plan.start is None else stamp(self._plan.start),
            high=high,
        )

    def _is_refresh_due(self, progress: Progress) -> bool:
        every = self._source.refresh
        if progress.refresh is not None:
            return True
        if not isinstance(every, timedelta):
            return False
        if progress.whole is None or moment(progress.whole) > self._latest + _JITTER:  # a clock was ahead
            return True
        return self._now - moment(progress.whole) >= every * _NEARLY

    def _again(self, progress: Progress) -> Generator[Page, None, Progress]:
        """Yield all records once more: what moved no stamp, such as formulas, and a sweep for erased ones."""
        begun, goes_on = progress.refresh or self._whole(), _goes_on(progress.refresh)
        begun = self._settled(begun) if goes_on else begun
        sweep = begun.low is None and begun.after is None and not begun.done and begun.job is None
        progress = yield from self._through(replace(progress, refresh=begun), "refresh", sweep=sweep)
        swept = sweep or begun.low is not None
        progress = replace(progress, refresh=None, whole=begun.end if swept else progress.whole)
        if not swept:
            yield Page((), encode(progress), notes=(_NOT_SWEPT,))
        return progress

    # Jobs that an earlier run began

    def _newer_first(self, progress: Progress, part: Part) -> Generator[Page, None, Part]:
        """Yield what changed since the job of a part was made, and leave it out of what is read of the job.

        Other runs may have sent newer values than it gives, which must be the ones that stay. The position stays as it
        is: a run that is killed meanwhile begins with this again.
        """
        behind = Progress(self._org, self._plan.definition, end=_made(part))
        self._parts.newer.gather()
        for page in self._windows(behind, beyond=part.high is not None):
            yield replace(page, cursor=encode(progress))
        return self._settled(part)

    def _rewound(self, progress: Progress) -> Progress:
        """The position from which windows bring all that changed since the job of a refresh was made."""
        if progress.refresh is None or not _goes_on(progress.refresh):
            return progress
        assert progress.end is not None  # noqa: S101
        self._parts.newer.gather()
        if progress.part is not None and progress.part.job is not None:
            self._parts.let_go(progress.part.job)
        return replace(progress, part=None, end=min(progress.end, _made(progress.refresh)))

    def _settled(self, part: Part) -> Part:
        """A part that goes on with its job, without what is newer; anew where that is too much to remember."""
        if part.job is None or self._parts.newer.settle(part.job.id):
            return part
        self._parts.let_go(part.job)
        return replace(part, job=None)

    # Windows

    def _windows(self, progress: Progress, *, beyond: bool = False) -> Generator[Page, None, Progress]:
        """Yield what changed, in windows that are halved where a query takes too long; see `_easier`."""
        windows = Windows(self._plan, self._now, self._latest, self._until, beyond)
        span: timedelta | None = None
        part: Part | None = progress.part or windows.first(progress.end or stamp(self._now))
        effort: Effort = "halves"
        while part is not None:
            try:
                progress = yield from self._through(replace(progress, part=part), "part", effort=effort)
            except TookTooLong as problem:
                part, effort = self._easier(problem, part, effort, windows)
                span = span_of(part) if effort == "halves" else span
                continue
            progress, effort = replace(progress, part=None, end=part.end), "halves"
            span = span * 2 if span else None
            part = windows.following(part.end, span)
        return progress

    def _easier(self, problem: TookTooLong, part: Part, effort: Effort, windows: Windows) -> tuple[Part, Effort]:
        """What to read instead of a window that takes too long, and how; raises `problem` where nothing is left.

        Half of it, a few times; then one Bulk job reads all that is left, for a job for each of many windows would use
        up a day's. Where Bulk may not, or does not, windows are halved to the shortest.
        """
        bulk = self._parts.may_use_bulk(part)
        if effort == "all" or (effort == "bulk" and bulk):
            raise problem
        self._halvings += 1
        if bulk and (self._halvings > HALVINGS or is_shortest(part)):
            return windows.rest(part), "bulk"
        return (part, "all") if is_shortest(part) else (windows.half(part), "halves")

    # Pages

    def _through(
        self, progress: Progress, name: Under, *, sweep: bool = False, effort: Effort = "all"
    ) -> Generator[Page, None, Progress]:
        """Yield the part under way to its end; each page's cursor goes on right behind it."""
        part: Part | None = getattr(progress, name)
        assert part is not None  # noqa: S101
        seen = 0
        for piece in self._parts.read(part, effort):
            progress = replace(progress, **{name: piece.part})  # type: ignore[arg-type]
            seen += len(piece.batch.records)
            yield _page(piece, encode(progress), sweep=sweep)
        if sweep and seen:
            yield Page((), encode(progress), swept=True)
        return progress


def _goes_on(part: Part | None) -> bool:
    """Whether a part is read by a job that an earlier run has begun."""
    return part is not None and part.job is not None and not part.done


def _made(part: Part) -> str:
    """When the job of a part was made."""
    return (part.job.made if part.job else None) or part.end


def _page(piece: Piece, cursor: Cursor, *, sweep: bool) -> Page:
    batch: Batch = piece.batch
    present: Sequence[str] = [record.key for record in batch.records] if sweep else ()
    return Page(batch.records, cursor, dict(batch.filtered), batch.gone, present, notes=(*piece.notes, *batch.notes))
