"""What all runs share: opened once, renewed without disturbing anybody, with so many calls at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from doubles.hook import Hook
from fixtures_postgres import Database
from fixtures_serve import YEARLY, ServePlace, eventually, fill
from pydantic import SecretStr
from test_serve_command import last_run_was, metric
from workplace import MAP

from state import Store, open_store
from state.errors import StoreUnreachable, StoreUnusable
from sync.commands.serving import store_opener
from sync.memory.answers import Answer
from sync.memory.errors import DestinationMisconfigured
from sync.sandbox import Sandbox, SandboxOptions
from sync.serve import shared as module
from sync.serve.gate import Gate, GatedTransport
from sync.serve.shared import Shared
from sync.settings import Settings
from sync.stop import Stop, Stopped


class Opened:
    """A Shared over the sandbox and a SQLite file, and every store that it opened."""

    def __init__(self, folder: Path, url: str) -> None:
        self.stores: list[Store] = []
        self.said: list[str] = []
        self.stop = Stop()
        key = SecretStr("sk_test_1")
        settings = Settings(_env_file=None, personize_secret_key=key, personize_base_url=url)
        self._url = f"sqlite:///{folder}/state.db"
        self.shared = Shared(settings, self.open_store, self.stop, self.said.append)
        self.before: Callable[[], None] = lambda: None

    def open_store(self) -> Store:
        self.before()
        self.stores.append(open_store(self._url))
        return self.stores[-1]


@pytest.fixture
def opened(tmp_path: Path, serve_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    monkeypatch.setattr(module, "RETRY", 0.0)
    monkeypatch.setattr(module, "FIRST", 0.01)
    made = Opened(tmp_path, serve_sandbox.url)
    yield made
    made.shared.close()


def is_open(store: Store) -> bool:
    try:
        store.streams()
    except StoreUnusable:
        return False
    return True


def away() -> None:
    raise StoreUnreachable("the store is away")


def test_what_is_renewed_is_closed_only_after_its_last_user(opened: Opened) -> None:
    opened.shared.open()
    with opened.shared.borrow() as before:
        opened.shared.doubt(None)
        with opened.shared.borrow() as after:
            assert after.store is not before.store
            assert [is_open(one) for one in opened.stores] == [True, True]
        assert is_open(opened.stores[0])
    assert [is_open(one) for one in opened.stores] == [False, True]
    opened.shared.close()
    assert [is_open(one) for one in opened.stores] == [False, False]


def test_what_is_young_and_sound_is_not_renewed(opened: Opened) -> None:
    opened.shared.open()
    for _ in range(3):
        with opened.shared.borrow():
            opened.shared.mend()
    assert len(opened.stores) == 1


def test_it_is_renewed_when_it_is_old(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    opened.shared.open()
    monkeypatch.setattr(module, "LONGEST", 0.0)
    with opened.shared.borrow():
        assert len(opened.stores) == 2


def test_what_cannot_be_renewed_stays_in_use_and_the_problem_ends_with_it(opened: Opened) -> None:
    opened.shared.open()
    opened.before = away
    opened.shared.doubt("a run said so")
    with opened.shared.borrow() as around:
        assert around.store is opened.stores[0]
    assert opened.shared.problem == "the store is away"
    opened.before = lambda: None
    opened.shared.mend()
    assert opened.shared.problem is None
    assert len(opened.stores) == 2


def test_at_the_start_it_is_waited_for_what_is_away(opened: Opened) -> None:
    tries = iter(range(10))

    def twice() -> None:
        if next(tries) < 2:
            away()

    opened.before = twice
    opened.shared.open()
    assert [line.partition(":")[0] for line in opened.said if "wait" in line] == [
        "waiting for what is away, trying again in 0 s"
    ] * 2
    assert opened.shared.problem is None


def test_at_the_start_it_is_not_waited_for_what_waiting_does_not_mend(opened: Opened) -> None:
    def wrong() -> None:
        raise DestinationMisconfigured("wrong address")

    opened.before = wrong
    with pytest.raises(DestinationMisconfigured):
        opened.shared.open()


def test_a_stop_ends_the_wait(opened: Opened) -> None:
    opened.before = away
    threading.Timer(0.1, opened.stop.set).start()
    with pytest.raises(Stopped):
        opened.shared.open()


def test_a_store_that_vanishes_is_waited_for_and_never_begun_anew(opened: Opened, tmp_path: Path) -> None:
    settings = Settings(_env_file=None, memsync_state_url=f"sqlite:///{tmp_path}/state.db")
    opened.shared._open_store = store_opener(settings, lambda _: None)
    opened.shared.open()
    state = tmp_path / "state.db"
    state.rename(tmp_path / "elsewhere.db")
    opened.shared.doubt("was moved")
    opened.shared.mend()
    assert "the state store is gone" in str(opened.shared.problem)
    assert not state.exists()
    (tmp_path / "elsewhere.db").rename(state)
    opened.shared.mend()
    assert opened.shared.problem is None


# -- calls at once


class _Slow:
    """Counts how many calls are under way."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def call(self, *_: Any) -> Answer:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.02)
        with self._lock:
            self.now -= 1
        return Answer(429, {}, b"")


