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
from typing import Any
from urllib.parse import urlencode

from connectors.base import Cursor, Page, SourceMisconfigured
from connectors.hubspot import Source, chores, windows
from connectors.hubspot.api import BATCH_LIMIT, Api, Portal
from connectors.hubspot.chores import is_due
from connectors.hubspot.cursor import Chore, Progress, decode, encode
from connectors.hubspot.metadata import KEY
from connectors.hubspot.plan import EARLIEST, Plan
from connectors.hubspot.records import Batch, Records
from connectors.hubspot.values import iso, since_epoch
from connectors.hubspot.windows import Found, Part, Window

LONGEST_QUERY = 8_000
"""Characters of a list's address; longer ones are refused by some servers on the way, so values come by batch."""
TOLERATED, FEW = 0.98, 50
"""The share, and the number, by which a list may be shorter than an index that lags."""
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
        self._seen: set[str] = set()

    def read(self, since: Cursor | None) -> Iterator[Page]:
        """Yield pages; the last one is empty and carries the cursor for the next run."""
        progress = self._begin(since)
        if progress.phase == "walk":
            yield from self._walk(progress)
            return
        first = progress.phase == "first"
        progress = yield from self._windows(progress)
        if first:  # nobody knows how many there are: the sweep waits its week
            progress = replace(progress, phase="done", swept=Chore(self._now))
        if self._until is None and not first:
            progress = yield from self._beside(progress)
        yield Page((), encode(progress))

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

    def _walk(self, progress: Progress) -> Iterator[Page]:
        names = self._listed()
        size = ACTIVITIES // 100 if self._plan.person else 1
        more = True
        while more:
            results: list[dict[str, Any]] = []
            for _ in range(size):
                page = self._api.page(self._plan.type, names, progress.after)
                results += page.results
                more = page.after is not None
                listed = progress.listed + len(page.results)
                progress = replace(progress, after=page.after, pages=progress.pages + 1, listed=listed)
                if not more:
                    break
            notes = () if more else self._missing(progress.listed)
            if not more:
                progress = self._walked(progress)
            batch = self._of_list(results, names)
            yield self._page(batch, progress, notes)

    def _listed(self) -> Sequence[str]:
        """The properties that fit into an address; only a stamp where they do not."""
        fits = len(urlencode({"properties": ",".join(self._plan.requested)})) <= LONGEST_QUERY
        return self._plan.requested if fits else (self._plan.modified,)

    def _of_list(self, results: list[dict[str, Any]], names: Sequence[str]) -> Batch:
        if names == self._plan.requested:
            return self._records.of_results(results)
        return self._records.by_ids([str(one["id"]) for one in results])

    def _walked(self, progress: Progress) -> Progress:
        """The position behind a walk: what changed while it went on is found by the next run."""
        begun = progress.end
        end = begun - min(self._plan.settle, begun)
        swept = Chore(begun, progress.pages)
        linked = Chore(begun, self._recent() // chores.LINKED_PER_CALL) if self._plan.person else None
        return replace(progress, phase="done", end=end, after=None, pages=0, listed=0, swept=swept, linked=linked)

    def _recent(self) -> int:
        """How many activities are young enough to be looked at again for associations."""
        young = _between(self._plan.created, self._young(), self._now)
        return self._api.search(self._plan.type, [young, *self._plan.filters], limit=1, properties=[KEY]).total

    def _young(self) -> int:
        """The stamp of making from which on that is done."""
        age = self._source.relink // timedelta(milliseconds=1) if isinstance(self._source.relink, timedelta) else 0
        return max(self._now - age, self._plan.start or 0, EARLIEST)

    def _missing(self, listed: int) -> Sequence[str]:
        """A remark where the list gave clearly fewer records than the search knows of."""
        total = self._api.search(self._plan.type, [], limit=1, properties=[KEY]).total
        if listed >= total * TOLERATED - FEW:
            return ()
        return (f"HubSpot's list gave {listed:,} records, its search knows {total:,}: check again later",)

    # Windows

    def _windows(self, progress: Progress) -> Generator[Page, None, Progress]:
        """Yield what lies between the last end, or a look back before it, and now; returns where that ends."""
        high = self._now - self._plan.settle
        high = high if self._until is None else min(high, self._until)
        progress = replace(progress, end=min(progress.end, high))  # a clock may have been ahead
        deep = is_due(progress.deep, self._now, chores.DEEP, chores.DEEP)
        back = max(self._plan.lookback, chores.DEEP // timedelta(milliseconds=1) if deep else 0)
        low = max(progress.end - back, self._plan.start or EARLIEST, EARLIEST)
        for part in self._parts(self._plan.modified, low, high, self._plan.filters):
            ended = replace(progress, end=max(progress.end, part.end))
            yield from self._pages(part, progress, ended)
            progress = ended
        return replace(progress, end=high, deep=Chore(self._now) if deep else progress.deep)

    def _pages(self, part: Part, before: Progress, behind: Progress) -> Iterator[Page]:
        """The records of a part: only the last page may move the cursor to its end."""
        size = ACTIVITIES if self._plan.person else BATCH_LIMIT
        notes = self._short(part)
        for start in range(0, len(part.ids), size):
            ids = part.ids[start : start + size]
            self._seen.update(ids if self._plan.person else ())
            last = start + size >= len(part.ids)
            yield self._page(self._records.by_ids(ids), behind if last else before, notes)

    def _short(self, part: Part) -> Sequence[str]:
        if not part.short:
            return ()
        said = f"HubSpot's search announced {part.short:,} records more than it gave, up to {iso(part.end)}"
        return (f"{said}: it is being changed or re-indexed; the next runs look there again",)

    def _parts(self, stamp: str, low: int, high: int, filters: Sequence[Any]) -> Iterator[Part]:
        of = self._plan.type

        def conditions(window: Window) -> list[Any]:
            made = [_between(stamp, window.low, window.high), *filters]
            return made if window.ids is None else [*made, _between(KEY, *window.ids)]

        def search(window: Window, after: str | None) -> Found:
            # An order that no change of a record moves: pages of one search then shift as little as can be.
            sorts = [{"propertyName": KEY, "direction": "ASCENDING"}]
            total, results, onward = self._api.search(of, conditions(window), after, sorts=sorts, properties=[stamp])
            return Found(total, [str(one["id"]) for one in results], onward)

        def extreme(window: Window, highest: bool) -> int | None:
            sorts = [{"propertyName": KEY, "direction": "DESCENDING" if highest else "ASCENDING"}]
            found = self._api.search(of, conditions(window), sorts=sorts, limit=1, properties=[stamp]).results
            return int(found[0]["id"]) if found and str(found[0]["id"]).isdecimal() else None

        return windows.parts(search, extreme, Window(low, high))

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
            calls = yield from self._counted(self._archived, progress)
            progress = replace(progress, archived=Chore(now, calls))
        if is_due(progress.swept, now, source.sweep, chores.SWEEP):
            calls = yield from self._counted(self._present, progress)
            progress = replace(progress, swept=Chore(now, calls))
        return progress

    def _counted(self, work: Callable[[Progress], Iterator[Page]], progress: Progress) -> Generator[Page, None, int]:
        before = self._api.caller.made.total()
        yield from work(progress)
        return self._api.caller.made.total() - before

    def _linked(self, progress: Progress) -> Iterator[Page]:
        """Recent activities once more: an association added later moves no stamp."""
        for part in self._parts(self._plan.created, self._young(), self._now, self._plan.filters):
            ids = [one for one in part.ids if one not in self._seen]
            for start in range(0, len(ids), ACTIVITIES):
                yield self._page(self._records.by_ids(ids[start : start + ACTIVITIES], counted=False), progress)

    def _archived(self, progress: Progress) -> Iterator[Page]:
        for ids in self._api.ids(self._plan.type, archived=True):
            yield Page((), encode(progress), gone=dict.fromkeys(map(self._records.name_of, ids), "archived"))

    def _present(self, progress: Progress) -> Iterator[Page]:
        """All ids there are; absence counts only where the list is as long as the search says it is."""
        listed = 0
        for ids in self._api.ids(self._plan.type, archived=False):
            listed += len(ids)
            yield Page((), encode(progress), present=[self._records.name_of(one) for one in ids])
        notes = self._missing(listed)
        yield Page((), encode(progress), swept=not notes, notes=notes)

    def _page(self, batch: Batch, progress: Progress, notes: Sequence[str] = ()) -> Page:
        filtered = {reason: number for reason, number in batch.filtered.items() if number}
        return Page(batch.records, encode(progress), filtered, batch.gone, notes=(*notes, *batch.notes))


def _between(name: str, low: int, high: int) -> dict[str, str]:
    return {"propertyName": name, "operator": "BETWEEN", "value": str(low), "highValue": str(high)}
