"""What a run has to read: first what an earlier run could not deliver, then what is due."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace

from connectors.base import Connector, Page, Record, Streaming
from sync.job import Job
from sync.maps.row import Reject, Row
from sync.read_ahead import read_ahead
from sync.shards import only

FETCHED = 0
"""The number of the page that stands for records read by key: no cursor waits for it."""
ABSENT = "no longer there, or outside `where`"
_AT_ONCE = 1000
_TOGETHER = {1: 25}
"""Rows of one call by how often they failed: fewer each time, until a bad row is alone and costs no other."""
_CALLS = 200
"""Calls that a run makes at most for rows that failed equally often, as far as a call carries the rows."""


Due = tuple[int, Page, Sequence[Row | Reject]]
"""A page's number, the page without its records, and what the map makes of them."""


def due_pages(job: Job) -> Generator[Due, None, None]:
    """Yield pages in reading order."""
    if job.fetch_keys is None:
        for page, made in _mapped(job, _again(job)):
            yield FETCHED, page, made
        # Mapped by the thread that reads: values that another core made are slow to look at, and to let go.
        for number, (page, made) in enumerate(read_ahead(_read(job), job.stop), start=FETCHED + 1):
            yield number, page, made
    else:
        for page, made in _mapped(job, fetched_pages(job.connector, job.fetch_keys, _AT_ONCE)):
            yield FETCHED, page, made


def _read(job: Job) -> Iterator[tuple[Page, Sequence[Row | Reject]]]:
    if job.shard is None and isinstance(job.connector, Streaming):
        return job.connector.stream(job.since, job.until, job.row_of)
    pages = job.connector.read(job.since, job.until)
    return _mapped(job, pages if job.shard is None else only(pages, job.shard))


def _mapped(job: Job, pages: Iterable[Page]) -> Iterator[tuple[Page, Sequence[Row | Reject]]]:
    make_row = job.make_row
    for page in pages:
        made = [make_row(record) for record in page.records]
        page = replace(page, records=())  # noqa: PLW2901 - the records go while the next page is read
        yield page, made
        del made


def _again(job: Job) -> Iterator[Page]:
    by_attempts: dict[int, list[str]] = {}
    for redelivery in job.ledger.due_redeliveries():
        if job.shard is not None and not job.shard.holds(redelivery.key):
            continue
        by_attempts.setdefault(redelivery.attempts, []).append(redelivery.key)
    for attempts, keys in sorted(by_attempts.items()):
        yield from fetched_pages(job.connector, keys, rows_of_a_call(attempts, len(keys)))


def rows_of_a_call(attempts: int, rows: int) -> int:
    """Rows of one call; of many that failed alike more, for then it was hardly a row's own fault."""
    return max(_TOGETHER.get(attempts, 1), -(-rows // _CALLS))


def fetched_pages(connector: Connector, keys: Sequence[str], together: int) -> Iterator[Page]:
    """Yield the records with these keys as pages of at most `together` rows, that no cursor waits for."""
    for start in range(0, len(keys), _AT_ONCE):
        part = keys[start : start + _AT_ONCE]
        records: list[Record] = list(connector.fetch(part))
        found = {record.key for record in records}
        missing = {key: ABSENT for key in part if key not in found}
        yield Page([], {}, gone=missing)
        for at in range(0, len(records), together):
            yield Page(records[at : at + together], {})
