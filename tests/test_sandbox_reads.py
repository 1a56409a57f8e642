"""Reading from the sandbox: search with every operator, paging, digest, recall."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sandbox_calls import client, mapping, person, search, send

from sync.sandbox import Sandbox

PEOPLE = (
    {"email": "ann@x.co", "name": "Ann Lee", "title": "CTO", "seats": 5},
    {"email": "bob@x.co", "name": "Bob Roy", "title": "VP Engineering", "seats": 50},
    {"email": "cyd@y.co", "name": "Cyd Ono", "title": "vp sales"},
    {"email": "dee@y.co", "seats": 500},
)


@pytest.fixture(scope="module")
def people() -> Iterator[httpx.Client]:
    with Sandbox() as sandbox, client(sandbox.url) as http:
        send(http, *PEOPLE)
        send(http, {"site": "https://initech.com", "name": "Initech"}, mapping=_companies())
        yield http


def _companies() -> dict[str, Any]:
    return mapping(entityType="Company", email=None, website="site")


def found(http: httpx.Client, *conditions: dict[str, Any], logic: str = "AND", **call: Any) -> set[str]:
    groups = [{"id": "g", "logic": logic, "conditions": list(conditions)}] if conditions else []
    data = search(http, type="Contact", groups=groups, returnRecords=True, **call)
    assert len(data["recordIds"]) == data["totalMatched"]
    return {next(name for name, known in _ids(http).items() if known == one) for one in data["recordIds"]}


def _ids(http: httpx.Client) -> dict[str, str]:
    return {row["email"][:3]: search(http, email=row["email"])["recordIds"][0] for row in PEOPLE}


@pytest.mark.parametrize(
    ("property", "operator", "value", "expected"),
    [
        ("job_title", "EQ", "CTO", {"ann"}),
        ("job_title", "EQ", "cto", set()),
        ("seats", "EQ", 50, {"bob"}),
        ("seats", "EQ", 50.0, {"bob"}),
        ("seats", "EQ", "50", {"bob"}),
        ("job_title", "NEQ", "CTO", {"bob", "cyd", "dee"}),
        ("job_title", "CONTAINS", "VP", {"bob", "cyd"}),
        ("job_title", "CONTAINS", "%", set()),
        ("job_title", "NOT_CONTAINS", "VP", {"ann", "dee"}),
        ("job_title", "STARTS_WITH", "vp e", {"bob"}),
        ("seats", "GT", 50, {"dee"}),
        ("seats", "GTE", 50, {"bob", "dee"}),
        ("seats", "LT", 50, {"ann"}),
        ("seats", "LTE", 50, {"ann", "bob"}),
        ("full_name", "GTE", "Bob Roy", {"bob", "cyd"}),
        ("job_title", "IN", ["CTO", "vp sales", "x"], {"ann", "cyd"}),
        ("job_title", "IS_SET", None, {"ann", "bob", "cyd"}),
        ("job_title", "IS_NOT_SET", None, {"dee"}),
        ("email", "IS_SET", None, {"ann", "bob", "cyd", "dee"}),
        ("email", "EQ", "ann@x.co", {"ann"}),
        ("no_such", "IS_SET", None, set()),
    ],
)
def test_each_operator_finds_what_it_says(
    people: httpx.Client, property: str, operator: str, value: Any, expected: set[str]
) -> None:
    assert found(people, {"property": property, "operator": operator, "value": value}) == expected


def test_a_group_holds_all_or_any_and_groups_hold_together(people: httpx.Client) -> None:
    cto = {"property": "job_title", "operator": "EQ", "value": "CTO"}
    many = {"property": "seats", "operator": "GT", "value": 100}
    assert found(people, cto, many) == set()
    assert found(people, cto, many, logic="OR") == {"ann", "dee"}
    groups = [{"id": "1", "logic": "OR", "conditions": [cto, many]}, {"id": "2", "conditions": [many]}]
    assert search(people, groups=groups)["recordIds"] == [_ids(people)["dee"]]


def test_records_are_found_by_each_kind_of_key(people: httpx.Client) -> None:
    (by_site,) = search(people, websiteUrl="https://initech.com")["recordIds"]
    assert search(people, recordId=by_site, type="company")["recordIds"] == [by_site]
    assert search(people, recordId=by_site, type="contact")["recordIds"] == []
    assert search(people, email="nobody@x.co") == {
        "recordIds": [],
        "totalMatched": 0,
        "page": 1,
        "pageSize": 50,
        "totalPages": 0,
    }


def test_records_carry_value_and_collection(people: httpx.Client) -> None:
    data = search(people, email="ann@x.co", returnRecords=True)
    (properties,) = data["records"].values()
    assert properties["job_title"] == {"value": "CTO", "collectionId": "col_contacts", "collectionName": "Contacts"}


def test_count_only_returns_no_record(people: httpx.Client) -> None:
    data = search(people, type="contact", countOnly=True, returnRecords=True)
    assert (data["totalMatched"], data["recordIds"], "records" in data) == (4, [], False)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 200])
def test_pages_hold_every_record_once(people: httpx.Client, size: int) -> None:
    first = search(people, pageSize=size)
    pages = [search(people, pageSize=size, page=page + 1)["recordIds"] for page in range(first["totalPages"] + 1)]
    seen = [record for page in pages for record in page]
    assert len(seen) == len(set(seen)) == first["totalMatched"] == 5
    assert all(len(page) == size for page in pages[:-2])
    assert pages[-1] == []


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ({"page": 0}, "validation_error"),
        ({"pageSize": 201}, "validation_error"),
        ({"pageSize": "50"}, "validation_error"),
        ({"countOnly": 1}, "validation_error"),
        ({"email": "a@b.co", "recordId": "x"}, "validation_error"),
        ({"email": ""}, "validation_error"),
        ({"type": 5}, "validation_error"),
        ({"groups": {}}, None),
        ({"groups": "x"}, "validation_error"),
        ({"groups": [{"conditions": []}]}, "validation_error"),
        ({"groups": [{"logic": "XOR", "conditions": [{}]}]}, "validation_error"),
        ({"groups": [{"conditions": [{"property": "a", "operator": "LIKE", "value": "b"}]}]}, "INVALID_CONDITION"),
        ({"groups": [{"conditions": [{"property": "a", "operator": "EQ"}]}]}, "INVALID_CONDITION"),
        ({"groups": [{"conditions": [{"property": "a", "operator": "IN", "value": "b"}]}]}, "INVALID_CONDITION"),
        ({"groups": [{"conditions": [{"operator": "EQ", "value": "b"}]}]}, "INVALID_CONDITION"),
    ],
)
def test_a_bad_search_is_refused(people: httpx.Client, call: dict[str, Any], error: str | None) -> None:
    answer = people.post("/api/v1/search", json=call)
    assert (answer.status_code, answer.json()["error"]) == ((400, error) if error else (200, None))


@pytest.fixture(scope="module")
def notes() -> Iterator[httpx.Client]:
    with Sandbox() as sandbox, client(sandbox.url) as http:
        send(
            http,
            person(1, title="CTO", notes="Evaluating SOC2 tools. Manual audit prep takes two weeks. Likes café crème."),
            person(2, notes="Wants an audit of the warehouse. Budget approved in March."),
        )
        yield http


def recall(http: httpx.Client, **call: Any) -> dict[str, Any]:
    answer = http.post("/api/v1/smart-recall", json=call)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def test_recall_finds_sentences_by_their_words_and_says_how(notes: httpx.Client) -> None:
    data = recall(notes, query="What about the manual AUDIT preparation?", mode="fast")
    best = data["results"][0]
    assert (best["text"], best["email"]) == ("Manual audit prep takes two weeks.", "person1@example.com")
    assert best["score"] > data["results"][1]["score"]
    assert "The sandbox stores sentences; the real service extracts facts with AI." in data["notice"]


def test_recall_folds_accents_and_takes_beginnings_of_words(notes: httpx.Client) -> None:
    assert recall(notes, query="cafe")["results"][0]["text"] == "Likes café crème."
    assert recall(notes, query="eval")["results"][0]["text"] == "Evaluating SOC2 tools."


def test_recall_is_kept_to_one_record_a_score_and_a_limit(notes: httpx.Client) -> None:
    assert len(recall(notes, query="audit")["results"]) == 2
    assert len(recall(notes, query="audit", limit=1)["results"]) == 1
    assert [hit["email"] for hit in recall(notes, query="audit", email="PERSON2@example.com")["results"]] == [
        "person2@example.com"
    ]
    assert recall(notes, query="audit zebra", minScore=0.9)["results"] == []


def test_recall_adds_properties_and_groups_when_asked(notes: httpx.Client) -> None:
    data = recall(notes, query="soc2", include_property_values=True, groupByRecord=True)
    assert data["results"][0]["properties"]["job_title"] == "CTO"
    assert (data["recordGroups"][0]["matchCount"], data["recordGroups"][0]["topScore"]) == (1, 1.0)


@pytest.mark.parametrize("query", ['"', "audit*", "NEAR(", "a AND", "col:x", "'; --", "-", "日本", "_", "a_b \0"])
def test_no_query_is_read_as_the_index_language(notes: httpx.Client, query: str) -> None:
    assert isinstance(recall(notes, query=query)["results"], list)


@pytest.mark.parametrize("call", [{}, {"query": " "}, {"query": "x", "mode": "full"}, {"query": "x", "minScore": 2}])
def test_a_bad_recall_is_refused(notes: httpx.Client, call: dict[str, Any]) -> None:
    assert notes.post("/api/v1/smart-recall", json=call).status_code == 400


def digest(http: httpx.Client, **call: Any) -> httpx.Response:
    return http.post("/api/v1/smart-memory-digest", json={"email": "person1@example.com", **call})


def test_a_digest_is_markdown_with_properties_and_memories(notes: httpx.Client) -> None:
    data = digest(notes, token_budget=1000).json()["data"]
    assert "- **job_title**: CTO" in data["compiledContext"]
    assert "- Evaluating SOC2 tools." in data["compiledContext"]
    assert data["compiledContext"].startswith("# contact: Person 1")
    assert data["properties"]["seats"] == 1
    assert 0 < data["tokenEstimate"] <= data["tokenBudget"] == 1000


@pytest.mark.parametrize("budget", [1, 5, 10, 20, 40, 80])
def test_a_digest_keeps_to_its_budget(notes: httpx.Client, budget: int) -> None:
    data = digest(notes, token_budget=budget).json()["data"]
    assert data["tokenEstimate"] <= budget
    assert len(data["compiledContext"]) <= budget * 4


def test_a_digest_leaves_out_what_it_is_told_to(notes: httpx.Client) -> None:
    data = digest(notes, token_budget=500, include_properties=False, max_memories=1).json()["data"]
    assert (data["properties"], len(data["memories"])) == ({}, 1)
    assert digest(notes, token_budget=500, include_memories=False).json()["data"]["memories"] == []


def test_a_digest_without_a_budget_is_refused(notes: httpx.Client) -> None:
    answer = digest(notes)
    assert (answer.status_code, answer.json()["details"][0]["parameter"]) == (400, "token_budget")


def test_a_digest_needs_a_record(notes: httpx.Client) -> None:
    answer = digest(notes, email="nobody@x.co", token_budget=10)
    assert (answer.status_code, answer.json()["error"]) == (404, "RECORD_NOT_FOUND")
    nobody = notes.post("/api/v1/smart-memory-digest", json={"token_budget": 10})
    assert (nobody.status_code, nobody.json()["error"]) == (400, "MISSING_PARAMS")
