"""How accepted batches are kept and become records: durable before the answer, visible once they are due."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

import orjson

from sync.sandbox.applying import apply_rows
from sync.sandbox.batch import Batch, Key, Property
from sync.sandbox.database import Database

BACKLOG_STEP = 2
"""Due batches that one further batch call applies: more than come in, so that a backlog shrinks."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A batch that is on disk."""

    event_id: str
    duplicate_of: str | None


class Intake:
    """Keeps batches, and applies each when its delay is over: by whichever call comes next."""

    def __init__(self, database: Database, *, delay: float, clock: Callable[[], float]) -> None:
        self._database = database
        self._delay = delay
        self._clock = clock

    def keep(self, batch: Batch, month: str, calls: int) -> Kept:
        """Store a batch and the month's count of calls in one transaction; it survives kill -9 from here on."""
        now = self._clock()
        work = _work(batch)
        digest = blake2b(work, digest_size=16).digest()
        with self._database.write() as connection:
            connection.execute("REPLACE INTO usage VALUES (?, ?)", (month, calls))
            earlier = connection.execute(
                "SELECT event_id FROM batches WHERE digest = ? ORDER BY seq LIMIT 1", (digest,)
            ).fetchone()
            kept = Kept(f"evt_{uuid.uuid4().hex}", earlier["event_id"] if earlier else None)
            _insert(connection, batch, kept, accepted=now, due=now + self._delay, digest=digest, work=work)
        self.settle(BACKLOG_STEP)
        return kept

    def settle(self, most: int | None = None) -> None:
        """Apply the batches that are due, oldest first, each in its own transaction."""
        limit = -1 if most is None else most
        with self._database.read() as connection:
            due = connection.execute(
                "SELECT seq FROM batches WHERE applied = 0 AND due <= ? ORDER BY seq LIMIT ?", (self._clock(), limit)
            ).fetchall()
        for row in due:
            with self._database.write() as connection:
                _apply(connection, row["seq"])


def month_calls(database: Database, month: str) -> int:
    """The calls of a month that earlier processes counted."""
    with database.read() as connection:
        row = connection.execute("SELECT calls FROM usage WHERE month = ?", (month,)).fetchone()
    return row["calls"] if row else 0


def save_month_calls(database: Database, month: str, calls: int) -> None:
    """Keep a month's count of calls."""
    with database.write() as connection:
        connection.execute("REPLACE INTO usage VALUES (?, ?)", (month, calls))


def _work(batch: Batch) -> bytes:
    # The run's name is no content: the same rows under two names are a duplicate.
    keys, properties = [tuple(key) for key in batch.keys], [tuple(one) for one in batch.properties]
    return orjson.dumps([batch.entity_type, batch.source, keys, properties, batch.rows, batch.errors])


def _insert(
    connection: sqlite3.Connection,
    batch: Batch,
    kept: Kept,
    *,
    accepted: float,
    due: float,
    digest: bytes,
    work: bytes,
) -> None:
    connection.execute(
        "INSERT INTO batches (event_id, accepted, due, applied, rows, errors, failed, type, source, run_name, tier,"
        " digest, duplicate_of, work) VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            kept.event_id,
            accepted,
            due,
            batch.total,
            orjson.dumps(batch.errors).decode(),
            len(batch.errors),
            batch.entity_type,
            batch.source,
            batch.run_name,
            batch.tier,
            digest,
            kept.duplicate_of,
            work,
        ),
    )


def _apply(connection: sqlite3.Connection, seq: int) -> None:
    row = connection.execute("SELECT work, due FROM batches WHERE seq = ? AND applied = 0", (seq,)).fetchone()
    if row is None:
        return
    entity_type, source, keys, properties, rows, _ = orjson.loads(row["work"])
    apply_rows(
        connection,
        entity_type=entity_type,
        source=source,
        keys=[Key(*key) for key in keys],
        properties=[Property(*one) for one in properties],
        rows=rows,
        now=row["due"],
    )
    connection.execute("UPDATE batches SET applied = 1, work = NULL WHERE seq = ?", (seq,))
