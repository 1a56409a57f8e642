"""Runs as the history keeps them, and a stream's state moved between stores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fixtures_state import Clock, accepted, failure, owner, postgres_state_url

from state import Store
from state.values import Step


def _filled(store: Store) -> Store:
    lease = store.acquire("contacts", owner())
    store.apply(lease, accepted("a", "b", "ü\u2028"))
    store.apply(lease, Step(rejects=[failure("r")], failed=[failure("d")]))
    store.release(lease)
    return store


def test_a_run_is_entered_and_finished(store: Store, clock: Clock) -> None:
    lease = store.acquire("contacts", owner())
    number = store.start_run(lease, "run")
    assert [run.status for run in store.last_runs("contacts")] == ["running"]
    clock.advance(5)
    store.finish_run(lease, number, "ok", {"read": 3, "cursor_to": {"at": [1, 2.5, None]}})
    (run,) = store.last_runs("contacts")
    assert (run.status, run.finished_at, run.summary) == (
        "ok",
        clock.wall,
        {"read": 3, "cursor_to": {"at": [1, 2.5, None]}},
    )


def test_a_run_that_never_ended_is_shown_as_killed_once_nobody_holds_the_stream(store: Store, clock: Clock) -> None:
    store.start_run(store.acquire("contacts", owner()), "run")
    assert [run.status for run in store.last_runs("contacts")] == ["running"]
    clock.advance(3600)
    assert [run.status for run in store.last_runs("contacts")] == ["killed"]
    store.start_run(store.acquire("contacts", owner()), "backfill")
    assert [run.status for run in store.last_runs("contacts")] == ["running", "killed"]


def test_the_history_keeps_the_newest_200_runs_of_each_stream(store: Store) -> None:
    other = store.acquire("companies", owner())
    store.start_run(other, "run")
    lease = store.acquire("contacts", owner())
    numbers = [store.start_run(lease, "run") for _ in range(203)]
    assert [run.id for run in store.last_runs("contacts", 500)] == numbers[:2:-1]
    assert len(store.last_runs("companies")) == 1


def test_the_history_keeps_older_runs_that_sent_something(store: Store) -> None:
    lease = store.acquire("contacts", owner())
    for sent in [*range(1, 31), *([0] * 230)]:
        store.finish_run(lease, store.start_run(lease, "run"), "ok", {"sent": sent})
    kept = [run.summary["sent"] for run in store.last_runs("contacts", 1000)]
    assert kept == [0] * 200 + list(range(30, 10, -1))


def test_a_reset_forgets_everything_but_the_history(store: Store) -> None:
    lease = store.acquire("contacts", owner())
    salt = store.salt("contacts")
    store.start_run(lease, "run")
    store.apply(lease, accepted("a"))
    store.reset(lease)
    store.release(lease)
    assert set(store.counts("contacts").values()) == {0}
    assert store.position("contacts", "incremental") is None
    assert len(store.last_runs("contacts")) == 1
    assert store.streams() == ["contacts"]
    store.acquire("contacts", owner())
    assert store.salt("contacts") not in (salt, None)


def test_a_salt_stays_as_it_is_and_is_each_streams_own(store: Store) -> None:
    store.release(store.acquire("contacts", owner()))
    salt = store.salt("contacts")
    store.acquire("contacts", owner())
    store.acquire("companies", owner())
    assert store.salt("contacts") == salt
    assert store.salt("companies") != salt
    assert store.salt("nothing") is None


@pytest.mark.parametrize("back", [False, True], ids=["sqlite to postgres", "postgres to sqlite"])
def test_state_moves_between_sqlite_and_postgres_with_everything_in_it(
    tmp_path: Path, database: Any, clock: Clock, *, back: bool
) -> None:
    urls = [f"sqlite:///{tmp_path}/state.db", postgres_state_url(database.url)]
    with clock.open(urls[back]) as old, clock.open(urls[not back]) as new:
        content = json.loads(json.dumps(_filled(old).export("contacts")))
        new.restore(new.acquire("contacts", owner()), content)
        assert new.export("contacts") == old.export("contacts")
        assert new.salt("contacts") == old.salt("contacts")
        assert new.fingerprints("contacts", ["ü\u2028"]) == old.fingerprints("contacts", ["ü\u2028"]) != {}
        assert list(new.unsettled("contacts")[0].entries) == list(old.unsettled("contacts")[0].entries)
        assert new.due_redeliveries("contacts") == old.due_redeliveries("contacts")


def test_an_export_replaces_what_was_there(store: Store) -> None:
    content = _filled(store).export("contacts")
    lease = store.acquire("contacts", owner())
    store.apply(lease, accepted("z"))
    store.restore(lease, content)
    assert store.export("contacts") == content
    assert store.fingerprints("contacts", ["z"]) == {}


_DAMAGE = {
    "unknown table": lambda c: c | {"runs; DROP TABLE x": []},
    "unknown column": lambda c: c | {"rejects": [c["rejects"][0] | {"more": 1}]},
    "missing column": lambda c: c | {"rejects": [{"key": "a"}]},
    "wrong type": lambda c: c | {"rejects": [c["rejects"][0] | {"attempts": "3"}]},
    "number for a truth": lambda c: c | {"positions": [c["positions"][0] | {"complete": 1}]},
    "not hex": lambda c: c | {"fingerprints": [c["fingerprints"][0] | {"fingerprint": "xy"}]},
    "null": lambda c: c | {"fingerprints": [c["fingerprints"][0] | {"fingerprint": None}]},
    "not a list": lambda c: c | {"chunks": {"a": 1}},
    "a key twice": lambda c: c | {"fingerprints": [c["fingerprints"][0]] * 2},
    "no cursor": lambda c: c | {"positions": [c["positions"][0] | {"cursor": "[1]"}]},
    "no JSON": lambda c: c | {"positions": [c["positions"][0] | {"cursor": "{"}]},
    "no salt": lambda c: c | {"streams": []},
    "nothing": lambda _: {},
}


def test_a_damaged_export_is_refused_whole(store: Store) -> None:
    content = _filled(store).export("contacts")
    lease = store.acquire("contacts", owner())
    for damage in _DAMAGE.values():
        with pytest.raises(ValueError, match=r"table|column|hex"):
            store.restore(lease, damage(content))
    assert store.export("contacts") == content
