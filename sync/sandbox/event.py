"""What an accepted batch's event tells: its status, from stored times alone, and its items' errors."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

from sync.sandbox.answers import iso_time


def event_status(batch: sqlite3.Row, now: float) -> str:
    """The status of a stored batch, told from its times alone."""
    if not batch["applied"]:
        return "received" if now < batch["accepted"] + (batch["due"] - batch["accepted"]) / 3 else "processing"
    if not batch["failed"]:
        return "completed"
    return "failed" if batch["failed"] == batch["rows"] else "partial_failure"


def event_answer(row: sqlite3.Row, now: float, *, details: bool) -> dict[str, Any]:
    """The data of GET /events/{id}; with its details, what the call said about itself too."""
    answer = {
        "eventId": row["event_id"],
        "status": event_status(row, now),
        "createdAt": iso_time(row["accepted"]),
        "completedAt": iso_time(row["due"]) if row["applied"] else None,
        "total": row["rows"],
        "memorized": row["rows"] - row["failed"] if row["applied"] else 0,
        "failed": row["failed"] if row["applied"] else 0,
        "errors": orjson.loads(row["errors"]) if row["applied"] else [],
    }
    if details:
        more = {"source": row["source"], "runName": row["run_name"], "type": row["type"], "tier": row["tier"]}
        answer |= {**more, "duplicateOf": row["duplicate_of"]}
    return answer
