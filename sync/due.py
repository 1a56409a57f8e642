"""What a run has to read: first what an earlier run could not deliver, then what is due."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from connectors.base import Connector, Page, Record
from sync.job import Job
from sync.read_ahead import read_ahead
from sync.shards import only

FETCHED = 0
"""The number of the page that stands for records read by key: no cursor waits for it."""
ABSENT = "no longer there, or outside `where`"
_AT_ONCE = 1000
_TOGETHER = {1: 25}
"""Rows of one call by how often they failed: fewer each time, until a bad row is alone and costs no other."""


def due_pages(job: Job) -> Generator[tuple[int, Page], None, None]:
    """Yield numbered pages in reading order."""
    if job.fetch_keys is None:
        yield from _again(job)
        pages = job.connector.read(job.since, job.until)
        pages = pages if job.shard is None else only(pages, job.shard)
        yield from enumerate(read_ahead(pages, job.stop), start=FETCHED + 1)
    else:
        yield from fetched_pages(job.connector, job.fetch_keys, _AT_ONCE)


def _again(job: Job) -> Generator[tuple[int, Page], None, None]:
    by_attempts: dict[int, list[str]] = {}
    for redelivery in job.ledger.due_redeliveries():
        if job.shard is not None and not job.shard.holds(redelivery.key):
            continue
        by_attempts.setdefault(redelivery.attempts, []).append(redelivery.key)
    for attempts, keys in sorted(by_attempts.items()):
        yield from fetched_pages(job.connector, keys, _TOGETHER.get(attempts, 1))


def fetched_pages(connector: Connector, keys: Sequence[str], together: int) -> Generator[tuple[int, Page], None, None]:
    """Yield the records with these keys as pages of at most `together` rows, that no cursor waits for."""
    for start in range(0, len(keys), _AT_ONCE):
        part = keys[start : start + _AT_ONCE]
        records: list[Record] = list(connector.fetch(part))
        found = {record.key for record in records}
        missing = {key: ABSENT for key in part if key not in found}
        yield FETCHED, Page([], {}, gone=missing)
        for at in range(0, len(records), together):
            yield FETCHED, Page(records[at : at + together], {})
