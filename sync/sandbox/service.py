"""The service without its sockets: a request in, an answer out."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from sync.sandbox.answers import Answer, Refused, Request, accepted, invalid, read_object, refusal
from sync.sandbox.batch import Batch, check_batch
from sync.sandbox.collection import as_action, collections_named
from sync.sandbox.database import Database
from sync.sandbox.digest import digest
from sync.sandbox.event import event_answer
from sync.sandbox.intake import Intake, month_calls, save_month_calls
from sync.sandbox.keys import update_keys
from sync.sandbox.ledger import Ledger
from sync.sandbox.limits import CallLimits
from sync.sandbox.options import Dialect, SandboxOptions
from sync.sandbox.recall import recall
from sync.sandbox.routes import find_call
from sync.sandbox.search import search

_PATH = re.compile(r"/api/(v1(?:\.1)?)(/.*)?")
_KEY = re.compile(r"Bearer sk_(?:test|live)_\S+", re.IGNORECASE)
_EVENT = re.compile(r"/events/([^/]+)(/details)?")
_SUNSET = (("Deprecation", "true"), ("Sunset", "Wed, 15 Jul 2026 00:00:00 GMT"))
_SINK_EVENT = "evt_sink_"


class Service:
    """Answers the API's calls over one database; thread-safe."""

    def __init__(
        self,
        options: SandboxOptions,
        database: Database,
        *,
        clock: Callable[[], float] = time.time,
        closing: threading.Event | None = None,
    ) -> None:
        self.options = options
        self.database = database
        self.clock = clock
        self.ledger = Ledger()
        self.collections = collections_named(options.collections)
        month = time.strftime("%Y-%m", time.gmtime(clock()))
        self.limits = CallLimits(options, clock=clock, used=(month, month_calls(database, month)))
        self.intake = Intake(database, delay=options.delay, clock=clock)
        self._names = {collection.id: collection.name for collection in self.collections}
        self._sunk = itertools.count(1)
        self._closing = closing or threading.Event()
        _name_collections(database, self._names)

    def answer(self, request: Request) -> Answer:
        """Answer one call of the API; never raises for what a caller sent."""
        matched = _PATH.fullmatch(request.path)
        dialect: Dialect = "v1.1" if matched and matched[1] == "v1.1" else "v1"
        path = unquote(matched[2] or "/") if matched else request.path
        template = _EVENT.sub(r"/events/{id}\2", path) if matched else path
        self.ledger.call(f"{request.method} /api/{dialect}{template[:100]}" if matched else "other", len(request.body))
        try:
            answer = self._authorized(request, dialect if matched else None, path, template)
        except Refused as refused:
            answer = refusal(refused)
        self.ledger.status(answer.status)
        return answer._replace(headers=answer.headers + _SUNSET) if matched and dialect == "v1" else answer

    def close(self) -> None:
        """Keep the month's count of calls, and let go of the database."""
        use = self.limits.use()
        save_month_calls(self.database, use.month_name, use.month)
        self.database.close()

    def _authorized(self, request: Request, dialect: Dialect | None, path: str, template: str) -> Answer:
        if not _KEY.fullmatch(request.headers.get("Authorization", "").strip()):
            text = "expected the header `Authorization: Bearer sk_test_...` (any key of that form will do here)"
            raise Refused(401, "authentication_error", text)
        if dialect is None or dialect not in self.options.dialects:
            raise Refused(404, "not_found_error", f"nothing is served at {request.path[:200]}")
        call = find_call(request.method, dialect, template)
        if call == "usage":
            return accepted(self.usage())
        with self.limits.call():
            if self.options.latency:
                self._closing.wait(self.options.latency)
            return self._call(call, request, dialect, path)

    def _call(self, call: str, request: Request, dialect: Dialect, path: str) -> Answer:
        if call == "me":
            return accepted(self._me())
        if call == "collections":
            return accepted(self._collections(request.query))
        if call == "event":
            return accepted(self._event(path))
        given = read_object(request)
        if call == "import":
            return self._import(given, dialect)
        self.intake.settle()
        if call == "update_keys":
            with self.database.write() as connection:
                return accepted(update_keys(connection, given))
        answers: dict[str, Callable[..., dict[str, Any]]] = {"search": search, "digest": digest, "recall": recall}
        with self.database.read() as connection:
            return accepted(answers[call](connection, given))

    def _import(self, given: Mapping[str, Any], dialect: Dialect) -> Answer:
        if self.options.sink:
            return self._sink(given)
        batch = check_batch(given, dialect, self.options.limits, self._names)
        if batch.dry_run:
            return accepted(_dry_run(batch), "Dry run: checked, nothing stored.")
        use = self.limits.use()
        kept = self.intake.keep(batch, use.month_name, use.month)
        self.ledger.rows(batch.total)
        counts: dict[str, Any] = {"eventId": kept.event_id, "memorized": 0, "queued": len(batch.rows)}
        if kept.duplicate_of:
            counts["duplicateOf"] = kept.duplicate_of
        return accepted({**counts, "trackingId": kept.event_id, "errors": batch.errors})

    def _sink(self, given: Mapping[str, Any]) -> Answer:
        rows = given.get("rows")
        if not isinstance(rows, list) or not isinstance(given.get("mapping"), dict):
            raise invalid("rows", "expected a list beside a mapping")
        if not given.get("dryRun"):
            self.ledger.rows(len(rows))
        return accepted({"eventId": f"{_SINK_EVENT}{next(self._sunk)}", "memorized": 0, "queued": len(rows)})

    def _event(self, path: str) -> dict[str, Any]:
        matched = _EVENT.fullmatch(path)
        event_id, details = (matched[1], bool(matched[2])) if matched else ("", False)
        if self.options.sink and event_id.startswith(_SINK_EVENT):
            return {"eventId": event_id, "status": "completed"}
        self.intake.settle()
        with self.database.read() as connection:
            row = connection.execute("SELECT * FROM batches WHERE event_id = ?", (event_id,)).fetchone()
        if row is None:
            raise Refused(404, "not_found_error", f"no event has the id {event_id[:80]!r}")
        return event_answer(row, self.clock(), details=details)

    def _me(self) -> dict[str, Any]:
        options, plan = self.options, self.options.limits
        limits = {"maxApiCallsPerMonth": options.month_limit, "maxApiCallsPerMinute": options.minute_limit}
        return {
            "organization": {"id": self.database.organization()},
            "user": {"id": "user_sandbox"},
            "key": {"id": "key_sandbox", "scope": "all"},
            "plan": {
                "id": f"plan_{plan.name}",
                "name": plan.name,
                "description": "Played by the local sandbox",
                "limits": limits,
                "features": [],
            },
        }

    def _collections(self, query: Mapping[str, str]) -> dict[str, Any]:
        limit = _query_number(query, "limit", 50, 1, 100)
        start = _query_number(query, "nextToken", 0, 0, len(self.collections))
        page = self.collections[start : start + limit]
        answer: dict[str, Any] = {"actions": [as_action(one) for one in page], "count": len(page)}
        if start + limit < len(self.collections):
            answer["nextToken"] = str(start + limit)
        return answer

    def usage(self) -> dict[str, Any]:
        """What was used and seen since the start; asking for it is no call."""
        use, seen = self.limits.use(), self.ledger.seen()
        return {
            "plan": self.options.plan,
            "minute": {"used": use.minute, "limit": self.options.minute_limit},
            "month": {"used": use.month, "limit": self.options.month_limit, "month": use.month_name},
            "calls": seen.calls,
            "statuses": {str(status): count for status, count in seen.statuses.items()},
            "rows": seen.rows,
            "bytes": seen.bytes,
        }


def _dry_run(batch: Batch) -> dict[str, Any]:
    return {
        "dryRun": True,
        "rows": batch.total,
        "valid": len(batch.rows),
        "invalid": len(batch.errors),
        "memorized": 0,
        "queued": 0,
        "errors": batch.errors,
    }


def _query_number(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
        raise invalid(name, f"expected a whole number from {low} to {high}")
    return int(text)


def _name_collections(database: Database, names: Mapping[str, str]) -> None:
    with database.write() as connection:
        connection.execute("CREATE TEMP TABLE collections (id TEXT PRIMARY KEY, name TEXT NOT NULL)")
        connection.executemany("INSERT INTO collections VALUES (?, ?)", list(names.items()))
