"""`memsync sandbox` as a process: what it prints, how it stops, what it refuses; and the sink's throughput."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from sandbox_calls import batch, client, person, search, send

from sync.sandbox import Sandbox, SandboxOptions

RUN = "from sync.commands.sandbox import command; command()"


@contextmanager
def command(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    given = [sys.executable, "-c", RUN, "--port", "0", *arguments]
    root = str(Path(__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": root}
    with subprocess.Popen(given, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, _announcement(process)
        finally:
            process.kill()


def _announcement(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    return "".join(lines)


def _url(said: str) -> str:
    match = re.search(r"PERSONIZE_BASE_URL=(\S+)", said)
    assert match, said
    return match[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_tells_how_to_use_it_and_stops_within_a_second(tmp_path: Path, number: int) -> None:
    with command(tmp_path, "--latency", "30") as (process, said):
        assert "PERSONIZE_SECRET_KEY=sk_test_sandbox" in said
        with socket.create_connection(("127.0.0.1", int(_url(said).rpartition(":")[2]))) as connection:
            connection.sendall(b"GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sk_test_x\r\n\r\n")
            time.sleep(0.2)
            started = time.perf_counter()
            process.send_signal(number)
            assert process.wait(5) == 0
            assert time.perf_counter() - started < 1
    assert (tmp_path / "sandbox.db").is_file()


def test_what_was_sent_is_there_after_the_command_was_started_again(tmp_path: Path) -> None:
    for expected in (1, 1):
        with command(tmp_path, "--collection", "Visits", "--per-minute", "77") as (process, said):
            with client(_url(said)) as http:
                send(http, person(1))
                assert search(http)["totalMatched"] == expected
                assert (
                    http.get("/api/v1/collections").json()["data"]["actions"][-1]["payload"]["collectionName"]
                    == "Visits"
                )
                assert http.get("/api/v1/me").json()["data"]["plan"]["limits"]["maxApiCallsPerMinute"] == 77
            process.terminate()
            assert process.wait(5) == 0


def _refusal(folder: Path, *arguments: str) -> tuple[int, str]:
    with command(folder, *arguments) as (process, said):
        return process.wait(5), said


def test_a_port_in_use_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        code, said = _refusal(tmp_path, "--port", str(sandbox.port))
    assert code == 2
    assert said == f"Error: port {sandbox.port} is in use: stop what listens there, or choose another with --port\n"


def test_a_host_that_is_not_here_is_one_line(tmp_path: Path) -> None:
    code, said = _refusal(tmp_path, "--host", "192.0.2.1")
    assert (code, said.count("\n")) == (2, 1)
    assert "--host" in said


def test_an_unusable_database_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "sandbox.db").write_bytes(b"no database at all, but long enough to be read as one" * 40)
    code, said = _refusal(tmp_path)
    assert (code, said.count("\n")) == (8, 1)
    assert "choose another file with --database" in said


def test_the_help_shows_an_example() -> None:
    done = subprocess.run([sys.executable, "-c", RUN, "--help"], capture_output=True, text=True, check=True)
    assert "Example:" in done.stdout
    assert "PERSONIZE_BASE_URL=http://127.0.0.1:8765" in done.stdout


def test_the_sink_counts_and_stores_nothing() -> None:
    with Sandbox(SandboxOptions(sink=True)) as sandbox, client(sandbox.url) as http:
        events = [send(http, person(1), person(2))["eventId"] for _ in range(3)]
        assert http.get(f"/api/v1/events/{events[0]}").json()["data"]["status"] == "completed"
        assert search(http)["totalMatched"] == 0
        assert http.post("/api/v1/batch-memorize", json={"rows": 1}).status_code == 400
        assert http.post("/api/v1/batch-memorize", headers={"Authorization": "x"}, json=batch()).status_code == 401
        assert send(http, person(1), dryRun=True)["queued"] == 1
        assert "Nothing is stored" in http.get("/").text
        assert len(set(events)) == 3
        assert sandbox.seen().rows == 6


def test_the_sink_takes_rows_quickly(capsys: pytest.CaptureFixture[str]) -> None:
    body = orjson.dumps(batch(*[person(n, title="VP Engineering", notes="Evaluating tools. " * 5) for n in range(500)]))
    headers = {"Authorization": "Bearer sk_test_x", "Content-Type": "application/json"}
    with Sandbox(SandboxOptions(sink=True)) as sandbox:
        connection = http.client.HTTPConnection("127.0.0.1", sandbox.port)
        started = time.perf_counter()
        for _ in range(50):
            connection.request("POST", "/api/v1/batch-memorize", body, headers)
            assert connection.getresponse().read()
        taken = time.perf_counter() - started
        connection.close()
        assert sandbox.seen().rows == 25_000
    with capsys.disabled():
        print(f" [sink: {25_000 / taken:,.0f} rows/s] ", end="")