def test_no_more_calls_than_places_are_under_way_and_each_is_counted() -> None:
    slow, statuses = _Slow(), list[int | None]()
    gate = Gate(3, Stop())
    transports = [GatedTransport(slow, gate, statuses.append) for _ in range(2)]
    threads = [threading.Thread(target=transports[n % 2].call, args=("GET", "/")) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert slow.most == 3
    assert statuses == [429] * 20


def test_a_stop_ends_the_wait_for_a_place() -> None:
    stop = Stop()
    gate = Gate(1, stop)
    with gate:
        threading.Timer(0.05, stop.set).start()
        with pytest.raises(Stopped), gate:
            raise AssertionError("there was no place")


# -- as a process


def test_streams_side_by_side_keep_to_the_calls_that_an_organisation_may_have(
    serve_place: ServePlace, database: Database, tmp_path: Path
) -> None:
    # The sandbox answers 429 beyond five calls at once; two streams alone would make eight.
    with Sandbox(SandboxOptions(database=tmp_path / "slow.db", latency=0.05)) as sandbox:
        serve_place.variables["PERSONIZE_BASE_URL"] = sandbox.url
        serve_place.write_map(MAP.replace("stream: customers", "stream: twins") + YEARLY, "twins.yaml")
        assert serve_place.run().code == 0
        last_run_was(serve_place, 2 * 366 * 86400)
        fill(database, 1, 400)
        serving = serve_place.serve("--parallel", "2")
        for name in ("customers", "twins"):
            serving.said("run ended", f'"stream": "{name}"', '"sent": 400')
            assert metric(serving, f'memsync_rate_limited_total{{stream="{name}"}}') == 0
            assert metric(serving, f'memsync_calls_total{{stream="{name}"}}') >= 41
        assert sandbox.seen().rows == 800
        assert serving.stop() == 143


def test_a_failure_and_its_end_are_told_while_it_serves(serve_place: ServePlace, database: Database) -> None:
    serve_place.run()
    last_run_was(serve_place, 2 * 366 * 86400)
    database.do("ALTER TABLE customers RENAME TO clients")
    with Hook() as hook:
        serve_place.variables["MEMSYNC_NOTIFY_URL"] = hook.url
        serving = serve_place.serve()
        eventually(lambda: hook.states == [("customers", "failed")], "a message")
        serving.stop()
        database.do("ALTER TABLE clients RENAME TO customers")
        last_run_was(serve_place, 2 * 366 * 86400)
        serving = serve_place.serve()
        eventually(lambda: hook.states[1:] == [("customers", "recovered")], "another message")
        serving.stop()
    assert "its-secret-path" not in "".join(serving.lines)
