"""From the tables of an older memsync to today's: ordered steps, all of them and the version in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, select, update

from state.errors import StoreUnusable
from state.faults import REMEDY
from state.tables import VERSION, exhausted, meta, shapes, watch

Migration = Callable[[Connection], object]


def _from_1(connection: Connection) -> None:
    exhausted.create(connection)
    watch.create(connection)
    shapes.create(connection)
    connection.exec_driver_sql("ALTER TABLE memsync_chunks ADD COLUMN part TEXT NOT NULL DEFAULT ''")


STEPS: Mapping[int, Migration] = {1: _from_1}
"""By the version that a step starts from: STEPS[1] makes version 2 of version 1."""


def migrate(connection: Connection, where: str, steps: Mapping[int, Migration] = STEPS, newest: int = VERSION) -> None:
    """Bring the tables to the newest version; raises StoreUnusable, and then nothing was changed."""
    version = connection.scalar(select(meta.c.version))
    if version is not None and version < newest:
        version = connection.scalar(select(meta.c.version).with_for_update())  # another process may be at it
    if version is None:
        raise StoreUnusable(f"{where}: does not say its version, so it is damaged; {REMEDY}")
    if version > newest:
        raise StoreUnusable(
            f"{where}: was written by a newer memsync (store version {version}, this one knows {newest}); "
            "upgrade memsync"
        )
    for number in range(version, newest):
        if number not in steps:
            raise StoreUnusable(f"{where}: has store version {version}, which is too old to be migrated; {REMEDY}")
        steps[number](connection)
    if version < newest:
        connection.execute(update(meta).values(version=newest))
