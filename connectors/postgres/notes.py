"""What a person should know about the connection itself."""

from __future__ import annotations

from psycopg import pq

from connectors.postgres.session import Connection


def notes_on_connection(connection: Connection) -> tuple[str, ...]:
    """A slow driver, a pooler in between, a standby: each with what it means."""
    notes = []
    if pq.__impl__ == "python":
        notes.append("psycopg runs in pure Python, about five times slower: pip install 'psycopg[binary]'")
    row = connection.execute("SELECT pg_backend_pid(), pg_is_in_recovery()").fetchone()
    pid, standby = row or (0, False)
    if pid != connection.info.backend_pid:
        notes.append(
            "a connection pooler stands in between: reading works in transaction mode; "
            "MEMSYNC_STATE_URL, if it is Postgres too, should go to the server itself"
        )
    if standby:
        notes.append("this is a standby: rows arrive as late as it lags; none is missed for it")
    return tuple(notes)
