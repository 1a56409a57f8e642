"""Reads a stream page by page, and says where it is safe to resume.

The first reading goes through the list, which is complete and has a place to go on from. With `start`, `until`, or a
`where` that asks for more than which properties are filled, it goes through windows of a search. Later readings are
windows, from a look back before the last end up to now. Beside them: what was archived, what is absent, and whom
recent activities were linked to since.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from connectors.base import ConnectorError, Cursor, Page, SourceMisconfigured, SourceRefused
from connectors.hubspot import Source, chores
from connectors.hubspot.answers import ListPage, Result
from connectors.hubspot.api import BATCH_LIMIT, Api, Portal
from connectors.hubspot.chores import is_due
from connectors.hubspot.circles import Circle, Seen
from connectors.hubspot.completeness import shortfall
from connectors.hubspot.cursor import Chore, Progress, decode, encode
from connectors.hubspot.faults import RequestRefused
from connectors.hubspot.metadata import KEY
from connectors.hubspot.plan import EARLIEST, Plan
from connectors.hubspot.records import Batch, Records
from connectors.hubspot.searching import between, parts_of
from connectors.hubspot.values import since_epoch
from connectors.hubspot.windows import Part, Window

LONGEST_QUERY = 8_000
"""Characters of a list's address; longer ones are refused by some servers on the way, so values come by batch."""
ACTIVITIES = 500
"""Records of one page where associations are read too: fewer calls, and still few in memory."""


