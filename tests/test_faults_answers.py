"""Answers that do not say what became of a call: sent again after a pause, counted, never taken for an outcome."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pytest
from doubles import memory_server as server
from doubles.memory_api import Call, MemoryApi
from doubles.memory_server import Reply
from fixtures_faults import FaultyPlace, fill
from fixtures_postgres import Database

PAUSE = 0.3

UNREADABLE: dict[str, Reply] = {
    "a page of a hotel's network": server.html(),
    "an empty body": server.answer(b""),
    "no data": server.answer(b'{"success": true, "data": null}'),
    "null": server.answer(b"null"),
    "a list": server.answer(b"[]"),
    "success as text": server.answer(b'{"success": "true", "data": {"eventId": "e"}}'),
    "no event": server.success({"queued": 10}),
    "an empty event": server.success({"eventId": ""}),
    "an event as null": server.success({"eventId": None}),
    "two words for success": server.answer(b'{"success": false, "success": true, "data": {"eventId": "e"}}'),
    "trailing garbage": server.answer(b'{"success": true, "data": {"eventId": "e"}} <!-- -->'),
    "a number that is none": server.answer(b'{"success": true, "data": {"eventId": "e", "queued": 1e999}}'),
    "half a body": server.truncated_length(),
    "half a chunked body": server.truncated_chunks(),
    "a bad status line": server.raw(b"HTTZ/9 yes\r\n\r\n"),
    "no answer": server.hang_up(),
    "a reset": server.reset(),
    "bad gzip": server.bad_gzip(),
    "502": server.html(502),
    "504": server.html(504),
}


class OnceEach:
    """Answers each chunk wrongly when it comes for the first time, every chunk in another way."""

    def __init__(self, api: MemoryApi, replies: Iterable[Reply], *, applied: bool) -> None:
        self.api, self.replies, self.applied = api, list(replies), applied
        self.first: dict[str, Call] = {}
        self.again: dict[str, Call] = {}

    def __call__(self, call: Call) -> Reply | None:
        if call.name != "batch":
            return None
        if call.emails[0] in self.first:
            self.again.setdefault(call.emails[0], call)
            return None
        self.first[call.emails[0]] = call
        if self.applied:
            self.api.take(call)
        return self.replies[len(self.first) - 1]


@pytest.mark.parametrize("applied", [True, False], ids=["after it was applied", "instead of applying it"])
def test_an_answer_that_cannot_be_read_is_neither_success_nor_failure(
    faulty: FaultyPlace, database: Database, api: MemoryApi, applied: bool
) -> None:
    rows = 10 * len(UNREADABLE)
    fill(database, 1, rows)
    judge = api.judge = OnceEach(api, UNREADABLE.values(), applied=applied)
    ended = faulty.run()
    assert (ended.code, ended.stream["status"]) == (0, "ok"), ended.err
    assert (ended.stream["sent"], ended.stream["rejected"], ended.stream["failed"]) == (rows, 0, 0)
    assert (ended.stream["duplicates_possible"], ended.stream["retries"]) == (rows, len(UNREADABLE))
    assert Counter(Counter(api.emails).values()) == {2 if applied else 1: rows}
    for name, key in zip(UNREADABLE, judge.first, strict=True):
        assert judge.again[key].rows == judge.first[key].rows, name
        assert judge.again[key].at - judge.first[key].at >= PAUSE, name


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(server.hang_up(), id="cut"),
        pytest.param(server.html(504), id="504", marks=pytest.mark.slow),
        pytest.param(server.html(), id="unreadable", marks=pytest.mark.slow),
    ],
)
def test_answers_that_never_become_readable_end_the_run_and_lose_nothing(
    faulty: FaultyPlace, database: Database, api: MemoryApi, reply: Reply
) -> None:
    fill(database, 1, 30)
    faulty.variables["MEMSYNC_IN_FLIGHT"] = "1"
    api.judge = lambda call: reply if call.name == "batch" and "p11@example.com" in call.emails else None
    ended = faulty.run()
    assert (ended.code, ended.stream["sent"], ended.stream["rejected"]) == (5, 10, 0)
    assert (ended.stream["duplicates_possible"], ended.stream["cursor_to"]) == (50, None)
    assert len(ended.err.strip().splitlines()) <= 1
    assert faulty.rejects() == []
    api.judge = lambda _: None
    again = faulty.run()
    assert (again.code, again.stream["sent"], again.stream["unchanged"]) == (0, 20, 10)
    assert Counter(api.emails) == {f"p{number}@example.com": 1 for number in range(1, 31)}


def test_a_server_that_is_not_there_any_more_leaves_no_possible_duplicate(
    faulty: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    fill(database, 1, 10)
    api.judge = lambda call: failure_503() if call.name == "batch" else None
    ended = faulty.run()
    assert (ended.code, ended.stream["duplicates_possible"]) == (5, 0)
    assert (api.count("batch"), api.taken) == (5, [])


def failure_503() -> Reply:
    return server.failure(503, "server_error", requestId="r-1")


def test_a_success_that_says_it_failed_is_a_failure(faulty: FaultyPlace, database: Database, api: MemoryApi) -> None:
    fill(database, 1, 10)
    said = server.answer(b'{"success": false, "error": "validation_error", "message": "no"}')
    api.judge = lambda call: said if call.name == "batch" and "p3@example.com" in call.emails else None
    ended = faulty.run()
    assert (ended.code, ended.stream["sent"], ended.stream["rejected"]) == (3, 9, 1)
    assert [one["key"] for one in faulty.rejects()] == ["3"]


@pytest.mark.parametrize("status", [401, pytest.param(403, marks=pytest.mark.slow)])
def test_a_key_that_is_refused_in_the_middle_costs_one_call_and_keeps_the_rows(
    faulty: FaultyPlace, database: Database, api: MemoryApi, status: int
) -> None:
    fill(database, 1, 40)
    faulty.variables["MEMSYNC_IN_FLIGHT"] = "1"
    refusal = server.failure(status, "authentication_error", message="revoked")
    api.judge = lambda call: refusal if call.name == "batch" and api.count("batch") > 1 else None
    ended = faulty.run()
    assert (ended.code, ended.stream["sent"], api.count("batch")) == (5, 10, 2)
    assert "sk_test_1" not in ended.out + ended.err
    api.judge = lambda _: None
    assert faulty.run().stream["sent"] == 30


def test_rows_of_an_event_that_fails_three_times_become_rejects_with_the_server_s_words(
    faulty: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    fill(database, 1, 10)
    faulty.clocks |= {"state.delivery.FIRST_POLL": 0.05, "sync.follow.FIRST": 0.05}
    said = server.success({"status": "failed", "errors": [{"code": "BUSY", "message": "the index is away"}]})
    api.judge = lambda call: said if call.name == "event" else None
    follow = ["run", "--json", "--wait", "20s"]
    assert [faulty.memsync(*follow).stream["filed"] for _ in range(3)] == [0, 0, 10]
    assert len(faulty.rejects("--code", "BUSY")) == 10
    assert faulty.rejects()[0]["message"].startswith("the index is")
    assert set(Counter(api.emails).values()) == {3}
    assert (faulty.run().stream["sent"], len(api.taken)) == (0, 30)


@pytest.mark.parametrize(
    ("address", "word"),
    [
        pytest.param("http://127.0.0.1:1", "connection refused", id="refused"),
        pytest.param("https://memory.invalid", "no such host", id="unknown"),
    ],
)
def test_a_server_that_cannot_be_reached_ends_the_run_before_it_begins(
    faulty: FaultyPlace, database: Database, api: MemoryApi, address: str, word: str
) -> None:
    fill(database, 1, 10)
    faulty.variables |= {"PERSONIZE_BASE_URL": address, "MEMSYNC_ALLOW_HOSTS": "memory.invalid"}
    ended = faulty.memsync("run", "--wait", "0s")
    assert ended.code == 5
    assert word in ended.err
    assert (len(ended.err.splitlines()), api.calls) == (1, [])


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(
    faulty: FaultyPlace, database: Database, tmp_path: Path
) -> None:
    fill(database, 1, 10)
    pem = tmp_path / "self-signed.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    made = subprocess.run(
        [*command.split(), "-keyout", pem, "-out", tmp_path / "c.pem"], capture_output=True, check=False
    )
    assert made.returncode == 0, made.stderr
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c.pem", pem)
    greeted = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    greeted.append(1)
                    with connection, suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                        greeted.append(secure.recv(1))

        thread = threading.Thread(target=greet)
        thread.start()
        faulty.variables["PERSONIZE_BASE_URL"] = f"https://127.0.0.1:{listener.getsockname()[1]}"
        ended = faulty.run()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert (ended.code, greeted) == (2, [1])
    assert "certificate is not trusted" in ended.err
    assert "SSL_CERT_FILE" in ended.err


def test_an_event_of_which_some_rows_failed_sends_those_again_and_no_other(
    faulty: FaultyPlace, database: Database, api: MemoryApi
) -> None:
    fill(database, 1, 10)
    errors = [{"email": f"P{number}@Example.com", "message": "busy"} for number in (3, 7)]
    api.judge = lambda call: server.success({"status": "partial", "errors": errors}) if call.name == "event" else None
    first = faulty.memsync("run", "--json", "--wait", "10s")
    assert (first.code, first.stream["settled"], first.stream["failed"]) == (3, 8, 2)
    api.judge = lambda _: None
    assert faulty.run().stream["sent"] == 2
    assert Counter(Counter(api.emails).values()) == {1: 8, 2: 2}
