"""The account's records, what search sees of them, and their associations, in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from .stamps import parse

_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    type TEXT, id INTEGER, created INTEGER, modified INTEGER, archived INTEGER, properties TEXT,
    PRIMARY KEY (type, id));
CREATE INDEX IF NOT EXISTS objects_by_email ON objects (type, json_extract(properties, '$."email"'));
CREATE TABLE IF NOT EXISTS indexed (
    type TEXT, id INTEGER, created INTEGER, modified INTEGER, properties TEXT, PRIMARY KEY (type, id));
CREATE INDEX IF NOT EXISTS indexed_by_stamp ON indexed (type, modified);
CREATE TABLE IF NOT EXISTS pending (type TEXT, id INTEGER, due REAL);
CREATE TABLE IF NOT EXISTS links (
    from_type TEXT, from_id INTEGER, to_type TEXT, to_id INTEGER, type_id INTEGER, category TEXT, label TEXT,
    PRIMARY KEY (from_type, from_id, to_type, to_id, type_id));
CREATE TABLE IF NOT EXISTS used (type TEXT PRIMARY KEY, last INTEGER);
CREATE TABLE IF NOT EXISTS definitions (type TEXT, label TEXT, property TEXT);
"""
FIRST_ID = 9_901
"""Ids of each type count from here, so that they soon differ in length: their order as text is another one."""


class Row(NamedTuple):
    """One record; stamps in epoch milliseconds, `archived` None while it is live."""

    id: int
    created: int
    modified: int
    archived: int | None
    properties: dict[str, str | None]


class Link(NamedTuple):
    """One association type between two records, seen from one of them."""

    to_id: int
    type_id: int
    category: str
    label: str | None


