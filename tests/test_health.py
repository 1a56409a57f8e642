"""`memsync health`: from the state store alone, measured against each stream's own schedule."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import structlog
from fixtures_state import owner
from workplace import MAP

from state import Store, open_store
from state.overview import StreamState
from state.values import StoredRun
from sync.__main__ import main
from sync.maps.delivery import Schedule
from sync.serve.freshness import complaint
from sync.spans import span

HOUR, NOON = 3600.0, 1_767_268_800.0
"""Noon of the first of January 2026, in UTC."""
HOURLY, NIGHTLY = Schedule(cron="0 * * * *"), Schedule(cron="0 2 * * *")


def state(hours_ago: float | None, **more: Any) -> StreamState:
    """A stream that succeeded so long ago, in no time."""
    moment = None if hours_ago is None else NOON - hours_ago * HOUR
    return StreamState("a", success_started=moment, success_ended=moment, **more)


def running(began: float) -> StoredRun:
    return StoredRun(1, "a", "run", NOON - began * HOUR, None, "running", {})


def fresh(found: StreamState, schedule: Schedule | None, hours: float = 3) -> bool:
    return complaint(found, schedule, hours * HOUR, NOON) is None


def test_a_success_within_the_age_is_enough() -> None:
    assert fresh(state(2.9), None)
    assert not fresh(state(3.1), None)
    assert not fresh(state(3.1), HOURLY, 1)


def test_a_stream_that_is_due_once_a_day_is_late_only_after_it_was_due() -> None:
    assert fresh(state(10), NIGHTLY)  # ran at two, due at two
    assert fresh(state(14), NIGHTLY, 11)  # ran at ten in the evening, due at two, ten hours late
    assert not fresh(state(14), NIGHTLY, 9)
    assert not fresh(state(34), NIGHTLY)  # yesterday's run only


def test_a_stream_that_never_ran_is_late_once_it_was_due() -> None:
    assert fresh(state(None, since=NOON - 9 * HOUR), NIGHTLY)
    assert not fresh(state(None, since=NOON - 11 * HOUR), NIGHTLY)
    assert not fresh(state(None), HOURLY)
    assert not fresh(state(None), None)


def test_a_stream_whose_first_run_failed_is_not_waited_for() -> None:
    failed = replace(running(1), status="failed", finished_at=NOON)
    assert not fresh(state(None, since=NOON - 2 * HOUR, runs=[failed]), NIGHTLY)
    assert fresh(state(10, runs=[failed]), NIGHTLY)


def test_a_first_run_that_waits_for_a_yes_is_told_at_once_and_one_that_used_its_budget_goes_on() -> None:
    waits = replace(running(1), status="unconfirmed", finished_at=NOON)
    assert not fresh(state(None, since=NOON - 2 * HOUR, runs=[waits]), NIGHTLY)
    spent = replace(running(3), status="budget", finished_at=NOON - 2 * HOUR)
    assert fresh(state(None, runs=[spent]), HOURLY, 3)
    assert not fresh(state(None, runs=[spent]), HOURLY, 1)
    assert not fresh(state(30, runs=[spent]), HOURLY, 3)


def test_a_long_run_that_gets_on_is_no_problem_and_one_that_hangs_is() -> None:
    assert fresh(state(None, runs=[running(2)]), HOURLY)
    assert fresh(state(None, runs=[running(20)], moved=NOON - HOUR), HOURLY)
    assert not fresh(state(None, runs=[running(20)], moved=NOON - 4 * HOUR), HOURLY)
    assert fresh(state(None, runs=[running(20)], moved=NOON - 4 * HOUR, accepted=NOON - HOUR), HOURLY)


def test_a_first_run_that_stands_still_is_said_to_be_under_way() -> None:
    told = complaint(state(None, runs=[running(20)], moved=NOON - 4 * HOUR), HOURLY, 3 * HOUR, NOON)
    assert told == "has never succeeded; the run under way began 20 h ago and last got on 4 h ago"


@pytest.mark.parametrize(
    ("seconds", "words"), [(3, "3 s"), (600, "10 min"), (3 * HOUR, "3 h"), (3700, "1 h 1 min"), (200_000, "2 d 7 h")]
)
def test_spans_are_said_in_their_largest_units(seconds: float, words: str) -> None:
    assert span(seconds) == words


class Ended(NamedTuple):
    code: int
    out: str
    err: str


class Place:
    """A folder with a store whose clock can be set."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.clock, self._capsys = folder, 0.0, capsys
        self.store: Store = open_store(f"sqlite:///{folder}/state.db", lambda: self.clock)

    def ran(self, stream: str, status: str, ago: float) -> None:
        import time

        self.clock = time.time() - ago
        lease = self.store.acquire(stream, owner())
        self.store.finish_run(lease, self.store.start_run(lease, "run"), status, {})
        self.store.release(lease)

    def map(self, stream: str, more: str = "") -> None:
        (self.folder / "mappings").mkdir(exist_ok=True)
        text = MAP.replace("stream: customers", f"stream: {stream}")
        (self.folder / "mappings" / f"{stream}.yaml").write_text(text + more)

    def health(self, *arguments: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main(["health", *arguments])
        said = self._capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Place]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEMSYNC_STATE_URL", "sqlite:///state.db")
    made = Place(tmp_path, capsys)
    handlers = logging.getLogger().handlers
    yield made
    logging.getLogger().handlers = handlers
    structlog.reset_defaults()
    made.store.close()


