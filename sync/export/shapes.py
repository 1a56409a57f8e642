"""Records as text: one JSON object a line, or comma-separated values."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import orjson

from sync.export.query import Query
from sync.memory.records import Stored

ID, OTHERS, MEMORIES = "recordId", "other_properties", "memories"
FORMULA = frozenset("=+-@＝＋－＠")
"""What a formula begins with, in both widths."""
BOM = "\ufeff"
"""By this a spreadsheet knows UTF-8."""
_MARKS = re.compile(r'[",\r\n]')
"""What cannot stand bare in a cell."""


class Shape(Protocol):
    """One way of writing records."""

    @property
    def head(self) -> str:
        """What stands before the first record."""

    def text(self, records: Sequence[Stored]) -> str:
        """Records, each with its line's end."""

    def ids(self, path: Path) -> Iterator[str]:
        """The ids of the records in a file of this shape."""


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would take a text for a formula."""
    return text.lstrip()[:1] in FORMULA


class Lines:
    """JSON Lines: `{"recordId": ..., "type": ..., "properties": {...}}`."""

    head = ""

    def __init__(self, query: Query) -> None:
        self._query = query

    def text(self, records: Sequence[Stored]) -> str:
        return "".join(orjson.dumps(self._document(one), option=orjson.OPT_APPEND_NEWLINE).decode() for one in records)

    def _document(self, one: Stored) -> dict[str, Any]:
        names, kind = self._query.properties, self._query.entity_type
        properties = {name: one.properties.get(name) for name in names} if names else one.properties
        document = {ID: one.id, **({"type": kind} if kind else {}), "properties": properties}
        return document | ({MEMORIES: list(one.memories or ())} if self._query.memories else {})

    def ids(self, path: Path) -> Iterator[str]:
        with path.open("rb") as file:
            for line in file:
                yield str(orjson.loads(line)[ID])


class Table:
    """Comma-separated values: the id, a column for each property, and one of JSON for those without a column."""

    def __init__(self, query: Query, columns: Sequence[str], *, spreadsheet: bool) -> None:
        self._columns, self._with_others, self._memories = columns, not query.properties, query.memories
        self._spreadsheet = spreadsheet
        self.others: set[str] = set()
        """Names of properties that have no column; the first hundred."""

    @property
    def head(self) -> str:
        """The names of the columns."""
        more = ([OTHERS] if self._with_others else []) + ([MEMORIES] if self._memories else [])
        return (BOM if self._spreadsheet else "") + _lines([[ID, *self._columns, *more]])

    def text(self, records: Sequence[Stored]) -> str:
        return _lines(list(self._cells(one)) for one in records)

    def _cells(self, one: Stored) -> Iterator[str]:
        yield self._safe(one.id)
        for name in self._columns:
            yield self._cell(one.properties.get(name))
        if self._with_others:
            rest = {name: value for name, value in one.properties.items() if name not in self._columns}
            if len(self.others) < 100:
                self.others |= rest.keys()
            yield self._cell(rest or None)
        if self._memories:
            yield self._cell(list(one.memories or ()) or None)

    def _cell(self, value: Any) -> str:
        if value is None:
            return ""
        return self._safe(value) if isinstance(value, str) else orjson.dumps(value).decode()

    def _safe(self, text: str) -> str:
        return f"'{text}" if self._spreadsheet and is_formula(text) else text

    def ids(self, path: Path) -> Iterator[str]:
        csv.field_size_limit(1 << 30)
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file)
            next(rows, None)
            for row in rows:
                bare = row[0].removeprefix("'")
                yield bare if self._spreadsheet and is_formula(bare) else row[0]


def _lines(rows: Iterable[Sequence[str]]) -> str:
    """Rows as text. Quoted here: csv.writer leaves a lone carriage return bare when lines end in line feeds."""
    return "".join(",".join(map(_quoted, row)) + "\n" for row in rows)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if _MARKS.search(cell) else cell
