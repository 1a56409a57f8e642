"""What changed and what was deleted within a period, and the bytes of files."""

import base64
from datetime import datetime, timedelta
from typing import Any

from .answers import Answer, Refusal, document, refusal
from .changes import Changes
from .records import stamp

_BIN_LIFE = timedelta(days=15)
_LONGEST = timedelta(days=30)
Period = tuple[datetime, datetime]


def period_of(query: dict[str, str], now: datetime) -> Period:
    """Start and end as given; INVALID_REPLICATION_DATE where they make no sense."""
    try:
        start, end = (datetime.fromisoformat(query[name].replace(" ", "+")) for name in ("start", "end"))
    except (KeyError, ValueError):
        raise refusal("INVALID_REPLICATION_DATE", "start and end are needed, with a zone") from None
    if start.tzinfo is None or end.tzinfo is None or end - start < timedelta(minutes=1):
        message = "endDate before startDate, less than a minute after it, or without a zone"
        raise refusal("INVALID_REPLICATION_DATE", message)
    if now - start > _LONGEST:
        raise refusal("INVALID_REPLICATION_DATE")
    return start, end


def updated(changes: Changes, name: str, period: Period, now: datetime) -> Answer:
    """Ids of the records created or changed in a period, and up to when the answer is complete."""
    sobject = changes.object(name)
    if "SystemModstamp" not in sobject.fields:
        raise Refusal(400, "INVALID_TYPE_FOR_OPERATION", f"entity type {sobject.name} is not replicateable")
    there = 'AND "IsDeleted" = 0' if "IsDeleted" in sobject.fields else ""
    condition = f'"SystemModstamp" >= ? AND "SystemModstamp" < ? {there}'
    found = changes.records.select(f'SELECT "Id" FROM "{sobject.name}" WHERE {condition}', _stamps(period))
    ids = [key for (key,) in found]
    return document({"ids": ids, "latestDateCovered": _shown(min(period[1], now))})


def deleted(changes: Changes, name: str, period: Period, now: datetime) -> Answer:
    """Ids and moments of deletions in a period, with the period for which they are known."""
    sobject = changes.object(name)
    statement = "SELECT id, moment || '.000+0000' FROM _gone WHERE object = ? AND moment >= ? AND moment < ?"
    found = changes.records.select(statement, (sobject.name, *_stamps(period)))
    shown: dict[str, Any] = {"deletedRecords": [{"id": key, "deletedDate": moment} for key, moment in found]}
    shown |= {"earliestDateAvailable": _shown(now - _BIN_LIFE), "latestDateCovered": _shown(min(period[1], now))}
    return document(shown)


def blob(changes: Changes, name: str, key: str, field: str) -> Answer:
    """The bytes of a base64 field."""
    sobject = changes.object(name)
    found = sobject.field(field)
    if found is None or found.type != "base64":
        raise refusal("NOT_FOUND")
    rows = changes.records.select(f'SELECT "{found.name}" FROM "{sobject.name}" WHERE "Id" = ?', (key,))
    if not rows:
        raise refusal("NOT_FOUND")
    return Answer(200, base64.b64decode(rows[0][0] or ""), {"Content-Type": "application/octet-stream"})


def _stamps(period: Period) -> tuple[str, str]:
    return stamp(period[0]), stamp(period[1])


def _shown(moment: datetime) -> str:
    return stamp(moment) + ".000+0000"
