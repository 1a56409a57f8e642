"""How a stream looked when a run last saw it: kept under the lease, forgotten by a reset, not moved with the rest."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from fixtures_state import Clock, accepted, owner

from state import Store
from state.errors import LeaseLost
from state.tables import VERSION


def test_a_shape_is_kept_for_its_stream_until_another_is(store: Store) -> None:
    lease, other = store.acquire("contacts", owner()), store.acquire("companies", owner())
    assert store.shape("contacts") is None
    store.keep_shape(lease, "one")
    store.keep_shape(other, "other")
    store.keep_shape(lease, "two")
    assert (store.shape("contacts"), store.shape("companies")) == ("two", "other")


def test_a_run_that_lost_its_lease_keeps_nothing(store: Store, clock: Clock) -> None:
    lease = store.acquire("contacts", owner())
    clock.advance(3600)
    store.acquire("contacts", owner("another"))
    with pytest.raises(LeaseLost):
        store.keep_shape(lease, "late")
    assert store.shape("contacts") is None


def test_a_reset_forgets_it_and_an_export_leaves_it_where_it_is(store: Store) -> None:
    lease = store.acquire("contacts", owner())
    store.apply(lease, accepted("a"))
    store.keep_shape(lease, "one")
    exported = store.export("contacts")
    assert "shapes" not in exported
    store.restore(lease, exported)
    assert store.shape("contacts") is None
    store.keep_shape(lease, "two")
    store.reset(lease)
    assert store.shape("contacts") is None


def test_a_store_of_the_first_version_can_keep_shapes_after_it_was_opened(clock: Clock, sqlite_path: Path) -> None:
    url = f"sqlite:///{sqlite_path}"
    clock.open(url).close()
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as old:
        for statement in (
            "DROP TABLE memsync_shapes",
            "DROP TABLE memsync_watch",
            "DROP TABLE memsync_exhausted",
            "ALTER TABLE memsync_chunks DROP COLUMN part",
            "UPDATE memsync_meta SET version = 1",
        ):
            old.execute(statement)
    with clock.open(url) as store:
        store.keep_shape(store.acquire("contacts", owner()), "one")
        assert store.shape("contacts") == "one"
    with closing(sqlite3.connect(sqlite_path)) as migrated:
        assert migrated.execute("SELECT version FROM memsync_meta").fetchone() == (VERSION,)