class Reader:
    """One reading of a stream, from the beginning or from a saved cursor."""

    def __init__(
        self, source: Source, api: Api, plan: Plan, portal: Portal, records: Records, until: datetime | None = None
    ) -> None:
        self._source, self._api, self._plan, self._portal = source, api, plan, portal
        self._records = records
        self._until = None if until is None else since_epoch(until) - 1
        self._now = since_epoch(api.caller.now())
        self._seen = Seen()
        self._restarted, self._circle = False, Circle(f"listing {plan.type.name}")
        self._walk_began: int | None = None
        """Set where the search goes on behind a list: what that gave is not read again."""
        self._refused: ConnectorError | None = None

    def read(self, since: Cursor | None) -> Iterator[Page]:
        """Yield pages; the last one is empty and carries the cursor for the next run."""
        progress = self._begin(since)
        if progress.phase == "walk":
            progress = yield from self._walk(progress)
            if progress.phase == "done" or not self._seen.whole:  # else what was just read would be sent twice
                return
        first = progress.phase == "first"
        progress = yield from self._windows(progress)
        if first:  # nobody knows how many there are: the sweep waits its week
            progress = replace(progress, phase="done", swept=Chore(self._now))
        if self._until is None and not first:
            progress = yield from self._beside(progress)
        yield Page((), encode(progress))
        if self._refused is not None:
            raise self._refused

    # Where to begin

    def _begin(self, since: Cursor | None) -> Progress:
        saved = None if since is None else decode(since)
        if saved is not None and saved.portal and self._portal.id and saved.portal != self._portal.id:
            raise SourceMisconfigured(
                f"this stream has read the HubSpot account {saved.portal} so far, and the token belongs to account "
                f"{self._portal.id}: give the other account a stream of its own (`connection`), or begin anew with "
                "`memsync run STREAM --full`"
            )
        if (
            saved is None
            or saved.definition != self._plan.definition
            or (saved.phase == "done" and self._plan.reads_all)
        ):
            return self._anew()
        return replace(saved, portal=saved.portal or self._portal.id)

    def _anew(self) -> Progress:
        """A first reading: by windows where only a part is wanted, so that the rest costs nothing."""
        bounded = self._plan.presence is None or self._plan.start is not None or self._until is not None
        end = (self._plan.start or EARLIEST) - 1
        now = Chore(self._now)
        begun = Progress(self._portal.id, self._plan.definition, "first", end, deep=now)
        return begun if bounded else replace(begun, phase="walk", end=self._now)

    # The first reading: the list

    def _walk(self, progress: Progress) -> Generator[Page, None, Progress]:
        """Yield the list's records; returns the position behind it, or where the search goes on instead."""
        names = self._listed()
        size = ACTIVITIES // 100 if self._plan.person else 1
        more = True
        while more:
            results: list[Result] = []
            notes: list[str] = []
            for _ in range(size):
                page, progress = self._turned(names, progress, notes)
                if names == self._plan.requested:
                    self._records.require_given(page.results)
                new = [one for one in page.results if self._seen.add(one["id"])]
                results += new
                self._circle.step(page.after, fruitful=bool(new))
                more = page.after is not None
                progress = replace(
                    progress, after=page.after, pages=progress.pages + 1, listed=progress.listed + len(new)
                )
                if not more:
                    break
            if not more:
                progress = self._walked(progress, notes)
            yield self._page(self._of_list(results, names), progress, notes)
        return progress

    def _turned(self, names: Sequence[str], progress: Progress, notes: list[str]) -> tuple[ListPage, Progress]:
        """The next page of the list; from the first one on where its saved place is no longer known.

        A place that is refused once more ends the list, so that the search brings what it holds behind that.
        """
        try:
            return self._api.page(self._plan.type, names, progress.after), progress
        except RequestRefused:
            if progress.after is None:
                raise
        if self._restarted:
            return ListPage([], None), progress
        self._restarted, self._circle = True, Circle(f"listing {self._plan.type.name}")
        notes.append("HubSpot does not know any more where its list was left: it is read from the beginning again")
        self._seen = Seen()
        progress = replace(progress, after=None, pages=0, listed=0)
        return self._api.page(self._plan.type, names, None), progress

    def _listed(self) -> Sequence[str]:
        """The properties that fit into an address; only a stamp where they do not."""
        fits = len(urlencode({"properties": ",".join(self._plan.requested)})) <= LONGEST_QUERY
        return self._plan.requested if fits else (self._plan.modified,)

    def _of_list(self, results: list[Result], names: Sequence[str]) -> Batch:
        if names == self._plan.requested:
            return self._records.of_results(results)
        return self._records.by_ids([one["id"] for one in results])

    def _walked(self, progress: Progress, notes: list[str]) -> Progress:
        """The position behind a walk: what changed while it went on is found by the next run.

        A list that ended early is no end: everything is read through windows of the search then.
        """
        begun = progress.end
        behind = replace(progress, after=None, pages=0, listed=0)
        if known := shortfall(self._api, self._plan, progress.listed, begun):
            self._walk_began = begun
            who = "the others are read" if self._seen.whole else "the next run reads all"
            notes.append(f"{_short(progress.listed, known)}: {who} through the search")
            return replace(behind, phase="first", end=EARLIEST - 1)
        end = begun - min(self._plan.settle, begun)
        swept = Chore(begun, progress.pages)
        linked = Chore(begun, self._recent() // chores.LINKED_PER_CALL) if self._plan.person else None
        return replace(behind, phase="done", end=end, swept=swept, linked=linked)

    def _recent(self) -> int:
        """How many activities are young enough to be looked at again for associations."""
        young = between(self._plan.created, self._young(), self._now)
        return self._api.search(self._plan.type, [young, *self._plan.filters], limit=1, properties=[KEY]).total

    def _young(self) -> int:
        """The stamp of making from which on that is done."""
        age = self._source.relink // timedelta(milliseconds=1) if isinstance(self._source.relink, timedelta) else 0
        return max(self._now - age, self._plan.start or 0, EARLIEST)

    # Windows

    def _windows(self, progress: Progress) -> Generator[Page, None, Progress]:
        """Yield what lies between the last end, or a look back before it, and now; returns where that ends."""
        high = self._now - self._plan.settle
        high = min(high, *(one for one in (self._until, self._walk_began) if one is not None), self._now)
        progress = replace(progress, end=min(progress.end, high))  # a clock may have been ahead
        deep = is_due(progress.deep, self._now, chores.DEEP, chores.DEEP)
        low = max(chores.back(progress, self._plan.lookback, deep=deep), self._plan.start or EARLIEST, EARLIEST)
        for part in self._parts(self._plan.modified, low, high):
            ended = replace(progress, end=max(progress.end, part.end))
            yield from self._pages(part, progress, ended)
            progress = ended
        return replace(progress, end=high, deep=Chore(self._now) if deep else progress.deep)

    def _pages(self, part: Part, before: Progress, behind: Progress) -> Iterator[Page]:
        """The records of a part: only the last page may move the cursor to its end."""
        size = ACTIVITIES if self._plan.person else BATCH_LIMIT
        ids = part.ids if self._walk_began is None else [one for one in part.ids if one not in self._seen]
        for start in range(0, len(ids), size):
            last = start + size >= len(ids)
            yield self._page(self._records.by_ids(ids[start : start + size]), behind if last else before)

    def _parts(self, stamp: str, low: int, high: int) -> Iterator[Part]:
        return parts_of(self._api, self._plan.type, stamp, Window(low, high), self._plan.filters)

    # Beside the reading

    def _beside(self, progress: Progress) -> Generator[Page, None, Progress]:
        """Yield pages of what is due beside the changed records; returns where the run ends."""
        now, source = self._now, self._source
        if (
            self._plan.person
            and source.relink != "never"
            and is_due(progress.linked, now, None, chores.LINKED, chores.LINKED_CHEAP)
        ):
            calls = yield from self._counted(self._linked, progress)
            progress = replace(progress, linked=Chore(now, calls))
        if is_due(progress.archived, now, source.archived, chores.ARCHIVED):
            try:
                calls = yield from self._counted(self._archived, progress)
                progress = replace(progress, archived=Chore(now, calls))
            except (RequestRefused, SourceRefused) as error:  # told when all else is done
                self._refused = chores.without_archived(error)
        if is_due(progress.swept, now, source.sweep, chores.SWEEP):
            progress = yield from self._present(progress)
        return progress

    def _counted(self, work: Callable[[Progress], Iterator[Page]], progress: Progress) -> Generator[Page, None, int]:
        before = self._api.caller.made.total()
        yield from work(progress)
        return self._api.caller.made.total() - before

    def _linked(self, progress: Progress) -> Iterator[Page]:
        """Recent activities once more: an association added later moves no stamp."""
        for part in self._parts(self._plan.created, self._young(), self._now):
            ids = [one for one in part.ids if one not in self._seen]
            for start in range(0, len(ids), ACTIVITIES):
                yield self._page(self._records.by_ids(ids[start : start + ACTIVITIES], counted=False), progress)

    def _archived(self, progress: Progress) -> Iterator[Page]:
        for ids in self._api.ids(self._plan.type, archived=True):
            gone = [one for one in ids if one not in self._seen]
            if gone and not self._seen.whole:  # it may have been read alive a while ago
                alive = {one["id"] for one in self._api.batch(self._plan.type, gone, (KEY,))}
                gone = [one for one in gone if one not in alive]
            yield Page((), encode(progress), gone=dict.fromkeys(map(self._records.name_of, gone), "archived"))

    def _present(self, progress: Progress) -> Generator[Page, None, Progress]:
        """Yield all ids there are; absence counts only where the list is as long as the search says it is."""
        listed, before = 0, self._api.caller.made.total()
        for ids in self._api.ids(self._plan.type, archived=False):
            listed += len(ids)
            yield Page((), encode(progress), present=[self._records.name_of(one) for one in ids])
        if known := shortfall(self._api, self._plan, listed, self._now):
            notes = (f"{_short(listed, known)}: erased records are looked for again later",)
            yield Page((), encode(progress), notes=notes)
            return replace(progress, swept=chores.put_off(progress.swept, self._now, self._source.sweep, listed))
        yield Page((), encode(progress), swept=True)
        return replace(progress, swept=Chore(self._now, self._api.caller.made.total() - before))

    def _page(self, batch: Batch, progress: Progress, notes: Sequence[str] = ()) -> Page:
        for one in batch.ids:
            self._seen.add(one)
        filtered = {reason: number for reason, number in batch.filtered.items() if number}
        gone = {self._records.name_of(one): word for one, word in batch.gone.items() if one not in self._seen}
        return Page(batch.records, encode(progress), filtered, gone, notes=(*notes, *batch.notes))


def _short(listed: int, known: int) -> str:
    return f"HubSpot's list gave {listed:,} records, its search knows {known:,}"
