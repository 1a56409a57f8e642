"""The sandbox's calls as documented: envelope, dialects, plan, collections, events."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sandbox_calls import HandClock, batch, client, mapping, person, search, send

from sync.sandbox import Sandbox, SandboxOptions


@pytest.fixture
def http_client() -> Iterator[httpx.Client]:
    with Sandbox() as sandbox, client(sandbox.url) as http:
        yield http


def test_every_answer_has_the_envelope(http_client: httpx.Client) -> None:
    good, bad = http_client.get("/api/v1/me").json(), http_client.get("/api/v1/nothing").json()
    assert (good["success"], good["error"], good["message"]) == (True, None, None)
    assert (bad["success"], bad["data"], bad["error"]) == (False, None, "not_found_error")


@pytest.mark.parametrize("key", ["", "sk_test_x", "Bearer pk_test_x", "Bearer sk_test_", "Basic sk_live_x"])
def test_a_call_without_a_key_is_refused(http_client: httpx.Client, key: str) -> None:
    answer = http_client.get("/api/v1/me", headers={"Authorization": key})
    assert (answer.status_code, answer.json()["error"]) == (401, "authentication_error")


def test_a_live_key_is_taken_too(http_client: httpx.Client) -> None:
    assert http_client.get("/api/v1/me", headers={"Authorization": "Bearer sk_live_x"}).status_code == 200


def test_me_names_the_limits_that_hold() -> None:
    with Sandbox(SandboxOptions(per_minute=60, per_month=900)) as sandbox, client(sandbox.url) as http:
        data = http.get("/api/v1/me").json()["data"]
    assert data["plan"]["limits"] == {"maxApiCallsPerMinute": 60, "maxApiCallsPerMonth": 900}
    assert data["organization"]["id"]
    assert data["key"]["id"]


def test_v1_announces_its_end_and_v1_1_does_not(http_client: httpx.Client) -> None:
    old, new = http_client.get("/api/v1/me"), http_client.get("/api/v1.1/me")
    assert (old.headers["Deprecation"], old.headers["Sunset"]) == ("true", "Wed, 15 Jul 2026 00:00:00 GMT")
    assert "Sunset" not in new.headers


@pytest.mark.parametrize(("served", "missing"), [("v1", "v1.1"), ("v1.1", "v1")])
def test_a_dialect_that_is_not_served_is_not_found(served: str, missing: str) -> None:
    options = SandboxOptions(dialects=frozenset({served}))  # type: ignore[arg-type]
    with Sandbox(options) as sandbox, client(sandbox.url) as http:
        assert http.get(f"/api/{served}/me").status_code == 200
        assert http.get(f"/api/{missing}/me").status_code == 404


def test_v1_1_does_the_same_work_under_its_own_names(http_client: httpx.Client) -> None:
    properties = {
        "full_name": {"sourceField": "name", "collectionId": "col_contacts", "collectionName": "Contacts"},
        "notes": {"sourceField": "notes", "collectionId": "col_notes", "collectionName": "Notes", "extract": True},
    }
    row = person(1, notes="Evaluating audit tools.")
    sent = http_client.post("/api/v1.1/memory/import", json=batch(row, mapping=mapping(properties=properties)))
    event = http_client.get(f"/api/v1.1/events/{sent.json()['data']['eventId']}").json()["data"]
    found = http_client.post("/api/v1.1/memory/search", json={"email": "person1@example.com"}).json()["data"]
    call = {"email": "person1@example.com", "token_budget": 500}
    digest = http_client.post("/api/v1.1/memory/digest", json=call).json()["data"]
    hits = http_client.post("/api/v1.1/memory/retrieve", json={"query": "audit"}).json()["data"]["results"]
    assert event["status"] == "completed"
    assert found["recordIds"] == [digest["recordId"]] == [hits[0]["recordId"]]
    assert digest["memories"][0]["text"] == "Evaluating audit tools."


@pytest.mark.parametrize(
    ("path", "wrong", "right"),
    [
        ("/api/v1/batch-memorize", "extract", "extractMemories"),
        ("/api/v1.1/memory/import", "extractMemories", "extract"),
    ],
)
def test_each_dialect_refuses_the_other_ones_word(http_client: httpx.Client, path: str, wrong: str, right: str) -> None:
    one = {"sourceField": "name", "collectionId": "col_contacts", "collectionName": "Contacts", wrong: True}
    answer = http_client.post(path, json=batch(person(1), mapping=mapping(properties={"full_name": one})))
    assert answer.status_code == 400
    assert right in answer.json()["message"]


@pytest.mark.parametrize("path", ["/api/v1/memory/import", "/api/v1.1/batch-memorize", "/api/v2/me", "/api"])
def test_unknown_paths_are_not_found(http_client: httpx.Client, path: str) -> None:
    answer = http_client.post(path, json={})
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found_error")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/v1/search"), ("POST", "/api/v1/me"), ("DELETE", "/api/v1/batch-memorize"), ("BREW", "/api/v1/me")],
)
def test_the_wrong_method_is_told_so(http_client: httpx.Client, method: str, path: str) -> None:
    assert http_client.request(method, path).status_code == 405


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_collections_are_paged_to_the_last(limit: int) -> None:
    with Sandbox(SandboxOptions(collections=("Visits", "Notes"))) as sandbox, client(sandbox.url) as http:
        names, token = [], "0"
        while token:
            query = {"limit": limit} if token == "0" else {"limit": limit, "nextToken": token}
            data = http.get("/api/v1/collections", params=query).json()["data"]
            assert data["count"] == len(data["actions"]) <= limit
            names += [action["payload"]["collectionName"] for action in data["actions"]]
            token = data.get("nextToken")
    assert names == ["Contacts", "Companies", "Notes", "Deals", "Tickets", "Visits"]


def test_collection_ids_are_the_same_in_every_sandbox() -> None:
    seen = []
    for _ in range(2):
        with Sandbox(SandboxOptions(collections=("Visits",))) as sandbox, client(sandbox.url) as http:
            seen.append(
                [one["payload"]["collectionId"] for one in http.get("/api/v1/collections").json()["data"]["actions"]]
            )
    assert seen[0] == seen[1]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=101", "nextToken=99", "nextToken=-1"])
def test_a_bad_page_of_collections_is_refused(http_client: httpx.Client, query: str) -> None:
    assert http_client.get(f"/api/v1/collections?{query}").json()["error"] == "validation_error"


def test_an_event_goes_its_way_and_rows_appear_at_its_end() -> None:
    clock = HandClock()
    with Sandbox(SandboxOptions(delay=60), clock=clock) as sandbox, client(sandbox.url) as http:
        event = send(http, person(1))["eventId"]
        seen = []
        for _ in range(4):
            data = http.get(f"/api/v1/events/{event}").json()["data"]
            seen.append((data["status"], data["memorized"], search(http)["totalMatched"]))
            clock.now += 25
    assert seen == [("received", 0, 0), ("processing", 0, 0), ("processing", 0, 0), ("completed", 1, 1)]


def test_batches_are_applied_in_the_order_in_which_they_came() -> None:
    clock = HandClock()
    with Sandbox(SandboxOptions(delay=60), clock=clock) as sandbox, client(sandbox.url) as http:
        for title in ("CTO", "CEO", "CFO", "COO"):
            send(http, person(1, title=title))
        clock.now += 61
        data = search(http, email="person1@example.com", returnRecords=True)
    assert data["records"][data["recordIds"][0]]["job_title"]["value"] == "COO"


def test_rows_that_cannot_be_kept_make_a_partial_failure(http_client: httpx.Client) -> None:
    receipt = send(http_client, person(1), {"name": "nobody"}, person(2, seats={"deep": 1}))
    event = http_client.get(f"/api/v1/events/{receipt['eventId']}").json()["data"]
    assert (event["status"], event["memorized"], event["failed"]) == ("partial_failure", 1, 2)
    assert event["errors"] == receipt["errors"]
    assert [(one["email"], one["code"]) for one in event["errors"]] == [
        (None, "MISSING_IDENTIFIER"),
        ("person2@example.com", "INVALID_PARAMS"),
    ]


def test_a_batch_of_which_nothing_can_be_kept_failed(http_client: httpx.Client) -> None:
    event = send(http_client, {"name": "nobody"})["eventId"]
    assert http_client.get(f"/api/v1/events/{event}").json()["data"]["status"] == "failed"


def test_details_tell_what_the_call_said_about_itself(http_client: httpx.Client) -> None:
    event = send(http_client, person(1))["eventId"]
    data = http_client.get(f"/api/v1/events/{event}/details").json()["data"]
    assert (data["source"], data["runName"], data["tier"]) == ("Postgres", "customers", "pro")


def test_an_unknown_event_is_not_found(http_client: httpx.Client) -> None:
    assert http_client.get("/api/v1/events/evt_x").status_code == 404


def test_usage_tells_what_the_server_saw_and_costs_no_call() -> None:
    with Sandbox() as sandbox, client(sandbox.url) as http:
        event = send(http, person(1), person(2))["eventId"]
        http.get(f"/api/v1/events/{event}")
        http.get("/api/v1/me", headers={"Authorization": ""})
        for _ in range(2):
            data = http.get("/api/v1/usage/current").json()["data"]
        calls = sandbox.calls()
    assert (data["rows"], data["minute"]["used"], data["statuses"]["401"]) == (2, 2, 1)
    assert calls["POST /api/v1/batch-memorize"] == calls["GET /api/v1/events/{id}"] == 1
    assert calls["GET /api/v1/usage/current"] == 2


def test_one_connection_serves_many_calls(http_client: httpx.Client) -> None:
    url = http_client.base_url
    connection = http.client.HTTPConnection(url.host, url.port)
    for _ in range(3):
        connection.request("GET", "/api/v1/me", headers={"Authorization": "Bearer sk_test_x"})
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()
        local = connection.sock.getsockname()
    assert connection.sock.getsockname() == local
    connection.close()


def test_closing_ends_idle_connections_at_once() -> None:
    sandbox = Sandbox().start()
    with client(sandbox.url) as http:
        assert http.get("/api/v1/me").status_code == 200
        sandbox.close()
        with pytest.raises(httpx.TransportError):
            http.get("/api/v1/me")


def test_closing_lets_the_answer_under_way_out() -> None:
    sandbox = Sandbox(SandboxOptions(latency=30)).start()
    with client(sandbox.url) as http, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(http.get, "/api/v1/me")
        while not sandbox.calls():
            time.sleep(0.01)
        sandbox.close()
        assert answer.result(1).status_code == 200


def test_closing_leaves_no_thread_behind_with_a_client_that_never_reads() -> None:
    before = set(threading.enumerate())
    sandbox = Sandbox().start()
    with socket.create_connection(("127.0.0.1", sandbox.port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 900)
        time.sleep(0.5)
        started = time.monotonic()
        sandbox.close()
        assert time.monotonic() - started < 1.2
        assert set(threading.enumerate()) == before
