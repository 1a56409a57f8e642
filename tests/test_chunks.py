"""Chunks are filled to the rows and bytes of a call, and nothing else happens to the rows."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sync.chunks import Chunker, Outgoing
from sync.memory.envelope import Envelope


def outgoing(sizes):
    return [Outgoing(str(n), str(n), b"x" * size, b"", 1) for n, size in enumerate(sizes)]


@given(st.lists(st.integers(1, 60), max_size=60), st.integers(1, 9), st.integers(60, 200))
def test_chunks_hold_every_row_once_in_order_and_are_as_full_as_may_be(sizes, most, room):
    rows, chunker = outgoing(sizes), Chunker(most, room + 1)
    chunks = [chunk for chunk in [*chunker.fill(rows), chunker.flush()] if chunk is not None]
    assert [row for chunk in chunks for row in chunk.rows] == rows
    assert [chunk.number for chunk in chunks] == list(range(1, len(chunks) + 1))
    frame = Envelope(b"", b"")
    for chunk in chunks:
        assert 1 <= len(chunk.rows) <= most
        assert len(frame.body(row.body for row in chunk.rows)) <= room
    for chunk, following in pairwise(chunks):
        body = sum(len(row.body) + 1 for row in chunk.rows)
        assert len(chunk.rows) == most or body + len(following.rows[0].body) + 1 > room + 1


def test_nothing_gives_no_chunk():
    assert Chunker(10, 100).flush() is None


def test_a_row_that_is_larger_than_a_call_travels_alone():
    chunker = Chunker(10, 100)
    rows = outgoing([10, 500, 10])
    chunks = [chunk for chunk in [*chunker.fill(rows), chunker.flush()] if chunk]
    assert [len(chunk.rows) for chunk in chunks] == [1, 1, 1]