class Store:
    """One connection; whoever calls sees to it that nobody else does at the same time."""

    def __init__(self, path: str) -> None:
        self.db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _TABLES)
        self.db.create_function("stamp", 1, parse, deterministic=True)
        self.db.create_function("number", 1, _number, deterministic=True)
        self.version = 0
        """Counts what happened to the index."""

    def close(self) -> None:
        self.db.close()

    def next_id(self, kind: str) -> int:
        """An id that no record of the type has or had."""
        found = self.db.execute("SELECT last + 1 FROM used WHERE type = ?", (kind,)).fetchone()
        return found[0] if found else FIRST_ID

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; within another one, a part of that one."""
        if self.db.in_transaction:
            yield
            return
        self.db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def write(self, kind: str, rows: Sequence[Row], due: float | None) -> None:
        """Insert or replace; search sees the rows at once, or at `due` (seconds since 1970)."""
        made = ((kind, *row[:4], json.dumps(row.properties, separators=(",", ":"))) for row in rows)
        highest = max((row.id for row in rows), default=FIRST_ID - 1)
        with self.transaction():
            self.db.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)", made)
            self.db.execute(
                "INSERT INTO used VALUES (?, ?) ON CONFLICT (type) DO UPDATE SET last = max(last, excluded.last)",
                (kind, highest),
            )
            self._mark(kind, (row.id for row in rows), due)

    def remove(self, kind: str, id: int, due: float | None) -> None:
        """Take a record and its associations out for good."""
        with self.transaction():
            self.db.execute("DELETE FROM objects WHERE type = ? AND id = ?", (kind, id))
            self.db.execute("DELETE FROM links WHERE from_type = ? AND from_id = ?", (kind, id))
            self.db.execute("DELETE FROM links WHERE to_type = ? AND to_id = ?", (kind, id))
            self._mark(kind, [id], due)

    def _mark(self, kind: str, ids: Iterable[int], due: float | None) -> None:
        self.db.executemany("INSERT INTO pending VALUES (?, ?, ?)", ((kind, one, due or 0) for one in ids))
        if due is None:
            self._catch_up(0)

    def index(self, now: float) -> None:
        """Let search see what is due."""
        if self.db.execute("SELECT 1 FROM pending WHERE due <= ? LIMIT 1", (now,)).fetchone():
            self._catch_up(now)

    def _catch_up(self, now: float) -> None:
        due = "SELECT type, id FROM pending WHERE due <= ?"
        self.db.execute(f"DELETE FROM indexed WHERE (type, id) IN ({due})", (now,))
        self.db.execute(
            "INSERT INTO indexed SELECT type, id, created, modified, properties FROM objects"
            f" WHERE (type, id) IN ({due}) AND archived IS NULL",
            (now,),
        )
        self.db.execute("DELETE FROM pending WHERE due <= ?", (now,))
        self.version += 1

    def rows(self, kind: str, ids: Sequence[int]) -> dict[int, Row]:
        """The records of these ids that exist, archived ones too."""
        marks = ",".join("?" * len(ids))
        found = self.db.execute(
            f"SELECT id, created, modified, archived, properties FROM objects WHERE type = ? AND id IN ({marks})",
            (kind, *ids),
        )
        return {row.id: row for row in map(_row, found)}

    def indexed_rows(self, kind: str, ids: Sequence[int]) -> dict[int, Row]:
        """The same as search remembers them."""
        marks = ",".join("?" * len(ids))
        found = self.db.execute(
            f"SELECT id, created, modified, NULL, properties FROM indexed WHERE type = ? AND id IN ({marks})",
            (kind, *ids),
        )
        return {row.id: row for row in map(_row, found)}

    def row(self, kind: str, id: int) -> Row | None:
        return self.rows(kind, [id]).get(id)

    def has(self, kind: str, id: int) -> bool:
        """Whether there is a record, archived or not."""
        return self.db.execute("SELECT 1 FROM objects WHERE type = ? AND id = ?", (kind, id)).fetchone() is not None

    def by_value(self, kind: str, name: str, values: Sequence[str]) -> list[Row]:
        """Records by the value of a property, whose name the caller has checked."""
        marks = ",".join("?" * len(values))
        found = self.db.execute(
            "SELECT id, created, modified, archived, properties FROM objects"
            f" WHERE type = ? AND json_extract(properties, '$.\"{name}\"') IN ({marks})",
            (kind, *values),
        )
        return [_row(one) for one in found]

    def walk(self, kind: str, first: int, limit: int, *, archived: bool) -> list[Row]:
        """So many records from an id on; live ones are to be told from archived ones by the caller."""
        only = "AND archived IS NOT NULL" if archived else ""
        found = self.db.execute(
            "SELECT id, created, modified, archived, properties FROM objects"
            f" WHERE type = ? AND id >= ? {only} ORDER BY id LIMIT ?",
            (kind, first, limit),
        )
        return [_row(one) for one in found]

    def matching(self, kind: str, where: str, values: Sequence[object], order: str) -> list[int]:
        """Ids that search finds for a condition composed in `filters`."""
        found = self.db.execute(f"SELECT id FROM indexed WHERE type = ? AND {where} ORDER BY {order}", (kind, *values))
        return [one for (one,) in found]

    def link(self, one: tuple[str, int], other: tuple[str, int], link: Link) -> None:
        """Associate in one direction."""
        self.db.execute(
            "INSERT OR REPLACE INTO links VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*one, other[0], link.to_id, link.type_id, link.category, link.label),
        )

    def unlink(self, one: tuple[str, int], other: tuple[str, int]) -> None:
        for a, b in ((one, other), (other, one)):
            self.db.execute(
                "DELETE FROM links WHERE from_type = ? AND from_id = ? AND to_type = ? AND to_id = ?", (*a, *b)
            )

    def links(self, kind: str, id: int, to: str) -> list[Link]:
        """Associations with live records of a type, by their id."""
        found = self.db.execute(
            "SELECT to_id, type_id, category, label FROM links JOIN objects ON type = to_type AND id = to_id"
            " WHERE from_type = ? AND from_id = ? AND to_type = ? AND archived IS NULL ORDER BY to_id, type_id DESC",
            (kind, id, to),
        )
        return [Link(*one) for one in found]

    def move_links(self, kind: str, loser: int, winner: int) -> None:
        """Give the associations of one record to another."""
        for side in ("from", "to"):
            self.db.execute(
                f"UPDATE OR REPLACE links SET {side}_id = ? WHERE {side}_type = ? AND {side}_id = ?",
                (winner, kind, loser),
            )

    def define(self, kind: str, label: str, properties: Iterable[dict]) -> None:
        """Remember a definition, for a database that outlives its server."""
        rows = [(kind, label, json.dumps(one)) for one in properties] or [(kind, label, None)]
        self.db.executemany("INSERT INTO definitions VALUES (?, ?, ?)", rows)

    def definitions(self) -> list[tuple[str, str, dict | None]]:
        found = self.db.execute("SELECT type, label, property FROM definitions")
        return [(kind, label, json.loads(text) if text else None) for kind, label, text in found]

    def counts(self) -> dict[str, int]:
        return dict(self.db.execute("SELECT type, count(*) FROM objects WHERE archived IS NULL GROUP BY type"))


def _row(found: tuple) -> Row:
    return Row(*found[:4], json.loads(found[4]))


def _number(text: str | None) -> float | None:
    """A number property's value; odd ones such as "1,234" are no numbers to search."""
    try:
        return float(text) if text else None
    except ValueError:
        return None
