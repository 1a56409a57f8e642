"""The cursor never passes a page of which something is outstanding, whatever order rows are finished in."""

from hypothesis import given
from hypothesis import strategies as st

from sync.watermark import Watermark


@given(st.lists(st.integers(0, 4), max_size=12), st.data())
def test_the_cursor_stands_at_the_longest_finished_prefix_under_every_order(pages, data):
    watermark, left = Watermark(), dict(enumerate(pages, start=1))
    for number, outstanding in left.items():
        watermark.open(number, {"page": number}, outstanding)
    finished = data.draw(st.permutations([number for number, rows in left.items() for _ in range(rows)]))
    stands_at = 0

    def check():
        nonlocal stands_at
        found = watermark.advance()
        prefix = next((number - 1 for number, rows in left.items() if rows), len(pages))
        assert found == ({"page": prefix} if prefix > stands_at else None)
        stands_at = prefix

    check()
    for number in finished:
        left[number] -= 1
        watermark.done(number)
        check()
    assert watermark.is_clear


def test_a_page_without_rows_moves_the_cursor():
    watermark = Watermark()
    watermark.open(1, {"at": 1}, 0)
    assert watermark.advance() == {"at": 1}
    assert watermark.advance() is None


def test_rows_of_a_page_that_was_never_entered_are_of_no_account():
    watermark = Watermark()
    watermark.done(0)
    assert watermark.advance() is None
