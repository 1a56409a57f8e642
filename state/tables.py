"""The tables. Keys, hashes and reasons only: no contents of rows are ever stored.

Their names begin alike because a Postgres database may be shared with other programs.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

VERSION = 2
"""The version of these tables; a store written by a newer one is refused."""

metadata = MetaData()

meta = Table(
    "memsync_meta",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
)

streams = Table(
    "memsync_streams",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("destination", Text),
)

positions = Table(
    "memsync_positions",
    metadata,
    Column("stream", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("cursor", Text),
    Column("complete", Boolean, nullable=False),
    Column("map_hash", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("updated_at", Double, nullable=False),
    PrimaryKeyConstraint("stream", "purpose"),
)

chunks = Table(
    "memsync_chunks",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("stream", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("entries", LargeBinary, nullable=False),
    Column("accepted_at", Double, nullable=False),
    Column("polls", Integer, nullable=False),
    Column("next_poll_at", Double, nullable=False),
    Column("status", Text, nullable=False),
    Column("part", Text, nullable=False, server_default=""),  # the shard that sent it
    Index("memsync_chunks_due", "stream", "next_poll_at"),
    sqlite_autoincrement=True,
)

fingerprints = Table(
    "memsync_fingerprints",
    metadata,
    Column("stream", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    PrimaryKeyConstraint("stream", "key"),
    sqlite_with_rowid=False,
)

redeliveries = Table(
    "memsync_redeliveries",
    metadata,
    Column("stream", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", Boolean, nullable=False),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    PrimaryKeyConstraint("stream", "key"),
)

rejects = Table(
    "memsync_rejects",
    metadata,
    Column("stream", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_at", Double, nullable=False),
    Column("last_at", Double, nullable=False),
    PrimaryKeyConstraint("stream", "key"),
)

runs = Table(
    "memsync_runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("stream", Text, nullable=False, index=True),
    Column("command", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("finished_at", Double),
    Column("status", Text, nullable=False),
    Column("summary", Text, nullable=False),
    sqlite_autoincrement=True,
)

leases = Table(
    "memsync_leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text),
    Column("fence", BigInteger, nullable=False),
    Column("since", Double),
    Column("expires_at", Double, nullable=False),
    Column("beat", Double, nullable=False),  # the holder's uptime at its last renewal
)

limiter = Table(
    "memsync_limiter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("free_at", Double, nullable=False),
)

exhausted = Table(
    "memsync_exhausted",
    metadata,
    Column("name", Text, primary_key=True),
    Column("since", Double, nullable=False),
    Column("facts", Text, nullable=False),  # names and ids of collections, so that the next run need not ask for them
)

watch = Table(
    "memsync_watch",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("since", Double, nullable=False),  # when a scheduler first had the stream
    Column("told", Text, nullable=False),  # what notifications last said of it: words, as JSON
)

shapes = Table(
    "memsync_shapes",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("shape", Text, nullable=False),  # names and types of fields and properties when last seen, as JSON
)
