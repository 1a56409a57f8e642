"""What the sandbox takes as a batch, what it refuses, and what becomes of the rows."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sandbox_calls import KEY, batch, client, mapping, person, record, search, send

from sync.sandbox import Sandbox, SandboxOptions
from sync.sandbox.sentences import split_sentences


@pytest.fixture
def http_client() -> Iterator[httpx.Client]:
    with Sandbox() as sandbox, client(sandbox.url) as http:
        yield http


def refused(http: httpx.Client, call: Any) -> dict[str, Any]:
    answer = http.post("/api/v1/batch-memorize", json=call)
    assert answer.status_code == 400, answer.text
    body: dict[str, Any] = answer.json()
    assert search(http)["totalMatched"] == 0
    return body


def with_property(**changes: Any) -> dict[str, Any]:
    one = {"sourceField": "name", "collectionId": "col_contacts", "collectionName": "Contacts", **changes}
    return mapping(properties={"full_name": {name: value for name, value in one.items() if value is not None}})


@pytest.mark.parametrize(
    ("parameter", "call"),
    [
        ("rows", batch()),
        ("rows", batch(rows=None)),
        ("rows", batch(rows={"email": "a@b.co"})),
        ("rows", batch(*[person(n) for n in range(501)])),
        ("rows[1]", batch(person(1), ["a@b.co"])),
        ("source", batch(person(1), source="")),
        ("source", batch(person(1), source=7)),
        ("tier", batch(person(1), tier="gold")),
        ("dryRun", batch(person(1), dryRun="yes")),
        ("chunkSize", batch(person(1), chunkSize=0)),
        ("chunkSize", batch(person(1), chunkSize=True)),
        ("extractionPrompt", batch(person(1), extractionPrompt="x" * 501)),
        ("tags", batch(person(1), tags=["x" * 201])),
        ("row", batch(person(1), row=[])),
        ("mapping", batch(person(1), mapping=[])),
        ("mapping", batch(person(1), mapping=mapping(email=None))),
        ("mapping", batch(person(1), mapping=mapping(website="site"))),
        ("mapping.entityType", batch(person(1), mapping=mapping(entityType=" "))),
        ("mapping.customKey", batch(person(1), mapping=mapping(email=None, customKeyName="number"))),
        ("mapping.runName", batch(person(1), mapping=mapping(runName=7))),
        ("mapping.emial", batch(person(1), mapping=mapping(emial="email"))),
        ("mapping.properties", batch(person(1), mapping=mapping(properties={}))),
        ("mapping.properties.full_name", batch(person(1), mapping=mapping(properties={"full_name": "name"}))),
        ("mapping.properties.full_name.sourceField", batch(person(1), mapping=with_property(sourceField=None))),
        ("mapping.properties.full_name.collectionId", batch(person(1), mapping=with_property(collectionId=None))),
        ("mapping.properties.full_name.extractMemories", batch(person(1), mapping=with_property(extractMemories="no"))),
        ("mapping.properties.full_name.type", batch(person(1), mapping=with_property(type="text"))),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(http_client: httpx.Client, parameter: str, call: Any) -> None:
    body = refused(http_client, call)
    assert body["error"] == "validation_error"
    assert [one["parameter"] for one in body["details"]] == [parameter]


def test_an_unknown_collection_is_refused(http_client: httpx.Client) -> None:
    body = refused(http_client, batch(person(1), mapping=with_property(collectionId="col_x")))
    assert body["error"] == "COLLECTION_NOT_FOUND"


def test_two_entity_types_in_one_call_are_refused(http_client: httpx.Client) -> None:
    body = refused(http_client, batch(person(1), mapping=mapping(entityType=["contact", "company"])))
    assert body["error"] == "ENTITY_TYPE_MISMATCH"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"a": "\xff"}', b'{"rows": NaN}'])
def test_what_is_not_a_json_object_is_refused(http_client: httpx.Client, body: bytes) -> None:
    answer = http_client.post("/api/v1/batch-memorize", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (400, "validation_error")


def test_another_content_type_is_refused(http_client: httpx.Client) -> None:
    answer = http_client.post("/api/v1/batch-memorize", content=b"{}", headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["details"][0]["parameter"]) == (400, "Content-Type")


def test_over_ten_megabytes_are_refused_and_the_connection_lives_on(http_client: httpx.Client) -> None:
    connection = http.client.HTTPConnection(http_client.base_url.host, http_client.base_url.port)
    body = b" " * (10 * 1024 * 1024 + 1)
    connection.request("POST", "/api/v1/batch-memorize", body, {**KEY, "Content-Type": "application/json"})
    refusal = connection.getresponse()
    assert (refusal.status, b'"success":false' in refusal.read()) == (413, True)
    local = connection.sock.getsockname()
    connection.request("GET", "/api/v1/me", headers=KEY)
    assert connection.getresponse().read().startswith(b'{"success":true')
    assert connection.sock.getsockname() == local
    connection.close()


def test_long_headers_are_refused(http_client: httpx.Client) -> None:
    assert http_client.get("/api/v1/me", headers={"X-Long": "x" * 8_200}).status_code == 431


@pytest.mark.parametrize(
    "request_text",
    [
        b"nonsense\r\n\r\n",
        b"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    ],
)
def test_broken_http_gets_an_answer_in_the_envelope(http_client: httpx.Client, request_text: bytes) -> None:
    with socket.create_connection((http_client.base_url.host, http_client.base_url.port or 0), 5) as connection:
        connection.sendall(request_text)
        received = b""
        while part := connection.recv(65536):
            received += part
    assert b'"success":false' in received
    assert http_client.get("/api/v1/me").status_code == 200


def test_a_larger_plan_takes_more_rows() -> None:
    with Sandbox(SandboxOptions(plan="enterprise")) as sandbox, client(sandbox.url) as http:
        assert send(http, *[person(n) for n in range(501)])["queued"] == 501
        assert http.post("/api/v1/batch-memorize", json=batch(*[{}] * 5_001)).status_code == 400


@pytest.mark.parametrize("identity", [{}, {"email": None}, {"email": ""}, {"email": "  "}, {"email": True}])
def test_a_row_without_identity_is_an_item_error(http_client: httpx.Client, identity: dict[str, Any]) -> None:
    receipt = send(http_client, {"name": "x", **identity}, person(1))
    assert [one["code"] for one in receipt["errors"]] == ["MISSING_IDENTIFIER"]
    assert search(http_client)["totalMatched"] == 1


@pytest.mark.parametrize("value", [{"a": 1}, ["a"]])
def test_a_nested_value_is_an_item_error(http_client: httpx.Client, value: Any) -> None:
    receipt = send(http_client, person(1, extra=value))
    assert [(one["email"], one["code"]) for one in receipt["errors"]] == [("person1@example.com", "INVALID_PARAMS")]


def test_a_row_over_100_000_characters_is_an_item_error(http_client: httpx.Client) -> None:
    receipt = send(http_client, person(1, notes="x" * 100_000), person(2, notes="x" * 99_000))
    assert [(one["email"], one["code"]) for one in receipt["errors"]] == [("person1@example.com", "CONTENT_TOO_LARGE")]


def test_item_errors_hold_no_value_beside_the_identity(http_client: httpx.Client) -> None:
    (error,) = send(http_client, person(1, name="Top Secret", extra=["hidden"]))["errors"]
    assert "Secret" not in str(error)
    assert "hidden" not in str(error)


def test_null_clears_what_is_left_out_stays(http_client: httpx.Client) -> None:
    send(http_client, person(1, title="CTO", notes="Likes tea."))
    send(http_client, {"email": "person1@example.com", "name": None, "seats": 9})
    assert record(http_client, "person1@example.com") == {"job_title": "CTO", "notes": "Likes tea.", "seats": 9}


def test_values_keep_their_json_type(http_client: httpx.Client) -> None:
    row = {"email": "a@b.co", "name": True, "title": "7", "seats": 1.5}
    send(http_client, row)
    assert record(http_client, "a@b.co") == {"full_name": True, "job_title": "7", "seats": 1.5}


def test_odd_text_comes_back_as_it_went(http_client: httpx.Client) -> None:
    odd = "Zoë \u0000 '\"; DROP TABLE records; -- \U0001f600 \u202e x"
    send(http_client, person(1, title=odd))
    assert record(http_client, "person1@example.com")["job_title"] == odd


def test_the_same_address_in_other_case_is_the_same_record(http_client: httpx.Client) -> None:
    send(http_client, {"email": "A@B.co", "name": "first"}, {"email": " a@b.CO ", "title": "CTO"})
    assert record(http_client, "a@B.co") == {"full_name": "first", "job_title": "CTO"}


def test_the_same_key_in_two_types_is_two_records(http_client: httpx.Client) -> None:
    send(http_client, person(1))
    send(http_client, person(1), mapping=mapping(entityType="student"))
    assert search(http_client, email="person1@example.com")["totalMatched"] == 2
    assert search(http_client, email="person1@example.com", type="Student")["totalMatched"] == 1


def test_a_custom_key_and_a_further_address_both_find_the_record(http_client: httpx.Client) -> None:
    keys = mapping(entityType="Student", customKeyName="studentNumber", customKey="number")
    send(http_client, {"number": 1234, "email": "alice@university.edu", "name": "Alice"}, mapping=keys)
    by_number = search(http_client, type="student", customKeyName="studentNumber", customKeyValue="1234")
    by_email = search(http_client, email="alice@university.edu")
    assert by_number["recordIds"] == by_email["recordIds"] != []


def test_a_sentence_is_stored_once_for_a_record(http_client: httpx.Client) -> None:
    send(http_client, person(1, notes="Likes tea. Likes tea. Budget approved."), person(2, notes="Likes tea."))
    send(http_client, person(1, notes="Likes tea. Moved to Berlin."))
    memories = search(http_client, email="person1@example.com", includeMemories=True)["memories"]
    (texts,) = memories.values()
    assert sorted(one["text"] for one in texts) == ["Budget approved.", "Likes tea.", "Moved to Berlin."]


def test_only_marked_text_becomes_memories(http_client: httpx.Client) -> None:
    send(http_client, person(1, title="Head of tea."))
    assert list(search(http_client, includeMemories=True)["memories"].values()) == [[]]


def test_a_dry_run_checks_everything_and_stores_nothing(http_client: httpx.Client) -> None:
    data = send(http_client, person(1), {"name": "nobody"}, dryRun=True)
    assert (data["rows"], data["valid"], data["invalid"], data["queued"]) == (2, 1, 1, 0)
    assert data["errors"][0]["code"] == "MISSING_IDENTIFIER"
    assert search(http_client)["totalMatched"] == 0
    assert refused(http_client, batch(person(1), dryRun=True, tier="gold"))["error"] == "validation_error"


def test_the_same_content_sent_again_is_noted(http_client: httpx.Client) -> None:
    first = send(http_client, person(1))
    again = send(http_client, person(1), mapping=mapping(runName="another run"))
    assert "duplicateOf" not in first
    assert again["duplicateOf"] == first["eventId"]
    assert "duplicateOf" not in send(http_client, person(1, title="CTO"))


def test_batches_sent_at_once_are_all_kept() -> None:
    with Sandbox() as sandbox, ThreadPoolExecutor(4) as pool:

        def deliver(worker: int) -> None:
            with client(sandbox.url) as http:
                for start in range(0, 100, 20):
                    send(http, *[person(worker * 100 + start + n) for n in range(20)], person(9_999, title=str(worker)))

        list(pool.map(deliver, range(4)))
        with client(sandbox.url) as http:
            assert search(http)["totalMatched"] == 401
            assert sandbox.seen().rows == 420


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", []),
        ("  \n ", []),
        ("No full stop", ["No full stop"]),
        ("One. Two! Three? Four…", ["One.", "Two!", "Three?", "Four…"]),
        ("Met Dr. Chen at 3.5 p.m. today. Left.", ["Met Dr. Chen at 3.5 p.m. today.", "Left."]),
        ('He said "Stop." Then left.', ['He said "Stop."', "Then left."]),
        ("- first\n- second\r\n\r\n3. third", ["first", "second", "third"]),
        ("今日は。元気です。", ["今日は。", "元気です。"]),
        ("x" * 2_500, ["x" * 2_000, "x" * 500]),
    ],
)
def test_text_is_cut_into_its_sentences(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


def test_a_key_in_the_header_is_never_part_of_an_answer(http_client: httpx.Client) -> None:
    answer = http_client.post("/api/v1/batch-memorize", json={"source": 1})
    assert KEY["Authorization"].split()[1] not in answer.text
