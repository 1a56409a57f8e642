"""A memory that misbehaves as real ones do, by chance from a seed, and writes down what it really stored."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

STORED, PENDING, FAILED, VANISHED = "stored", "pending", "failed", "vanished"
PLAN = {
    "organization": {"id": "org_crash"},
    "plan": {"name": "pro", "limits": {"maxApiCallsPerMinute": 10**6, "maxApiCallsPerMonth": 10**9}},
}
COLLECTIONS = {
    "actions": [{"payload": {"collectionId": name.lower(), "collectionName": name}} for name in ("Contacts", "Notes")]
}


class Row(NamedTuple):
    """One row as it came."""

    email: str
    version: int
    kind: str
    text: str | None


@dataclass
class Applied:
    """One call that the memory took: who was in it, and what becomes of them."""

    event: str
    rows: list[Row]
    answered: bool = False
    """Whether a proper answer left for the caller."""
    fate: str = PENDING
    lost: set[str] = field(default_factory=set)
    """Identities that the event names as failed."""
    asks: int = 0
    """Questions that are still answered with `processing`."""

    def fate_of(self, identity: str) -> str:
        return FAILED if identity in self.lost else self.fate


@dataclass
class Ledger:
    """What really happened, for the checks: nothing of it comes from memsync's own counters."""

    applied: list[Applied] = field(default_factory=list)
    unclear: int = 0
    """Calls that were applied and not answered properly."""
    requests: int = 0
    batches: int = 0

    def of(self, identity: str) -> list[tuple[Row, Applied]]:
        """The rows with this identity, oldest first, with their calls."""
        return [(row, call) for call in self.applied for row in call.rows if row.email == identity]


class Memory:
    """Serves on a free port. `strike` is called with the moment (`received`, `applied`) of each batch call."""

    def __init__(self, seed: int) -> None:
        self.ledger, self.calm = Ledger(), False
        self.strike: Callable[[str, int], None] = lambda moment, number: None
        self._chance, self._lock = random.Random(seed), threading.Lock()
        self._splits = self._chance.random() < 0.5
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def batch(self, rows: list[dict[str, Any]]) -> tuple[int, Any]:
        """Take a call, or not; returns status and body, status 0 for a cut connection, -1 for half an answer."""
        with self._lock:
            self.ledger.batches += 1
            number, fault = self.ledger.batches, self._fault()
            pause = 0.0 if self.calm else self._chance.random() * 0.02
        self.strike("received", number)
        time.sleep(pause)
        refused = _REFUSALS.get(fault)
        if refused is not None:
            return refused
        with self._lock:
            bad = [row for row in rows if row["kind"] == "bad"]
            if bad and self._splits:
                return 400, {"success": False, "error": "INVALID_PARAMS", "message": f"row {bad[0]['email']} is bad"}
            call = self._apply([row for row in rows if row["kind"] != "bad"])
            answer = self._answer(call, bad)
            call.answered = fault == "none"
            self.ledger.unclear += fault != "none"
        self.strike("applied", number)
        return {"cut after": (0, None), "half": (-1, answer), "502 after": (502, None)}.get(fault, (200, answer))

    def _fault(self) -> str:
        if self.calm:
            return "none"
        return self._chance.choices(*zip(*_FAULTS.items(), strict=True))[0]  # type: ignore[arg-type, no-any-return]

    def _apply(self, rows: list[dict[str, Any]]) -> Applied:
        came = [Row(r["email"], int(r["version"]), r["kind"], r.get("notes")) for r in rows]
        call = Applied(f"event-{len(self.ledger.applied)}", came)
        call.asks = 0 if self.calm else self._chance.randrange(3)
        doomed = 1.0 if self.calm else self._chance.random()
        call.lost = {row.email for row in came if row.kind == "doomed"}
        if doomed < 0.06:
            call.fate = FAILED
        elif doomed < 0.10:
            call.fate = VANISHED
        elif not self.calm and self._chance.random() < 0.15 and call.rows:
            call.lost.add(self._chance.choice(came).email)
        self.ledger.applied.append(call)
        return call

    def _answer(self, call: Applied, bad: list[dict[str, Any]]) -> dict[str, Any]:
        errors = [{"email": r["email"], "code": "CONTENT_TOO_LARGE", "message": "too large"} for r in bad]
        return {"success": True, "data": {"eventId": call.event, "errors": errors}}

    def event(self, name: str) -> tuple[int, Any]:
        """The state of an event, which ends after a few questions."""
        with self._lock:
            call = next((one for one in self.ledger.applied if one.event == name), None)
            if call is None or call.fate == VANISHED:
                return 404, {"success": False, "error": "not_found"}
            if call.asks > 0:
                call.asks -= 1
                return 200, {"success": True, "data": {"status": "processing"}}
            if call.fate == FAILED:
                return 200, {"success": True, "data": {"status": "failed", "errors": []}}
            call.fate = STORED
            errors = [{"email": who, "message": "could not be stored"} for who in sorted(call.lost)]
            status = "partial_failure" if errors else "completed"
            return 200, {"success": True, "data": {"status": status, "errors": errors, "failed": len(errors)}}


_FAULTS = {
    "none": 60, "429": 8, "500": 6, "503": 3, "cut before": 8, "cut after": 8, "half": 4, "502 after": 3,
}  # fmt: skip
_REFUSALS: dict[str, tuple[int, Any]] = {
    "429": (429, {"success": False, "error": "rate_limit_exceeded", "retryAfterSeconds": 1, "window": "per_minute"}),
    "500": (500, {"success": False, "error": "internal"}),
    "503": (503, None),
    "cut before": (0, None),
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """A caller that was killed is no news."""


def _handler(memory: Memory) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 10

        def do_GET(self) -> None:
            memory.ledger.requests += 1
            if "/events/" in self.path:
                self._reply(*memory.event(self.path.rpartition("/")[2]))
            else:
                self._reply(200, {"success": True, "data": PLAN if self.path.endswith("/me") else COLLECTIONS})

        def do_POST(self) -> None:
            memory.ledger.requests += 1
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._reply(*memory.batch(body["rows"]))

        def _reply(self, status: int, body: Any) -> None:
            if status == 0:
                self._hang_up()
                return
            content = b"<html>proxy</html>" if body is None else json.dumps(body).encode()
            self.send_response(200 if status == -1 else status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if status == -1 else content)
            if status == -1:
                self._hang_up()

        def _hang_up(self) -> None:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_: object) -> None:
            """Silence."""

    return Handler
