"""Reads a stream page by page, and says where it is safe to resume.

The first reading takes all records; later ones take windows of stamps, from a look back before the last end up to the
server's present. Within each of them records come by REST in the order of their ids, or by a Bulk job.
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
from connectors.salesforce.parts import SHORTEST, Parts, Piece, is_shortest
from connectors.salesforce.plan import Plan
from connectors.salesforce.records import Batch
from connectors.salesforce.values import moment, stamp

SECOND = timedelta(seconds=1)
_NEARLY = 0.95
"""Of the time between refreshes: a daily run does not begin at the same second every day."""
Under = Literal["part", "refresh"]
"""Which of the two readings that a position may hold."""


class Reader:
    """One reading of a stream, from the beginning or from a saved cursor."""

    def __init__(
        self, source: Source, caller: Caller, plan: Plan, org: str | None, parts: Parts, until: datetime | None = None
    ) -> None:
        self._source, self._plan, self._org, self._parts = source, plan, org, parts
        self._until = until
        self._now = caller.now()

    def read(self, since: Cursor | None) -> Iterator[Page]:
        """Yield pages; the last one is empty and carries the cursor for the next run."""
        progress = self._begin(since)
        if progress.end is None or self._plan.reads_all:
            progress = yield from self._everything(progress)
        else:
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
        if saved is None or saved.definition != self._plan.definition:
            return Progress(self._org, self._plan.definition)
        return replace(saved, org=saved.org or self._org)

    # Everything

    def _everything(self, progress: Progress) -> Generator[Page, None, Progress]:
        """Yield all records, from where it was interrupted; returns the position behind them."""
        begun = progress.part or self._whole()
        fresh = progress.part is None
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
        return progress.whole is None or self._now - moment(progress.whole) >= every * _NEARLY

    def _again(self, progress: Progress) -> Generator[Page, None, Progress]:
        """Yield all records once more: what moved no stamp, such as formulas, and a sweep for erased ones."""
        begun = progress.refresh or self._whole()
        progress = replace(progress, refresh=begun)
        sweep = begun.after is None and begun.job is None and begun.low is None
        progress = yield from self._through(progress, "refresh", sweep=sweep)
        return replace(progress, refresh=None, whole=begun.end)

    # Windows

    def _windows(self, progress: Progress) -> Generator[Page, None, Progress]:
        """Yield what changed, in windows that are halved where a query takes too long."""
        present = self._present()
        span: timedelta | None = None
        part = progress.part or self._window(progress, present, span, again=True)
        while part is not None:
            try:
                progress = yield from self._through(replace(progress, part=part), "part", halves=True)
            except TookTooLong:
                if is_shortest(part):
                    raise
                span = (moment(part.high or part.end) - moment(part.low or part.end)) / 2
                part = self._cut(part, span)
                continue
            progress = replace(progress, part=None, end=part.end)
            span = span * 2 if span else None
            part = self._window(progress, present, span)
        return progress

    def _present(self) -> datetime:
        """Where the last window ends: the second that has begun counts where the look back comes over it again."""
        present = self._now - self._plan.settle
        if not self._plan.settle and self._plan.lookback:
            present += SECOND
        return present if self._until is None else min(present, self._until)

    def _window(
        self, progress: Progress, present: datetime, span: timedelta | None, *, again: bool = False
    ) -> Part | None:
        """The next window up to the present; `again`: one at least, for a second may have gone on since its end."""
        assert progress.end is not None  # noqa: S101
        end = moment(progress.end)
        if end >= present and not again:
            return None
        present = max(present, end)
        low = end if span is not None else end - self._plan.lookback
        high = present if span is None else min(end + span, present)
        return Part(end=stamp(high), low=stamp(low), high=stamp(high))

    def _cut(self, part: Part, span: timedelta) -> Part:
        high = stamp(moment(part.low or part.end) + max(span, SHORTEST))
        return Part(end=high, low=part.low, high=high)

    # Pages

    def _through(
        self, progress: Progress, name: Under, *, sweep: bool = False, halves: bool = False
    ) -> Generator[Page, None, Progress]:
        """Yield the part under way to its end; each page's cursor goes on right behind it."""
        part: Part | None = getattr(progress, name)
        assert part is not None  # noqa: S101
        seen = 0
        for piece in self._parts.read(part, halves=halves):
            progress = replace(progress, **{name: piece.part})  # type: ignore[arg-type]
            seen += len(piece.batch.records)
            yield _page(piece, encode(progress), sweep=sweep)
        if sweep and seen:
            yield Page((), encode(progress), swept=True)
        return progress


def _page(piece: Piece, cursor: Cursor, *, sweep: bool) -> Page:
    batch: Batch = piece.batch
    present: Sequence[str] = [record.key for record in batch.records] if sweep else ()
    return Page(batch.records, cursor, dict(batch.filtered), batch.gone, present, notes=piece.notes)
