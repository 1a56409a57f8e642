"""The plan's limits in the sandbox: a minute, a month, calls at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sandbox_calls import HandClock, client, person, send

from sync.sandbox import Sandbox, SandboxOptions


def test_a_minutes_limit_answers_as_documented_and_ends() -> None:
    clock = HandClock()
    with Sandbox(SandboxOptions(per_minute=3), clock=clock) as sandbox, client(sandbox.url) as http:
        assert [http.get("/api/v1/me").status_code for _ in range(3)] == [200] * 3
        clock.now += 22.5
        for _ in range(2):
            refused = http.get("/api/v1/me")
            body = refused.json()
            assert (refused.status_code, body["success"], body["error"]) == (429, False, "rate_limit_exceeded")
            assert (body["limit"], body["current"], body["window"]) == (3, 4, "per_minute")
            assert (body["retryAfterSeconds"], refused.headers["Retry-After"]) == (38, "38")
        clock.now += 38
        assert http.get("/api/v1/me").status_code == 200


def test_a_months_limit_tells_no_time_to_wait() -> None:
    clock = HandClock()
    with Sandbox(SandboxOptions(per_month=1, per_minute=60), clock=clock) as sandbox, client(sandbox.url) as http:
        http.get("/api/v1/me")
        clock.now += 3600
        refused = http.get("/api/v1/me")
        body = refused.json()
        assert (refused.status_code, body["window"], body["limit"], body["current"]) == (429, "per_month", 1, 2)
        assert "retryAfterSeconds" not in body
        assert "Retry-After" not in refused.headers
        clock.now += 31 * 86400
        assert http.get("/api/v1/me").status_code == 200


def test_a_months_use_is_remembered_over_a_restart(tmp_path: Path) -> None:
    options = SandboxOptions(database=tmp_path / "sandbox.db", per_month=3)
    for expected in ([200, 200], [200, 429]):
        with Sandbox(options) as sandbox, client(sandbox.url) as http:
            assert [http.get("/api/v1/me").status_code for _ in range(2)] == expected


def test_a_refused_call_stores_nothing_and_is_not_counted_as_used() -> None:
    with Sandbox(SandboxOptions(per_minute=1)) as sandbox, client(sandbox.url) as http:
        send(http, person(1))
        assert http.post("/api/v1/batch-memorize", json={}).status_code == 429
        data = http.get("/api/v1/usage/current").json()["data"]
    assert (data["minute"]["used"], data["rows"]) == (1, 1)


def test_calls_without_a_key_do_not_use_up_the_plan() -> None:
    with Sandbox(SandboxOptions(per_minute=1)) as sandbox, client(sandbox.url) as http:
        assert [http.get("/api/v1/me", headers={"Authorization": "x"}).status_code for _ in range(3)] == [401] * 3
        assert http.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize(("plan", "allowed"), [("pro", 5), ("enterprise", 20)])
def test_more_calls_at_once_than_the_plan_has_are_refused(plan: str, allowed: int) -> None:
    options, ready = SandboxOptions(latency=1.5, plan=plan), threading.Barrier(allowed + 3)  # type: ignore[arg-type]
    with Sandbox(options) as sandbox, ThreadPoolExecutor(allowed + 3) as pool:

        def ask(_: int) -> httpx.Response:
            with client(sandbox.url) as http:
                ready.wait(60)  # making a client takes longer than a call
                return http.get("/api/v1/me")

        answers = list(pool.map(ask, range(allowed + 3)))
        refused = [answer.json() for answer in answers if answer.status_code == 429]
        assert len(refused) == 3
        assert refused[0]["retryAfterSeconds"] == 1
        assert "limit" not in refused[0]
        with client(sandbox.url) as http:
            assert http.get("/api/v1/me").status_code == 200


def test_as_many_calls_at_once_as_the_plan_has_are_never_refused() -> None:
    with Sandbox() as sandbox, ThreadPoolExecutor(5) as pool:

        def ask(_: int) -> set[int]:
            with client(sandbox.url) as http:
                return {http.get("/api/v1/me").status_code for _ in range(40)}

        assert set().union(*pool.map(ask, range(5))) == {200}


@pytest.mark.parametrize("change", [{"per_minute": 0}, {"per_month": -1}, {"delay": -1}, {"plan": "gold"}])
def test_options_that_make_no_sense_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        SandboxOptions(**change)  # type: ignore[arg-type]
