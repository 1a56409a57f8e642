"""Reading every page of a search, and knowing whether that was all.

Pages are numbered, and a record that comes or goes meanwhile moves all behind it to another page: some would be listed
twice and others never. So records are counted by their ids. A sweep over all pages was whole when the number of matches
never fell and as many different records were seen as the highest number told; otherwise another sweep looks for
those that were missed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from sync.memory.errors import AnswerTooLarge, ChunkRefused, DestinationError
from sync.memory.records import Listing, Stored

SWEEPS = 3
"""Readings of all pages before it is said that memory does not keep still."""
Ask = Callable[[int, int], Listing]
"""Asks for a page (from 1 on) of so many records; raises DestinationError."""


class ListingCutShort(DestinationError):
    """The server does not give all that it counts, so there is no whole export."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far the reading has come."""

    size: int
    """Records of a page."""
    sweep: int = 1
    page: int = 1
    """The next one to read."""
    listed: int = 0
    """Records that this sweep was given, the same one twice where it was listed twice."""
    distinct: int = 0
    """Different ones among them."""
    total: int = 0
    """The highest number of matches that the server told in this sweep."""
    fell: bool = False
    """Whether that number fell meanwhile: records went, and those behind them moved up."""

    @property
    def is_whole(self) -> bool:
        """Whether this sweep saw every record, if it is at its end."""
        return not self.fell and self.distinct >= self.total


class Batch(NamedTuple):
    """The records of a page that no page had before, and the place behind it."""

    records: Sequence[Stored]
    place: Place


class Seen:
    """The ids of all records so far, in a file that ends with the process: millions of them take no memory."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, sweep INTEGER NOT NULL) WITHOUT ROWID")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, ids: Iterable[str]) -> int:
        """Enter records of the first sweep that were written before; returns how many."""
        self._file.execute("BEGIN")
        self._file.executemany("INSERT OR IGNORE INTO seen VALUES (?, 1)", ((one,) for one in ids))
        self._file.execute("COMMIT")
        return int(self._file.execute("SELECT count(*) FROM seen").fetchone()[0])

    def enter(self, id: str, sweep: int) -> tuple[bool, bool]:
        """Enter a record; returns whether it is new at all, and whether it is new in this sweep."""
        found = self._file.execute("SELECT sweep FROM seen WHERE id = ?", (id,)).fetchone()
        if found is None:
            self._file.execute("INSERT INTO seen VALUES (?, ?)", (id, sweep))
        elif found[0] != sweep:
            self._file.execute("UPDATE seen SET sweep = ? WHERE id = ?", (sweep, id))
        return found is None, found is None or found[0] != sweep


def read_all(ask: Ask, seen: Seen, place: Place) -> Iterator[Batch]:
    """Yield what is new, page by page from a place on, until a sweep was whole; raises ListingCutShort."""
    if place.sweep > 1:  # what its earlier pages held is not known any more
        place = Place(place.size, place.sweep)
    while True:
        for batch in _sweep(ask, seen, place):
            place = batch.place
            yield batch
        if place.is_whole:
            return
        if place.sweep == SWEEPS:
            raise ListingCutShort(
                f"memory was read {SWEEPS} times and never kept still: {place.distinct:,} different records were "
                f"listed last, and {place.total:,} counted. Go on with the same command when no run is writing"
            )
        place = Place(place.size, place.sweep + 1)


def _sweep(ask: Ask, seen: Seen, place: Place) -> Iterator[Batch]:
    before: list[str] = []
    while True:
        place, listing = _ask(ask, place)
        ids = [one.id for one in listing.records]
        _check(listing, ids, before, place)
        before = ids
        marks = [seen.enter(one, place.sweep) for one in ids]
        total = listing.total or 0
        place = replace(
            place,
            page=place.page + 1,
            listed=place.listed + len(ids),
            distinct=place.distinct + sum(fresh for _, fresh in marks),
            total=max(place.total, total),
            fell=place.fell or total < place.total,
        )
        yield Batch([one for one, (new, _) in zip(listing.records, marks, strict=True) if new], place)
        if place.listed >= total:
            return


def _ask(ask: Ask, place: Place) -> tuple[Place, Listing]:
    """One page; smaller ones from here on, where an answer is too large to be taken."""
    while True:
        try:
            return place, ask(place.page, place.size)
        except AnswerTooLarge:
            if place.size % 2 or place.listed != (place.page - 1) * place.size:
                raise
            place = replace(place, size=place.size // 2, page=(place.page - 1) * 2 + 1)
        except ChunkRefused as refused:
            if place.page == 1:
                raise
            raise _short(place, f"refuses page {place.page:,} ({refused})") from None


def _check(listing: Listing, ids: Sequence[str], before: Sequence[str], place: Place) -> None:
    """Refuse an answer behind which records would be missing."""
    if listing.total is None:
        raise ListingCutShort("search: expected a number under data.totalMatched; without it no export is known whole")
    if not all(ids):
        raise ListingCutShort("search: the answer holds records without an id, so none is known to be there once")
    if not ids and place.listed < listing.total:
        raise _short(replace(place, total=listing.total), f"gives nothing on page {place.page:,}")
    if ids and list(before) == list(ids) and listing.total <= place.total:
        raise _short(replace(place, total=listing.total), f"gives page {place.page - 1:,} again as page {place.page:,}")


def _short(place: Place, what: str) -> ListingCutShort:
    return ListingCutShort(
        f"search: the server {what}, after {place.listed:,} of {place.total:,} records, so it cannot be paged further; "
        "nothing short is handed over: narrow it with --where and export it in parts"
    )
