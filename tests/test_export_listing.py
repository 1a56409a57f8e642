"""Reading every page while memory moves: each record once, none left out, and no short listing taken for whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sync.export.listing import Batch, ListingCutShort, Place, Seen, read_all
from sync.memory.errors import AnswerTooLarge, ChunkRefused
from sync.memory.records import Listing, Stored


class Memory:
    """Records in an order, listed by page; `before` may move them before each page is given."""

    def __init__(self, records: int, before: Callable[[Memory, int], None] = lambda *_: None) -> None:
        self.ids = [f"r{n}" for n in range(records)]
        self.before, self.asked = before, list[tuple[int, int]]()

    def __call__(self, page: int, size: int) -> Listing:
        self.asked.append((page, size))
        self.before(self, len(self.asked))
        start = (page - 1) * size
        return Listing([Stored(one, {}, None) for one in self.ids[start : start + size]], len(self.ids))


def read(ask: Callable[[int, int], Listing], place: Place | None = None, known: list[str] | None = None) -> list[str]:
    with Seen() as seen:
        seen.add(known or [])
        return [one.id for batch in read_all(ask, seen, place or Place(10)) for one in batch.records]


def test_every_record_is_listed_once_with_as_few_calls_as_pages() -> None:
    for records, pages in ((0, 1), (1, 1), (10, 1), (11, 2), (95, 10)):
        memory = Memory(records)
        assert read(memory) == memory.ids
        assert len(memory.asked) == pages


def test_records_that_come_meanwhile_make_no_double_and_no_hole() -> None:
    def grow(memory: Memory, asked: int) -> None:
        memory.ids = [f"new{asked}", *memory.ids] if asked <= 5 else memory.ids

    memory = Memory(95, grow)
    found = read(memory)
    assert sorted(found) == sorted(memory.ids)


def test_records_that_go_meanwhile_take_none_behind_them_along() -> None:
    def shrink(memory: Memory, asked: int) -> None:
        if asked == 4:
            del memory.ids[:7]

    memory = Memory(95, shrink)
    found = read(memory)
    assert set(memory.ids) <= set(found)
    assert len(found) == len(set(found)) == 95


def test_records_that_come_do_not_make_up_for_those_that_others_hid_by_going() -> None:
    def replace(memory: Memory, asked: int) -> None:
        if asked == 4:
            del memory.ids[:5]  # five others move up to pages that were read
        if asked == 6:
            memory.ids += [f"new{n}" for n in range(5)]

    memory = Memory(95, replace)
    assert set(memory.ids) <= set(read(memory))


def test_records_that_change_places_are_all_found() -> None:
    def touch(memory: Memory, asked: int) -> None:
        if asked in (3, 5):  # one that was not read yet comes first, as where the newest are listed first
            memory.ids = [memory.ids[-1], *memory.ids[:-1]]

    memory = Memory(95, touch)
    found = read(memory)
    assert sorted(found) == sorted(memory.ids)
    assert len(memory.asked) == 20


def test_a_memory_that_never_keeps_still_is_no_whole_export() -> None:
    def roll(memory: Memory, asked: int) -> None:
        if asked % 3 == 0:
            memory.ids = [memory.ids[-1], *memory.ids[:-1]]
            memory.ids[-1] = f"late{asked}"

    with pytest.raises(ListingCutShort, match="3 times and never kept still"):
        read(Memory(95, roll))


def test_a_server_that_stops_paging_is_found_out_at_once() -> None:
    memory = Memory(95)
    with pytest.raises(ListingCutShort, match=r"gives nothing on page 6, after 50 of 95 .*--where") as told:
        read(lambda page, size: Listing([], 95) if page > 5 else memory(page, size))
    assert "cannot be paged further" in str(told.value)
    assert len(memory.asked) == 5


def test_a_server_that_refuses_a_deep_page_is_no_short_export() -> None:
    memory = Memory(95)

    def capped(page: int, size: int) -> Listing:
        if page > 5:
            raise ChunkRefused("POST /search: refused (HTTP 400: too deep)", "validation_error")
        return memory(page, size)

    with pytest.raises(ListingCutShort, match="refuses page 6"):
        read(capped)


def test_a_server_that_gives_the_first_page_for_ever_is_found_out() -> None:
    memory = Memory(95)
    with pytest.raises(ListingCutShort, match="gives page 1 again as page 2"):
        read(lambda _, size: memory(1, size))


def test_a_server_with_smaller_pages_than_asked_for_is_read_to_the_end() -> None:
    memory = Memory(95)
    assert read(lambda page, _: memory(page, 4)) == memory.ids


def test_an_answer_without_a_number_of_matches_or_without_ids_is_refused() -> None:
    with pytest.raises(ListingCutShort, match="totalMatched"):
        read(lambda *_: Listing([Stored("a", {}, None)], None))
    with pytest.raises(ListingCutShort, match="without an id"):
        read(lambda *_: Listing([Stored("", {}, None)], 1))


def test_pages_that_are_too_large_are_asked_for_in_halves_from_the_same_place() -> None:
    memory = Memory(95)

    def narrow(page: int, size: int) -> Listing:
        if size > 5 and page > 2:
            raise AnswerTooLarge("too large")
        return memory(page, size)

    assert read(narrow) == memory.ids
    with pytest.raises(AnswerTooLarge):
        read(lambda *_: narrow(9, 9), Place(9))


def test_a_reading_goes_on_from_its_place() -> None:
    memory = Memory(95)
    with Seen() as seen:
        pages: list[Batch] = []
        for batch in read_all(memory, seen, Place(10)):
            pages.append(batch)
            if len(pages) == 4:
                break
    known = [one.id for batch in pages for one in batch.records]
    assert known + read(memory, pages[-1].place, known) == memory.ids
    assert len(memory.asked) == 10


def test_a_second_look_that_was_cut_off_begins_anew_and_lists_only_what_is_new() -> None:
    memory = Memory(95)
    place = Place(10, sweep=2, page=6, listed=50, distinct=50, total=95)
    assert read(memory, place, memory.ids[:90]) == memory.ids[90:]
    assert memory.asked[0] == (1, 10)
