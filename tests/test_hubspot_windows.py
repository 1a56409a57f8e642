"""Finding everything although a search gives 10,000 results, in any order, while records change."""

from __future__ import annotations

import random

import pytest

from connectors.base import SourceUnreachable
from connectors.hubspot.windows import LEAF, MOST, Found, Window, Windows


def parts(search, extreme, window):
    return Windows(search, extreme).parts(window)


class Index:
    """A search over (id, stamp) pairs: at most 10,000 results of 200 a page, in an order of its own."""

    def __init__(self, stamps: dict[int, int], *, as_text: bool = False) -> None:
        self.stamps, self.as_text, self.calls = stamps, as_text, 0
        self.order = list(stamps)
        random.Random(7).shuffle(self.order)
        self.before_page = None
        self.found: dict[Window, list[int]] = {}

    def matches(self, window: Window) -> list[int]:
        if window in self.found and self.before_page is None:
            return self.found[window]
        self.found = {window: self.matching(window)}
        return self.found[window]

    def matching(self, window: Window) -> list[int]:
        low, high = window.ids or (0, 2**70)
        if self.as_text and window.ids:
            inside = lambda one: str(low) <= str(one) <= str(high)  # noqa: E731
        else:
            inside = lambda one: low <= one <= high  # noqa: E731
        return [one for one in self.order if window.low <= self.stamps[one] <= window.high and inside(one)]

    def search(self, window: Window, after: str | None) -> Found:
        self.calls += 1
        if self.before_page:
            self.before_page(self.calls)
        found, start = self.matches(window), int(after or 0)
        assert start + 200 <= MOST, "after + limit beyond 10,000 is refused"
        onward = str(start + 200) if start + 200 < len(found) else None
        return Found(len(found), [str(one) for one in found[start : start + 200]], onward)

    def extreme(self, window: Window, highest: bool) -> int | None:
        self.calls += 1
        found = self.matches(window)
        return (max if highest else min)(found) if found else None

    def all(self, low: int, high: int):
        return list(parts(self.search, self.extreme, Window(low, high)))


def ids(found) -> set[int]:
    return {int(one) for part in found for one in part.ids}


def spread(number: int, first: int = 1, start: int = 0, step: int = 24) -> dict[int, int]:
    return {first + n: start + n * step for n in range(number)}


def test_a_small_window_takes_one_call():
    index = Index(spread(150))
    assert ids(index.all(0, 10**6)) == set(index.stamps)
    assert index.calls == 1


def test_an_empty_window_takes_one_call():
    index = Index({})
    assert [part.end for part in index.all(0, 10**6)] == [10**6]
    assert index.calls == 1


def test_a_window_that_ends_before_it_begins_takes_none():
    index = Index(spread(3))
    assert index.all(5, 4) == []
    assert index.calls == 0


def test_25_000_records_in_ten_minutes_are_all_found_whatever_their_order():
    index = Index(spread(25_000))
    assert ids(index.all(0, 600_000)) == set(index.stamps)


def test_25_400_records_of_one_millisecond_are_all_found_beside_others_and_cheaply():
    index = Index(spread(25_000) | dict.fromkeys(range(100_000, 125_400), 300_000))
    found = index.all(0, 600_000)
    assert ids(found) == set(index.stamps)
    assert index.calls <= 450


def test_parts_come_in_the_order_of_time_and_an_end_is_never_passed_before_all_of_it_is_read():
    index = Index(spread(9_000) | dict.fromkeys(range(100_000, 110_000), 77_777))
    seen: set[int] = set()
    last = -1
    for part in parts(index.search, index.extreme, Window(0, 600_000)):
        seen |= {int(one) for one in part.ids}
        assert part.end >= last
        last = part.end
        assert {one for one, stamp in index.stamps.items() if stamp <= part.end} <= seen
    assert last == 600_000


def test_no_part_is_larger_than_what_is_read_at_once():
    index = Index(spread(30_000))
    assert max(len(part.ids) for part in index.all(0, 10**6)) <= LEAF


@pytest.mark.parametrize("first", [7, 998, 7_198, 95_000])
def test_ids_that_are_compared_as_text_are_all_found(first):
    index = Index({first + n * 10_007: 5 for n in range(12_000)}, as_text=True)
    assert ids(index.all(0, 10)) == set(index.stamps)


def test_ids_that_a_search_does_not_give_by_range_are_an_error():
    index = Index(dict.fromkeys(range(1_000, 13_000), 5))
    whole = index.matching
    index.matching = lambda window: [one for one in whole(window) if window.ids is None or one % 3]
    with pytest.raises(SourceUnreachable, match=r"announces 12,000 records of one millisecond and gives 0.*--full"):
        index.all(0, 10)


