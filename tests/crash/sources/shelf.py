"""A source for the crash suite: one SQLite table, read in pages by stamp and key; ties as the test wants them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from pydantic import Field

from connectors import source, variables
from connectors.base import Cursor, Page, Reading, Record

PAGE = 7


class Source(source.Source):
    """No keys of its own."""


class Variables(variables.Variables):
    """Where the table is."""

    shelf_path: str = Field("", description="The SQLite file.")


def connect(
    source: Source, variables: Variables, fields: Sequence[str] | None = None, pause: Callable[[float], None] = print
) -> Shelf:
    return Shelf(Path(variables.shelf_path))


class Shelf:
    """Reads the table `people`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self) -> Reading:
        return Reading(("id",), "stamp", None)

    def read(self, since: Cursor | None, until: object = None) -> Iterator[Page]:
        at = (since["stamp"], since["id"]) if since else (0, 0)
        while True:
            rows = self._rows("WHERE (stamp, id) > (?, ?) ORDER BY stamp, id LIMIT ?", (*at, PAGE))
            if not rows:
                return
            at = (rows[-1]["stamp"], rows[-1]["id"])
            yield Page([_record(row) for row in rows], {"stamp": at[0], "id": at[1]})

    def fetch(self, keys: Sequence[str]) -> Iterator[Record]:
        for key in keys:
            yield from map(_record, self._rows("WHERE id = ?", (int(key),)))

    def count(self, since: Cursor | None) -> None:
        return None

    def close(self) -> None:
        """Nothing is held."""

    def _rows(self, condition: str, values: tuple[Any, ...]) -> list[sqlite3.Row]:
        with closing(sqlite3.connect(self._path)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(f"SELECT * FROM people {condition}", values).fetchall()


def _record(row: sqlite3.Row) -> Record:
    return Record(str(row["id"]), dict(row), str(row["version"]))
