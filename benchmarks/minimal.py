"""The least that could work, to measure against: keyset pages from Postgres, orjson, `http.client`, nothing else.

No map, no fingerprints, no state, no limits, no retries, no events: all that makes a sync trustworthy is missing.
"""

from __future__ import annotations

import os
import sys

import psycopg
from psycopg.rows import dict_row
from psycopg.types.numeric import FloatLoader
from psycopg.types.string import TextLoader

from benchmarks.sink import connect, send

PAGE, ROWS = 5000, 500
FIRST = "SELECT * FROM customers ORDER BY updated_at, id LIMIT %s"
NEXT = "SELECT * FROM customers WHERE (updated_at, id) > (%s, %s) ORDER BY updated_at, id LIMIT %s"


def main(since: str | None) -> None:
    """Send everything after `since` ("stamp id"), and print the last stamp and id."""
    target = connect()
    cursor = tuple(since.rsplit(" ", 1)) if since else None
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row) as source:
        for name in ("timestamptz", "date"):
            source.adapters.register_loader(name, TextLoader)
        source.adapters.register_loader("numeric", FloatLoader)
        while rows := source.execute(NEXT if cursor else FIRST, (*(cursor or ()), PAGE)).fetchall():
            for start in range(0, len(rows), ROWS):
                send(target, rows[start : start + ROWS])
            cursor = (rows[-1]["updated_at"], rows[-1]["id"])
    print(*(cursor or ()))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
