"""What a run has to read: first what an earlier run could not deliver, then what is due."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from connectors.base import Connector, Page, Record
from sync.job import Job
from sync.read_ahead import read_ahead

FETCHED = 0
"""The number of the page that stands for records read by key: no cursor waits for it."""
_AT_ONCE = 1000


def due_pages(job: Job, removed: list[str]) -> Generator[tuple[int, Page], None, None]:
    """Yield numbered pages in reading order; keys that are no longer in the source are added to `removed`."""
    if job.fetch_keys is None:
        again = [redelivery.key for redelivery in job.ledger.due_redeliveries()]
        yield from fetched_pages(job.connector, again, removed)
        yield from enumerate(read_ahead(job.connector.read(job.since, job.until), job.stop), start=FETCHED + 1)
    else:
        yield from fetched_pages(job.connector, job.fetch_keys, removed)


def fetched_pages(
    connector: Connector, keys: Sequence[str], removed: list[str]
) -> Generator[tuple[int, Page], None, None]:
    """Yield the records with these keys as pages that no cursor waits for."""
    for start in range(0, len(keys), _AT_ONCE):
        part = keys[start : start + _AT_ONCE]
        records: list[Record] = list(connector.fetch(part))
        found = {record.key for record in records}
        missing = [key for key in part if key not in found]
        removed += missing
        yield FETCHED, Page(records, {}, gone=len(missing))
