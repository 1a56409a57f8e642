"""What `memsync export` does: pages are read, and written to the screen or to a file that can be gone on with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from sync.commands import screen
from sync.commands.session import usable_maps
from sync.destination import insist
from sync.export.file import FileUnusable, PartFile, open_part
from sync.export.file import Progress as PartProgress
from sync.export.listing import Place, Seen, read_all
from sync.export.names import Known, columns_of, undefined, why_nothing
from sync.export.query import Query
from sync.export.shapes import Lines, Shape, Table
from sync.memory.errors import DestinationError, DestinationUnavailable
from sync.memory.records import Listing, listing_of, matches_of
from sync.reads import paced
from sync.request import Surroundings
from sync.spans import span


class Exported(NamedTuple):
    """How an export ended."""

    records: int
    calls: int
    seconds: float
    resumed: int = 0
    """Of the records, those that an earlier start of the same command wrote."""
    others: Sequence[str] = ()
    """Properties without a column of their own."""
    hints: Sequence[str] = ()
    """What a person may have got wrong: names that nothing has, or why nothing matches."""


class Wanted(NamedTuple):
    """What is exported, and in which form."""

    query: Query
    form: str
    page_size: int
    spreadsheet: bool = False

    def shape(self, columns: Sequence[str]) -> Shape:
        """How records are written."""
        return Table(self.query, columns, spreadsheet=self.spreadsheet) if self.form == "csv" else Lines(self.query)


def count_matches(query: Query, around: Surroundings) -> int:
    """How many records match; raises DestinationError."""
    client = around.destination.client
    total = matches_of(paced(lambda: client.search(query.counting()), around.pacer, around.stop.pause))
    if total is None:
        raise DestinationUnavailable("search: expected a number under data.totalMatched", ambiguous=False)
    return total


class _Pages:
    """Asks for pages, and keeps in mind which of the wanted properties no record had."""

    def __init__(self, query: Query, around: Surroundings) -> None:
        self._query, self._around = query, around
        self.unseen = dict.fromkeys(query.properties)

    def __call__(self, page: int, size: int) -> Listing:
        client, around = self._around.destination.client, self._around
        found = listing_of(paced(lambda: client.search(self._query.body(page, size)), around.pacer, around.stop.pause))
        if self.unseen:
            seen = {name for one in found.records for name in one.properties}
            self.unseen = {name: None for name in self.unseen if name not in seen}
        return found


def hints_of(query: Query, around: Surroundings, *, records: int, unseen: Sequence[str] = ()) -> Sequence[str]:
    """What to say of an export that found nothing, or not all properties; one more call, where there is a doubt."""
    if records and not unseen:
        return ()
    client = around.destination.client
    try:
        actions = insist(lambda: list(client.collections()), around.stop.pause)
    except DestinationError:  # the records are there all the same
        return ()
    maps, _ = usable_maps(None, around.settings)
    types = dict.fromkeys(one.mapping.entity_type for one in maps.values())
    known = Known(list(types), columns_of(actions, None))
    return [*([] if records else why_nothing(query, known)), *undefined(unseen, known)]


def _columns(wanted: Wanted, around: Surroundings) -> Sequence[str]:
    if wanted.form != "csv" or wanted.query.properties:
        return wanted.query.properties
    client = around.destination.client
    actions = insist(lambda: list(client.collections()), around.stop.pause)
    return columns_of(actions, wanted.query.entity_type)


def to_screen(wanted: Wanted, around: Surroundings) -> Exported:
    """Write records to standard output; raises DestinationError, Stopped."""
    shape, pages, written = wanted.shape(_columns(wanted, around)), _Pages(wanted.query, around), 0
    _print(shape.head, wanted.form)
    with Seen() as seen:
        for records, _ in read_all(pages, seen, Place(wanted.page_size)):
            around.stop.pause(0.0)
            _print(shape.text(records), wanted.form)
            written += len(records)
            if getattr(sys.stdout, "problem", None) is not None:
                break  # nobody reads on
    hints = hints_of(wanted.query, around, records=written, unseen=list(pages.unseen))
    return Exported(written, 0, 0.0, others=_others(shape), hints=hints)


def _print(text: str, form: str) -> None:
    if sys.stdout.isatty():  # where it goes to a program or a file, it stays as it is
        text = (
            screen.escaped(text)
            if form == "jsonl"
            else "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
        )
    sys.stdout.write(text)


def to_file(wanted: Wanted, output: Path, around: Surroundings) -> Exported:
    """Write records to a file, from where an earlier start left it; raises DestinationError, FileUnusable, Stopped."""
    mark = wanted.query.mark(wanted.form, str(wanted.spreadsheet), around.destination.name)
    fresh = PartProgress(mark, Place(wanted.page_size), _columns(wanted, around))
    with open_part(output, fresh) as part, Seen() as seen:
        shape, resumed = wanted.shape(part.progress.columns), part.progress.written
        if not part.progress.bytes:
            part.append(shape.head, 0, part.progress.place)
        elif seen.add(shape.ids(part.part)) != resumed:
            raise FileUnusable(f"{part.part} does not hold what its position says: remove both and begin anew")
        pages = _Pages(wanted.query, around)
        _fill(part, shape, pages, seen, around)
        written = part.progress.written
        hints = hints_of(wanted.query, around, records=written, unseen=list(pages.unseen))
        part.finish()
        return Exported(written, 0, 0.0, resumed, _others(shape), hints)


def _fill(part: PartFile, shape: Shape, ask: Callable[[int, int], Listing], seen: Seen, around: Surroundings) -> None:
    shown, before = screen.Progress(), part.progress.written
    for records, place in read_all(ask, seen, part.progress.place):
        part.append(shape.text(records), len(records), place)
        done = part.progress.written
        shown.tell(lambda seconds, done=done, place=place: _progress(done, done - before, place, seconds))  # type: ignore[misc]
        around.stop.pause(0.0)
    shown.clear()


def _progress(done: int, now: int, place: Place, seconds: float) -> str:
    again = f" (reading them again, {place.sweep}. time)" if place.sweep > 1 else ""
    rate = now / seconds if seconds > 0 else 0.0
    left = f"  {span((place.total - done) / rate)} left" if rate and place.total > done else ""
    return f"exported {done:,} of {place.total:,}{again}  {rate:,.0f} records/s{left}"


def _others(shape: Shape) -> Sequence[str]:
    return sorted(shape.others) if isinstance(shape, Table) else ()
