"""`memsync serve` as a user meets it: a process, its log lines, its endpoints, its end."""

from __future__ import annotations

import signal
import sqlite3
import time
from contextlib import closing

import pytest
from doubles.hook import Hook
from fixtures_postgres import Database
from fixtures_serve import EVERY_MINUTE, YEARLY, ServePlace, Serving, eventually, fill
from workplace import MAP

from sync.sandbox import Sandbox

FOLDER_OF_STATE = "memsync-state.db"


def last_run_was(place: ServePlace, seconds_ago: float) -> None:
    """Let the last run of every stream have begun so long ago."""
    with closing(sqlite3.connect(place.folder / FOLDER_OF_STATE)) as store, store:
        moment = time.time() - seconds_ago
        store.execute("UPDATE memsync_runs SET started_at = ?, finished_at = ?", (moment, moment + 1))


def metric(serving: Serving, line: str) -> float:
    found = [text for text in serving.get("/metrics").text.splitlines() if text.startswith(line + " ")]
    return float(found[0].rpartition(" ")[2]) if found else -1.0


def test_runs_that_were_missed_while_it_was_down_are_made_up_for_once(
    serve_place: ServePlace, database: Database, serve_sandbox: Sandbox
) -> None:
    fill(database, 1, 5)
    assert serve_place.run().code == 0
    fill(database, 6, 12)
    last_run_was(serve_place, 3 * 366 * 86400)
    serving = serve_place.serve()
    assert '"times": "3"' in serving.said("one run makes up for it")
    serving.said("run ended", '"status": "ok"', '"sent": 7')
    assert serve_sandbox.seen().rows == 12
    assert serving.stop() == 143
    assert serving.count("run ended") == 1
    assert "ended: no run is under way any more" in serving.lines[-1]


@pytest.mark.slow
def test_a_stream_that_missed_nothing_waits_for_its_time(serve_place: ServePlace) -> None:
    assert serve_place.run().code == 0
    serving = serve_place.serve()
    serving.said("on its schedule", "customers", "0 0 1 1 *")
    eventually(lambda: serving.get("/readyz").status_code == 200)
    assert serving.count("makes up") == serving.count("run ended") == 0
    assert serving.stop(signal.SIGINT) == 130


def test_a_run_under_way_is_stopped_within_eight_seconds_and_goes_on_at_the_next_start(
    serve_place: ServePlace, database: Database, serve_sandbox: Sandbox
) -> None:
    assert serve_place.run().code == 0
    last_run_was(serve_place, 2 * 366 * 86400)
    fill(database, 1, 3000)
    serving = serve_place.serve()
    eventually(lambda: serve_sandbox.seen().rows > 20, "sending")
    began = time.monotonic()
    assert serving.stop() == 143
    assert time.monotonic() - began < 8
    taken = serve_sandbox.seen().rows
    assert 20 < taken < 3000
    serving.said("run ended", '"status": "stopped"')
    again = serve_place.serve()
    again.said("run ended", '"status": "ok"')
    assert serve_sandbox.seen().rows == 3000


@pytest.mark.slow
def test_maps_come_change_and_go_while_it_serves(serve_place: ServePlace, database: Database) -> None:
    serve_place.run()
    serving = serve_place.serve()
    serve_place.write_map(MAP.replace("stream: customers", "stream: others") + YEARLY, "others.yaml")
    serving.said("on its schedule", "others")
    serve_place.write_map("stream: [", "others.yaml")
    serving.said("property map not used", "others.yaml")
    assert "others" in serving.get("/").text
    assert "others.yaml" in serving.get("/").text
    serve_place.write_map(MAP.replace("stream: customers", "stream: others"), "others.yaml")
    serving.said("problems are mended")
    serving.said("no longer on a schedule", "others")
    serving.said("without `schedule:`", "others")
    assert serving.count("property map not used") == 1
    (serve_place.folder / "mappings" / "others.yaml").unlink()
    eventually(lambda: "others" not in serving.get("/").text.partition("<main")[2].partition("plan")[0])


def test_a_run_that_used_its_budget_is_no_error_and_needs_no_attention(
    serve_place: ServePlace, serve_sandbox: Sandbox, database: Database
) -> None:
    serve_place.write_map(MAP + "\nlimits: {maxRows: 3}\n" + YEARLY)
    fill(database, 1, 7)
    assert serve_place.run().code == 6
    last_run_was(serve_place, 366 * 86400)
    serving = serve_place.serve()
    assert '"level": "warning"' in serving.said("run ended", '"status": "budget"', '"sent": 3')
    assert "All streams are well" in serving.get("/").text
    assert serve_sandbox.seen().rows == 6
    assert serving.stop() == 143


def test_a_destination_that_is_away_at_the_start_is_waited_for(serve_place: ServePlace, serve_sandbox: Sandbox) -> None:
    serve_sandbox.close()
    serving = serve_place.serve()
    serving.said("waiting for what is away", "connection refused")
    assert serving.get("/healthz").status_code == 200
    answer = serving.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert "Not ready" in serving.get("/").text
    assert serving.stop() == 143


def test_a_store_that_is_away_at_the_start_is_waited_for(serve_place: ServePlace) -> None:
    serve_place.variables["MEMSYNC_STATE_URL"] = "postgresql://nobody:secret@127.0.0.1:1/state"
    serving = serve_place.serve()
    assert "secret" not in serving.said("waiting for what is away", "cannot be reached")
    assert metric(serving, "memsync_ready") == 0
    assert serving.stop() == 143