EVERY_HOUR = '\nschedule: {cron: "0 * * * *"}\n'
Ran = Callable[[str, str, float], None]


def test_all_is_well_when_every_stream_succeeded_lately(place: Place) -> None:
    place.ran("a", "ok", 60)
    place.ran("b", "rejects", 3 * HOUR - 60)
    ended = place.health("--max-age", "3h")
    assert (ended.code, ended.out) == (0, "2 of 2 streams are well\n")


def test_one_stream_is_well_in_the_singular(place: Place) -> None:
    place.ran("a", "ok", 60)
    assert place.health().out == "1 of 1 stream is well\n"


def test_each_stream_that_is_not_gets_a_line(place: Place) -> None:
    place.ran("a", "ok", 60)
    place.ran("b", "ok", 4 * HOUR)
    place.ran("b", "failed", 60)
    place.ran("c", "failed", 60)
    ended = place.health("--max-age", "3h")
    assert ended.code == 1
    lines = ended.out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["b", "c"]
    assert "last succeeded 4 h ago" in lines[0]
    assert "ended as failed" in lines[0]
    assert lines[1] == "c: has never succeeded; its last run ended as failed"
    assert place.health("a").code == 0


def test_only_streams_on_a_schedule_count_where_there_are_any(place: Place) -> None:
    place.ran("a", "ok", 60)
    place.ran("removed", "ok", 100 * HOUR)
    place.map("a", EVERY_HOUR)
    place.map("by-hand")
    assert place.health().code == 0
    assert place.health("by-hand").code == 1


def test_without_a_schedule_all_maps_count(place: Place) -> None:
    place.ran("a", "ok", 60)
    place.map("a")
    place.map("b")
    assert place.health().out == "b: has never succeeded; it has not run yet\n"


def test_a_broken_map_does_not_make_it_blind(place: Place) -> None:
    place.map("a")
    (place.folder / "mappings" / "a.yaml").write_text("stream: [")
    place.ran("a", "ok", 4 * HOUR)
    assert place.health().code == 1
    place.ran("a", "ok", 60)
    assert place.health().code == 0


def test_one_broken_map_is_named_and_the_other_streams_are_measured_against_their_schedules(place: Place) -> None:
    place.map("nightly", '\nschedule: {cron: "0 0 1 1 *"}\n')
    place.map("hourly", EVERY_HOUR)
    (place.folder / "mappings" / "broken.yaml").write_text("stream: [")
    place.ran("nightly", "ok", 10 * HOUR)
    place.ran("removed", "ok", 100 * HOUR)
    place.ran("hourly", "ok", 9 * HOUR)
    ended = place.health("--json")
    assert (ended.code, len(json.loads(ended.out)["map_problems"])) == (1, 1)
    place.ran("hourly", "ok", 60)
    ended = place.health()
    assert ended.code == 0
    assert ended.out.splitlines()[0] == "2 of 2 streams are well"
    assert ended.out.splitlines()[1].startswith("not measured: mappings/broken.yaml:1:")


def test_an_unknown_stream_is_a_mistake(place: Place) -> None:
    place.ran("customers", "ok", 60)
    ended = place.health("custommers")
    assert ended.code == 2
    assert "did you mean customers?" in ended.err


def test_no_stream_at_all_is_not_healthy(place: Place) -> None:
    assert place.health().code == 1


def test_json_says_the_same(place: Place) -> None:
    place.ran("a", "failed", 60)
    ended = place.health("--json")
    document = json.loads(ended.out)
    assert (ended.code, document["ok"], document["streams"][0]["stream"]) == (1, False, "a")
    assert document["streams"][0]["reason"].startswith("has never succeeded")
