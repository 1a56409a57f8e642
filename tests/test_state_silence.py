"""A state server that falls silent: frozen, or cut off without a word."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from doubles.hook import Hook
from doubles.relay import Relay
from fixtures_postgres import Database
from fixtures_serve import EVERY_MINUTE, ServePlace, eventually, fill
from fixtures_state import owner, postgres_state_url
from workplace import MAP

from state import Store, open_store, silence
from state.errors import StoreUnreachable, StoreUnusable
from sync.sandbox import Sandbox

PATIENCE = 30.0


@pytest.fixture
def relay(database: Database) -> Iterator[Relay]:
    with Relay(database.url) as relay:
        yield relay


@pytest.fixture
def far(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store behind the relay, by whose measure a second is long."""
    monkeypatch.setattr(silence, "SUSPICIOUS", 0.5)
    monkeypatch.setattr(silence, "PROBE", 2)
    with open_store(f"{relay.url}?connect_timeout=2") as store:
        yield store


def test_a_server_that_freezes_ends_the_call_with_a_reason_and_is_used_again_when_it_is_back(
    relay: Relay, far: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = far.acquire("a", owner())
    relay.freeze()
    began = time.monotonic()
    with pytest.raises(StoreUnreachable, match="does not answer"):
        far.renew(lease)
    assert time.monotonic() - began < PATIENCE
    relay.thaw()
    monkeypatch.setattr(silence, "PAUSE", 0.0)
    far.renew(lease)
    far.release(lease)


def test_who_has_many_questions_for_a_silent_server_waits_once(
    relay: Relay, far: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "PAUSE", 60.0)
    relay.freeze()
    with pytest.raises(StoreUnreachable, match="does not answer"):
        far.streams()
    began = time.monotonic()
    for _ in range(100):
        with pytest.raises(StoreUnreachable, match="does not answer"):
            far.streams()
    assert time.monotonic() - began < PATIENCE


def test_a_server_that_is_slow_but_there_is_waited_for(far: Store, database: Database) -> None:
    lease = far.acquire("a", owner())
    database.do("BEGIN")
    database.do("LOCK TABLE memsync_leases")
    threading.Timer(2.5, lambda: database.do("COMMIT")).start()
    began = time.monotonic()
    far.renew(lease)
    assert time.monotonic() - began > 2


def test_nobody_waits_for_ever_for_one_answer(far: Store, monkeypatch: pytest.MonkeyPatch, database: Database) -> None:
    monkeypatch.setattr(silence, "LONGEST", 1.0)
    lease = far.acquire("a", owner())
    database.do("BEGIN")
    database.do("LOCK TABLE memsync_leases")
    with pytest.raises(StoreUnreachable, match="does not answer"):
        far.renew(lease)
    database.do("COMMIT")


def test_whether_a_server_answers_can_be_asked(
    relay: Relay, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "PROBE", 2)
    assert silence.answers(relay.url)
    assert silence.answers(relay.url + "_no_such_database")  # a refusal is an answer
    relay.freeze()
    assert not silence.answers(relay.url)


def test_a_value_that_postgres_cannot_keep_is_named_as_such(database: Database) -> None:
    with open_store(postgres_state_url(database.url)) as store:
        lease = store.acquire("a", owner())
        content = store.export("a")
        content["rejects"] = [
            {"key": "a\0b", "code": "x", "message": "", "attempts": 1, "first_at": 0.0, "last_at": 0.0}
        ]
        with pytest.raises(StoreUnusable, match="NUL") as refused:
            store.restore(lease, content)
        assert not isinstance(refused.value, StoreUnreachable)


@pytest.mark.slow
def test_a_run_whose_store_freezes_under_it_ends_with_its_code_and_says_why(
    serve_place: ServePlace, relay: Relay, database: Database, serve_sandbox: Sandbox
) -> None:
    serve_place.variables["MEMSYNC_STATE_URL"] = relay.url
    fill(database, 1, 4000)
    began, process = time.monotonic(), serve_place.start("run")
    eventually(lambda: serve_sandbox.seen().rows > 20, "sending")
    relay.freeze()
    out, err = process.communicate(timeout=90)
    assert process.returncode == 8
    assert "does not answer" in out + err
    assert time.monotonic() - began < 80
    began, ended = time.monotonic(), serve_place.run()
    assert (ended.code, "does not answer" in ended.err) == (8, True)
    assert time.monotonic() - began < 60
    relay.thaw()
    assert serve_place.run().code == 0
    assert 4000 <= serve_sandbox.seen().rows <= 4000 + 4 * 10  # at most what was in flight is sent again


@pytest.mark.slow
def test_a_scheduler_says_that_its_store_is_frozen_and_goes_on_when_it_is_back(
    serve_place: ServePlace, relay: Relay
) -> None:
    serve_place.variables["MEMSYNC_STATE_URL"] = relay.url
    serve_place.write_map(MAP + EVERY_MINUTE)
    assert serve_place.run().code == 0
    with Hook() as hook:
        serve_place.variables["MEMSYNC_NOTIFY_URL"] = hook.url
        serving = serve_place.serve()
        serving.said("on its schedule")
        assert serving.get("/readyz").status_code == 200
        relay.freeze()
        began = time.monotonic()
        eventually(lambda: serving.get("/readyz").status_code == 503, "a 503")
        assert time.monotonic() - began < 20
        assert "customers" in serving.get("/").text
        _within(150, lambda: hook.states == [("customers", "failed")])
        relay.thaw()
        _within(150, lambda: hook.states[1:] == [("customers", "recovered")])
        _within(60, lambda: serving.get("/readyz").status_code == 200)
        assert serving.stop() == 143


def _within(seconds: float, look: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)
