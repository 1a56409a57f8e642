"""Recall without AI: full-text search over the stored sentences, scored by the share of the query's words found."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from sync.sandbox.answers import Refused, invalid, iso_time
from sync.sandbox.lookup import Wanted, read_count, read_flag, read_wanted
from sync.sandbox.search import properties_of
from sync.sandbox.sentences import NOTICE

FAST_SCORE = 0.3
CANDIDATES = 500

_WORD = re.compile(r"\w+")
_STOP_WORDS = frozenset(
    re.split(
        " ",
        "a about an and any are as at be been by can did do does for from had has have he her his how i in is it its"
        " know me my of on or our she so that the their them they this to us was we were what when where which who why"
        " will with would you your mention mentioned contact",
    )
)

Hit = tuple[float, sqlite3.Row]
"""A score and the memory that has it."""


def recall(connection: sqlite3.Connection, call: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a recall; raises Refused."""
    query = call.get("query")
    if not isinstance(query, str) or not query.strip():
        raise Refused(400, "MISSING_PARAMS", "query: expected a text", details=[{"parameter": "query"}])
    limit = read_count(call, "limit", default=10, low=1, high=5_000)
    mode = call.get("mode", "deep")
    if mode not in ("fast", "deep"):
        raise invalid("mode", "expected fast or deep")
    hits = _hits(connection, read_wanted(call), query, _least_score(call, mode))[:limit]
    with_properties = read_flag(call, "include_property_values", default=False)
    answer: dict[str, Any] = {
        "query": query,
        "mode": mode,
        "results": [_result(connection, hit, with_properties=with_properties) for hit in hits],
        "notice": f"{NOTICE} Scores are the share of the query's words that a sentence holds.",
    }
    if read_flag(call, "groupByRecord", default=False):
        answer["recordGroups"] = _groups(answer["results"])
    if read_flag(call, "generate_answer", default=False):
        answer["answer"] = None
    return answer


def query_words(query: str) -> list[str]:
    """The words of a query that say something, folded as the index folds them."""
    words = [_folded(word) for word in _WORD.findall(query)]
    telling = [word for word in words if word not in _STOP_WORDS]
    return list(dict.fromkeys(telling or words))[:32]


def _hits(connection: sqlite3.Connection, wanted: Wanted, query: str, least: float) -> list[Hit]:
    words = query_words(query)
    if not words:
        return []
    condition, values = wanted.condition()
    # Each word stands in quotes, so that no query is read as the index's own language.
    match = " OR ".join(f'"{word}"*' for word in words)
    rows = connection.execute(
        "SELECT m.*, r.record_id, r.type, r.kind, r.identity FROM memory_index i JOIN memories m ON m.id = i.rowid"
        f" JOIN records r ON r.id = m.record WHERE memory_index MATCH ? AND {condition} ORDER BY bm25(memory_index)"
        " LIMIT ?",
        [match, *values, CANDIDATES],
    ).fetchall()
    scored = [(_score(words, row["text"]), row) for row in rows]
    return sorted((hit for hit in scored if hit[0] >= least), key=lambda hit: -hit[0])


def _score(words: Sequence[str], text: str) -> float:
    present = [_folded(word) for word in _WORD.findall(text)]
    found = sum(any(each.startswith(word) for each in present) for word in words)
    return round(found / len(words), 3)


def _folded(word: str) -> str:
    marked = unicodedata.normalize("NFKD", word.replace("_", " "))
    return "".join(each for each in marked if not unicodedata.combining(each)).lower().strip()


def _least_score(call: Mapping[str, Any], mode: str) -> float:
    given = call.get("min_score", call.get("minScore", FAST_SCORE if mode == "fast" else 0))
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 <= given <= 1:
        raise invalid("minScore", "expected a number from 0 to 1")
    return float(given)


def _result(connection: sqlite3.Connection, hit: Hit, *, with_properties: bool) -> dict[str, Any]:
    score, row = hit
    result = {
        "text": row["text"],
        "score": score,
        "recordId": row["record_id"],
        "type": row["type"],
        "createdAt": iso_time(row["created"]),
        "propertyName": row["property"],
    }
    if row["kind"] == "email":
        result["email"] = row["identity"]
    if with_properties:
        values = properties_of(connection, row["record"])
        result["properties"] = {name: value["value"] for name, value in values.items()}
    return result


def _groups(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        groups.setdefault(result["recordId"], []).append(result)
    return [
        {"recordId": record, "topScore": hits[0]["score"], "matchCount": len(hits), "results": hits[:3]}
        for record, hits in groups.items()
    ]
