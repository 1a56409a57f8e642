"""The sandbox's pages: what they show with 0, 1 and 100,000 records, and what they never let through."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sandbox_calls import client, mapping, person, search, send

from sync.sandbox import Sandbox, SandboxOptions

HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>&lt;"""
NOTICE = "The sandbox stores sentences; the real service extracts facts with AI."


@pytest.fixture
def http_client() -> Iterator[httpx.Client]:
    with Sandbox() as sandbox, client(sandbox.url) as http:
        yield http


def page(http: httpx.Client, path: str = "/") -> str:
    answer = http.get(path)
    assert answer.status_code == 200, path
    return answer.text


def links(text: str) -> set[str]:
    return set(re.findall(r'href="(/[^"]*)"', text))


def test_an_empty_sandbox_says_what_to_do_next(http_client: httpx.Client) -> None:
    text = page(http_client)
    assert "memsync run" in text
    assert f"PERSONIZE_BASE_URL={str(http_client.base_url).rstrip('/')}" in text
    assert "PERSONIZE_SECRET_KEY=sk_test_sandbox" in text
    assert NOTICE in text
    assert "memsync run" in page(http_client, "/records")
    assert "memsync run" in page(http_client, "/batches")


def test_one_record_is_shown_with_everything_about_it(http_client: httpx.Client) -> None:
    send(http_client, person(1, title="CTO", notes="Likes tea. Budget approved."), {"name": "nobody"})
    (record,) = search(http_client)["recordIds"]
    overview, text = page(http_client), page(http_client, f"/records/{record}")
    assert f"/records/{record}" in links(overview)
    assert "partial failure" in overview
    for shown in ("Person 1", "person1@example.com", "job_title", "CTO", "Contacts", "Likes tea.", NOTICE):
        assert shown in text
    (batch,) = [link for link in links(overview) if link.startswith("/batches/")]
    assert "MISSING_IDENTIFIER" in page(http_client, batch)


def test_every_link_on_the_pages_leads_somewhere(http_client: httpx.Client) -> None:
    send(http_client, *[person(n, notes="Likes tea.") for n in range(60)], {"name": "nobody"})
    send(http_client, person(1, notes="Likes tea."))
    to_see, seen = {"/"}, set()
    while to_see and len(seen) < 40:
        path = to_see.pop()
        seen.add(path)
        to_see |= {link.replace("&amp;", "&") for link in links(page(http_client, path))} - seen
    assert "/records?page=3" in seen | to_see


def test_records_are_found_by_identity_name_and_type(http_client: httpx.Client) -> None:
    send(http_client, {"email": "ann@x.co", "name": "Ann 100%"}, {"email": "bob@x.co", "name": "Bob"})
    send(http_client, {"email": "cyd@x.co", "name": "Cyd"}, mapping=mapping(entityType="student"))
    for query, expected in {
        "q=ann@X": {"Ann"},
        "q=100%25": {"Ann"},
        "q=%25": {"Ann"},
        "q=_": set(),
        "q=bob": {"Bob"},
        "type=student": {"Cyd"},
        "type=contact": {"Ann", "Bob"},
        "q=": {"Ann", "Bob", "Cyd"},
    }.items():
        text = page(http_client, f"/records?{query}")
        assert {name for name in ("Ann", "Bob", "Cyd") if f"{name.lower()}@x.co" in text} == expected, query
    assert "No record matches" in page(http_client, "/records?q=zzz")


@pytest.mark.parametrize("number", ["0", "-1", "x", "99999999", "1e9", "", "٣"])
def test_an_odd_page_number_still_gets_a_page(http_client: httpx.Client, number: str) -> None:
    send(http_client, person(1))
    page(http_client, f"/records?page={number}")
    page(http_client, f"/batches?page={number}")


def test_hostile_values_are_shown_as_text_everywhere() -> None:
    with Sandbox(SandboxOptions(collections=(HOSTILE,))) as sandbox, client(sandbox.url) as http:
        collections = http.get("/api/v1/collections").json()["data"]["actions"]
        (collection,) = [one["id"] for one in collections if one["payload"]["collectionName"] == HOSTILE]
        one = {"sourceField": "v", "collectionId": collection, "collectionName": "x", "extractMemories": True}
        given = {"entityType": HOSTILE, "customKeyName": HOSTILE, "customKey": "k", "runName": HOSTILE}
        given["properties"] = {HOSTILE: one, "full_name": {**one, "extractMemories": False}}  # type: ignore[assignment]
        send(http, {"k": HOSTILE, "v": HOSTILE}, {"k": HOSTILE, "v": []}, source=HOSTILE, mapping=given)
        (record,) = search(http)["recordIds"]
        batch = next(link for link in links(page(http, "/batches")) if link.startswith("/batches/"))
        quoted = {"q": HOSTILE, "type": HOSTILE, "page": HOSTILE}
        paths = ["/", "/records", "/batches", batch, f"/records/{record}", f"/records?{httpx.QueryParams(quoted)}"]
        texts = [page(http, path) for path in paths] + [http.get(f"/{HOSTILE}").text]
    for text in texts:
        assert not re.search(r"<(script|img)", text)
        assert "onerror=alert(2)>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in texts[4]


def test_the_policy_lets_no_script_and_no_other_site_in(http_client: httpx.Client) -> None:
    for path in ("/", "/nothing"):
        headers = http_client.get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
    text = page(http_client)
    assert "<script" not in text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)
    assert ' style="' not in text


def test_pages_are_read_only(http_client: httpx.Client) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert http_client.request(method, "/records").status_code == 405
    head = http_client.head("/")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) > 1_000


def test_pages_are_no_calls_of_the_plan() -> None:
    with Sandbox(SandboxOptions(per_minute=1)) as sandbox, client(sandbox.url) as http:
        for _ in range(3):
            page(http)
        assert http.get("/api/v1/me").status_code == 200
        text = page(http)
    assert "limit reached" in text
    assert sandbox.calls() == {"GET /api/v1/me": 1}


def test_a_page_with_a_batch_on_the_way_renews_itself() -> None:
    with Sandbox(SandboxOptions(delay=3600)) as sandbox, client(sandbox.url) as http:
        assert "refresh" not in page(http)
        send(http, person(1))
        text = page(http)
    assert 'http-equiv="refresh"' in text
    assert "1 batch on the way" in text


@pytest.mark.slow
def test_pages_stay_quick_with_100_000_records(tmp_path: Path) -> None:
    options = SandboxOptions(database=tmp_path / "sandbox.db", plan="enterprise")
    with Sandbox(options) as sandbox, client(sandbox.url) as http:
        for start in range(0, 100_000, 5_000):
            send(http, *[person(n, title="CTO", notes=f"Likes tea {n}. Calls.") for n in range(start, start + 5_000)])
        (record,) = search(http, email="person777@example.com")["recordIds"]
        paths = ["/", "/records", "/records?page=4000", "/records?q=99999", "/batches", f"/records/{record}"]
        for path in paths:
            started = time.perf_counter()
            page(http, path)
            taken = time.perf_counter() - started
            print(f"{path}: {taken * 1000:.0f} ms")
            assert taken < 0.3, path
