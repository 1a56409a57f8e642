"""A connector over pages that a test wrote, with ties and keys as the test wants them."""

from collections.abc import Callable, Iterator, Sequence

from connectors.base import Page, Record


def record(key: str, **fields: object) -> Record:
    """A record whose e-mail address is made of its key unless given."""
    return Record(key, {"email": f"{key}@x.example", **fields})


class PagesSource:
    """Yields the given pages in order; `before` is called with each page's number, and may wait or fail."""

    def __init__(self, *pages: Page, before: Callable[[int], None] = lambda _: None) -> None:
        self.pages, self.before = pages, before
        self.fetched: list[list[str]] = []
        self.gone: set[str] = set()

    def read(self, since: object, until: object = None) -> Iterator[Page]:
        after = since["at"] if since else 0
        for number, page in enumerate(self.pages, start=1):
            if page.cursor["at"] > after:
                self.before(number)
                yield page

    def fetch(self, keys: Sequence[str]) -> Iterator[Record]:
        self.fetched.append(list(keys))
        known = {one.key: one for page in self.pages for one in page.records}
        yield from (known[key] for key in keys if key in known and key not in self.gone)


def pages_of(*sizes: int, **more: int) -> list[Page]:
    """Pages of so many records each, with keys 1, 2, 3 ... and cursors {"at": 1} ..."""
    found, key = [], 0
    for number, size in enumerate(sizes, start=1):
        records = [record(str(key + n + 1)) for n in range(size)]
        key += size
        found.append(Page(records, {"at": number}, **more))
    return found