def test_hints_of_lowest_and_highest_ids_that_are_wrong_lose_nothing():
    index = Index(dict.fromkeys(range(1_000, 16_000), 5))
    index.extreme = lambda window, highest: 9_000 if highest else 8_000
    assert ids(index.all(0, 10)) == set(index.stamps)


def test_a_record_that_moves_away_while_pages_are_read_costs_no_other_record():
    index = Index(spread(1_000))

    def move(call: int) -> None:
        if call == 3:  # one of the first page leaves, so that all others move up by one
            index.stamps[index.order[0]] = 10**9

    index.before_page = move
    moved = index.order[0]
    assert ids(index.all(0, 10**6)) >= set(index.stamps) - {moved}


def test_a_window_that_grows_too_large_while_it_is_read_is_parted():
    index = Index(spread(3_900))

    def grow(call: int) -> None:
        if call == 3:
            more = spread(8_000, first=50_000, start=100)
            index.stamps |= more
            index.order += list(more)

    index.before_page = grow
    assert ids(index.all(0, 10**6)) == set(index.stamps)


def test_an_empty_page_with_a_next_one_is_no_end():
    pages = {None: Found(3, [], "200"), "200": Found(3, ["1"], "400"), "400": Found(3, ["2", "3"], None)}
    (part,) = parts(lambda _, after: pages[after], lambda *_: None, Window(0, 9))
    assert part.ids == ["1", "2", "3"]


def test_a_search_that_repeats_itself_ends_with_an_error_and_not_never():
    with pytest.raises(SourceUnreachable, match="same place"):
        list(parts(lambda *_: Found(3, ["1"], "200"), lambda *_: None, Window(0, 9)))


def test_results_that_stay_short_of_the_announced_number_are_handed_on_and_move_no_position():
    found, paused = [], []
    reading = Windows(lambda *_: Found(5, ["1", "2", "3"], None), lambda *_: None, paused.append).parts(Window(7, 9))
    with pytest.raises(SourceUnreachable, match="announces 2 records more than it gives"):
        found.extend(reading)
    assert [(part.ids, part.end) for part in found] == [(["1", "2", "3"], 6)]
    assert paused == [1.0, 2.0, 4.0]


def test_results_that_are_short_once_are_read_again():
    answers = iter([Found(3, ["1"], None), Found(3, ["1", "2", "3"], None)])
    (part,) = parts(lambda *_: next(answers), lambda *_: None, Window(7, 9))
    assert (part.ids, part.end) == (["1", "2", "3"], 9)


def test_places_that_go_round_in_a_circle_end_with_an_error():
    with pytest.raises(SourceUnreachable, match="same place"):
        list(parts(lambda _, after: Found(9, ["1"], "A" if after == "B" else "B"), lambda *_: None, Window(0, 9)))


def test_empty_pages_without_end_end_with_an_error():
    with pytest.raises(SourceUnreachable, match="same place"):
        list(parts(lambda _, after: Found(9, [], str(int(after or 0) + 1)), lambda *_: None, Window(0, 9)))


@pytest.mark.parametrize("share", [0.0, 0.9, 2.0])
def test_halves_whose_numbers_do_not_make_up_the_whole_end_with_an_error_before_either_is_read(share):
    def search(window: Window, _: str | None) -> Found:
        wide = window.high - window.low >= 100
        return Found(100_000 if wide else int(50_000 * share), [], "200")

    found = []
    with pytest.raises(SourceUnreachable, match="of the halves of the same time"):
        found.extend(parts(search, lambda *_: None, Window(0, 100)))
    assert found == []


def test_one_number_for_every_question_ends_with_an_error_and_soon():
    calls = []

    def search(window: Window, _: str | None) -> Found:
        calls.append(window)
        return Found(10**6, [], "200")

    with pytest.raises(SourceUnreachable):
        list(parts(search, lambda *_: None, Window(5, 5)))
    with pytest.raises(SourceUnreachable):
        list(parts(search, lambda *_: None, Window(0, 10**12)))
    assert len(calls) < 1_000


@pytest.mark.parametrize("seed", range(40))
def test_whatever_lies_where_all_of_it_is_found_in_order(seed, monkeypatch):
    monkeypatch.setattr("connectors.hubspot.windows.LEAF", 60)
    chance = random.Random(seed)
    stamps, span = {}, chance.choice([10, 5_000, 10**9])
    for _ in range(chance.randrange(1, 12)):  # heaps on one stamp, and single ones
        at, size = chance.randrange(span), chance.choice([1, 1, 3, 59, 61, 400])
        stamps |= {chance.randrange(1, 10**12): at for _ in range(size)}
    index = Index(stamps)
    found = index.all(0, span)
    assert ids(found) == set(stamps)
    assert [part.end for part in found] == sorted(part.end for part in found)
    assert found[-1].end == span
