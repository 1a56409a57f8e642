"""The tables. Keys, hashes and reasons only: no contents of rows are ever stored."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

VERSION = 1
"""The version of these tables; a store written by a newer one is refused."""

metadata = MetaData()

meta = Table(
    "memsync_meta",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
)

streams = Table(
    "streams",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
)

positions = Table(
    "positions",
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
    "chunks",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("stream", Text, nullable=False, index=True),
    Column("event_id", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("entries", LargeBinary, nullable=False),
    Column("accepted_at", Double, nullable=False),
    Column("polls", Integer, nullable=False),
    Column("next_poll_at", Double, nullable=False),
    Column("status", Text, nullable=False),
    sqlite_autoincrement=True,
)

fingerprints = Table(
    "fingerprints",
    metadata,
    Column("stream", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    PrimaryKeyConstraint("stream", "key"),
    sqlite_with_rowid=False,
)

redeliveries = Table(
    "redeliveries",
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
    "rejects",
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
    "runs",
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
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text),
    Column("fence", BigInteger, nullable=False),
    Column("since", Double),
    Column("expires_at", Double, nullable=False),
)

limiter = Table(
    "limiter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("free_at", Double, nullable=False),
)
