"""The digest: one record as markdown, within a budget of tokens."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sync.sandbox.answers import Refused
from sync.sandbox.lookup import find_one, read_count, read_flag, read_wanted
from sync.sandbox.search import memories_of, properties_of
from sync.sandbox.sentences import NOTICE

CHARACTERS_PER_TOKEN = 4


def digest(connection: sqlite3.Connection, call: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a digest; raises Refused, also when `token_budget` is left out."""
    if "token_budget" not in call:
        text = "token_budget: required; say how many tokens the context may take"
        raise Refused(400, "validation_error", text, details=[{"parameter": "token_budget", "message": "required"}])
    budget = read_count(call, "token_budget", default=None, low=1, high=1_000_000)
    most = read_count(call, "max_memories", default=20, low=0, high=10_000)
    record = find_one(connection, read_wanted(call))
    properties = _properties(connection, record) if read_flag(call, "include_properties", default=True) else {}
    memories = memories_of(connection, record["id"])[:most] if read_flag(call, "include_memories", default=True) else []
    context = compile_context(_title(record), properties, [one["text"] for one in memories], budget)
    return {
        "recordId": record["record_id"],
        "type": record["type"],
        "properties": properties,
        "memories": [{"text": one["text"], "createdAt": one["createdAt"]} for one in memories],
        "compiledContext": context,
        "tokenEstimate": estimate(context),
        "tokenBudget": budget,
        "notice": NOTICE,
    }


def compile_context(title: str, properties: Mapping[str, Any], memories: Sequence[str], budget: int) -> str:
    """Markdown with as many whole lines as the budget holds; properties come before memories."""
    lines = [f"# {_line(title)}"]
    if properties:
        lines += ["", "## Properties", *(f"- **{_line(name)}**: {_line(value)}" for name, value in properties.items())]
    if memories:
        lines += ["", "## Memories", *(f"- {_line(text)}" for text in memories)]
    room = budget * CHARACTERS_PER_TOKEN
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < -1:
            break
        kept.append(line)
    return "\n".join(kept).rstrip()


def estimate(text: str) -> int:
    """About how many tokens a text is."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def _properties(connection: sqlite3.Connection, record: sqlite3.Row) -> dict[str, Any]:
    return {name: one["value"] for name, one in properties_of(connection, record["id"]).items()}


def _title(record: sqlite3.Row) -> str:
    return f"{record['type']}: {record['label'] or record['identity']}"


def _line(value: Any) -> str:
    return " ".join(str(value).split())