def test_a_store_in_postgres_is_served_as_well(serve_place: ServePlace, schema_url: str) -> None:
    serve_place.variables["MEMSYNC_STATE_URL"] = schema_url
    assert serve_place.run().code == 0
    serving = serve_place.serve()
    serving.said("on its schedule", "customers")
    eventually(lambda: metric(serving, 'memsync_last_success_timestamp_seconds{stream="customers"}') > 0)
    assert serving.get("/readyz").status_code == 200
    assert serve_place.memsync("health").code == 0
    assert serving.stop() == 143


def test_one_stream_that_fails_does_not_keep_others_from_running(serve_place: ServePlace, database: Database) -> None:
    assert serve_place.run().code == 0
    serve_place.write_map(MAP.replace("customers", "nowhere") + EVERY_MINUTE, "nowhere.yaml")
    serve_place.run("nowhere")
    last_run_was(serve_place, 2 * 366 * 86400)
    fill(database, 1, 5)
    serving = serve_place.serve("--parallel", "1")
    serving.said("run ended", '"stream": "nowhere"', '"status": "failed"', "nowhere")
    serving.said("run ended", '"stream": "customers"', '"sent": 5')
    page = serving.get("/").text
    assert "attention" in page
    assert "public.nowhere" in page


def test_numbers_grow_and_tell_what_happened(serve_place: ServePlace, database: Database) -> None:
    serve_place.run()
    fill(database, 1, 25)
    last_run_was(serve_place, 2 * 366 * 86400)
    serving = serve_place.serve()
    assert metric(serving, 'memsync_rows_total{stream="customers",outcome="sent"}') in range(-1, 26)
    serving.said("run ended")
    eventually(lambda: metric(serving, 'memsync_runs_total{stream="customers",status="ok"}') == 1)
    assert metric(serving, 'memsync_rows_total{stream="customers",outcome="sent"}') == 25
    assert metric(serving, 'memsync_calls_total{stream="customers"}') >= 3
    assert metric(serving, 'memsync_run_duration_seconds_bucket{stream="customers",le="+Inf"}') == 1
    eventually(lambda: 0 <= metric(serving, 'memsync_lag_seconds{stream="customers"}') < 60)
    assert metric(serving, 'memsync_last_success_timestamp_seconds{stream="customers"}') > time.time() - 60


def test_that_the_api_ends_some_day_is_said_once_and_not_by_every_run(
    serve_place: ServePlace, database: Database
) -> None:
    serve_place.variables["PERSONIZE_API_VERSION"] = "v1"
    serve_place.write_map(MAP.replace("stream: customers", "stream: twins") + YEARLY, "twins.yaml")
    assert serve_place.run().code == 0
    last_run_was(serve_place, 2 * 366 * 86400)
    fill(database, 1, 5)
    serving = serve_place.serve("--parallel", "1")
    for name in ("customers", "twins"):
        serving.said("run ended", f'"stream": "{name}"', '"sent": 5')
    assert serving.count("announced to end on") == 1
    assert serving.stop() == 143


def test_a_map_that_is_broken_at_the_start_is_told_everywhere(serve_place: ServePlace) -> None:
    serve_place.write_map("stream: 3", "broken.yaml")
    with Hook() as hook:
        serve_place.variables["MEMSYNC_NOTIFY_URL"] = hook.url
        serving = serve_place.serve()
        serving.said("property map not used", "broken.yaml")
        eventually(lambda: hook.states == [("property maps", "failed")], "a message")
        assert "broken.yaml" in hook.posted[0]["message"]
        assert metric(serving, "memsync_map_problems") > 0
        assert "broken.yaml" in serving.get("/").text
        assert serving.get("/readyz").status_code == 200
        assert serving.stop() == 143


def test_a_port_in_use_is_said_in_one_line(serve_place: ServePlace) -> None:
    serving = serve_place.serve()
    port = serving.url.rpartition(":")[2]
    ended = serve_place.memsync("serve", "--port", port)
    assert ended.code == 2
    assert f"port {port} is in use" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('schedule: {cron: "0 0 31 2 *"}', "expected a date that occurs"),
        ('schedule: {cron: "0 2 * * *", timezone: Europe/Berlim}', "did you mean Europe/Berlin"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_with_its_place(serve_place: ServePlace, line: str, words: str) -> None:
    serve_place.write_map(f"{MAP}{line}\n")
    ended = serve_place.memsync("serve", "--port", "0")
    assert ended.code == 2
    assert words in ended.err
    assert "customers.yaml:" in ended.err


def test_a_wrong_state_url_and_a_missing_key_end_it_at_once(serve_place: ServePlace) -> None:
    serve_place.variables["MEMSYNC_STATE_URL"] = "mysql://x/y"
    assert serve_place.memsync("serve", "--port", "0").code == 2
    del serve_place.variables["PERSONIZE_SECRET_KEY"]
    ended = serve_place.memsync("serve", "--port", "0")
    assert (ended.code, "PERSONIZE_SECRET_KEY is not set" in ended.err) == (2, True)


def test_pages_are_read_only_and_only_under_this_machine_s_name(serve_place: ServePlace) -> None:
    serving = serve_place.serve()
    assert serving.get("/", headers={"Host": "evil.example"}).status_code == 403
    assert serving.get("/nothing").status_code == 404
    import httpx

    answer = httpx.post(serving.url + "/", content=b"x")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    headers = serving.get("/").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "sk_test_1" not in serving.get("/").text + serving.get("/metrics").text
