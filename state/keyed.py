"""SQL over many keys of one stream, one statement each, written for the drivers: Core would cost more than the work.

SQLite takes a list of keys as JSON, Postgres as an array; both use the primary key's index.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

from state.values import Entry


def rows_of(
    connection: Connection, table: Table, columns: str, stream: str, keys: Sequence[str]
) -> list[tuple[Any, ...]]:
    """The named columns of those of these keys that the table holds."""
    if not keys:
        return []
    if _lite(connection):  # looked for in the order of the index: two thirds of what IN takes
        query = f"SELECT {columns} FROM (SELECT value AS wanted FROM json_each(?)) CROSS JOIN {table.name} "
        query += "WHERE stream = ? AND key = wanted"
        found = connection.exec_driver_sql(query, (json.dumps(sorted(set(keys))), stream))
    else:
        found = _execute(connection, f"SELECT {columns} FROM {table.name}", stream, keys)
    try:
        return [tuple(row) for row in found.cursor.fetchall()]
    except connection.dialect.loaded_dbapi.Error as error:  # what the driver finds only now, such as a damaged page
        raise DBAPIError(None, None, error) from None


def keys_beginning(connection: Connection, table: Table, stream: str, start: str) -> list[str]:
    """The keys of a table that begin so."""
    mark = "?" if _lite(connection) else "%s"
    collation = "" if _lite(connection) else ' COLLATE "C"'
    query = (
        f"SELECT key FROM {table.name} WHERE stream = {mark} AND key{collation} >= {mark} AND key{collation} < {mark}"
    )
    return [str(row[0]) for row in connection.exec_driver_sql(query, (stream, start, start + "\U0010ffff"))]


def delete_keys(connection: Connection, table: Table, stream: str, keys: Sequence[str]) -> None:
    """Drop what the table holds of these keys."""
    if keys:
        _execute(connection, f"DELETE FROM {table.name}", stream, keys)


def not_due(connection: Connection, table: Table, stream: str, keys: Sequence[str]) -> None:
    """Note that these keys were sent again; how often is kept until their event settles."""
    if keys:
        _execute(connection, f"UPDATE {table.name} SET due = {_false(connection)}", stream, keys)


def delete_sent(connection: Connection, table: Table, stream: str, keys: Sequence[str]) -> None:
    """Drop those of these keys that are not due: a newer version of the others failed meanwhile."""
    if keys:
        _execute(connection, f"DELETE FROM {table.name}", stream, keys, f" AND due = {_false(connection)}")


def holds(connection: Connection, table: Table, stream: str) -> bool:
    """Whether the table holds anything of the stream."""
    mark = "?" if _lite(connection) else "%s"
    query = f"SELECT 1 FROM {table.name} WHERE stream = {mark} LIMIT 1"
    return connection.exec_driver_sql(query, (stream,)).first() is not None


def which_hold(connection: Connection, tables: Sequence[Table], stream: str) -> Sequence[bool]:
    """The same of several tables at once."""
    mark = "?" if _lite(connection) else "%s"
    parts = ", ".join(f"EXISTS (SELECT 1 FROM {table.name} WHERE stream = {mark})" for table in tables)
    found = connection.exec_driver_sql(f"SELECT {parts}", (stream,) * len(tables)).one()
    return [bool(one) for one in found]


def bind(connection: Connection, stream: str, destination: str) -> None:
    """Note who takes a stream's rows, unless that is known."""
    mark = "?" if _lite(connection) else "%s"
    statement = f"UPDATE memsync_streams SET destination = {mark} WHERE stream = {mark} AND destination IS NULL"
    connection.exec_driver_sql(statement, (destination or None, stream))


def insert_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows that are new."""
    marks = ", ".join(["?" if _lite(connection) else "%s"] * len(columns))
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"
    connection.exec_driver_sql(statement, rows[0] if len(rows) == 1 else list(rows))


def remember(connection: Connection, stream: str, entries: Sequence[Entry]) -> None:
    """Keep the fingerprints of accepted rows: the one statement that works once for each row delivered."""
    newest = {entry.key: entry.fingerprint for entry in entries}  # Postgres refuses a key that comes twice
    if not newest:
        return
    if _lite(connection):
        for size in {len(fingerprint) for fingerprint in newest.values()}:
            _remember_alike(connection, stream, size, [item for item in newest.items() if len(item[1]) == size])
        return
    connection.exec_driver_sql(
        "INSERT INTO memsync_fingerprints (stream, key, fingerprint) "
        "SELECT %s, * FROM unnest(%s::text[], %s::bytea[]) "
        "ON CONFLICT (stream, key) DO UPDATE SET fingerprint = excluded.fingerprint",
        (stream, list(newest), list(newest.values())),
    )


def _remember_alike(connection: Connection, stream: str, size: int, items: list[tuple[str, bytes]]) -> None:
    """Keep fingerprints of one size in SQLite: one statement for all takes two thirds of what one for each takes."""
    items.sort()  # in the order of the index, neighbours are written to one page while it is at hand
    keys, fingerprints = zip(*items, strict=True)
    connection.exec_driver_sql(
        "INSERT OR REPLACE INTO memsync_fingerprints (stream, key, fingerprint) "
        "SELECT ?, value, substr(?, key * ? + 1, ?) FROM json_each(?)",
        (stream, b"".join(fingerprints), size, size, json.dumps(keys)),
    )


def doubt(connection: Connection, stream: str, entries: Sequence[Entry]) -> None:
    """Put other fingerprints in the place of those that are kept; what is not kept stays so."""
    mark = "?" if _lite(connection) else "%s"
    statement = f"UPDATE memsync_fingerprints SET fingerprint = {mark} WHERE stream = {mark} AND key = {mark}"
    if entries:
        connection.exec_driver_sql(statement, [(entry.fingerprint, stream, entry.key) for entry in sorted(entries)])


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], keep: Sequence[str] = ()) -> None:
    """Insert rows, or replace all but their keys and the columns named in `keep`."""
    if rows:
        values = [tuple(row[column.name] for column in table.columns) for row in rows]
        statement = _upsert(table, tuple(keep), "?" if _lite(connection) else "%s")
        connection.exec_driver_sql(statement, values[0] if len(values) == 1 else values)


@lru_cache
def _upsert(table: Table, keep: tuple[str, ...], mark: str) -> str:
    # Core has this per dialect only, and importing both costs 60 ms at every start.
    keys = [column.name for column in table.primary_key.columns]
    names = [column.name for column in table.columns]
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in {*keys, *keep})
    return (
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))}) "
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"
    )


def _execute(connection: Connection, start: str, stream: str, keys: Sequence[str], end: str = "") -> Any:
    if _lite(connection):
        query = f"{start} WHERE stream = ? AND key IN (SELECT value FROM json_each(?)){end}"
        return connection.exec_driver_sql(query, (stream, json.dumps(list(keys))))
    return connection.exec_driver_sql(f"{start} WHERE stream = %s AND key = ANY(%s){end}", (stream, list(keys)))


def _lite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _false(connection: Connection) -> str:
    return "0" if _lite(connection) else "false"
