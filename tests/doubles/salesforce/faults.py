"""Failures on order: which call, how often, and what happens instead of its answer."""

import json
import re
import threading
from dataclasses import dataclass, field
from typing import Any

from .answers import JSON, Answer, refusal
from .server import HungUp, Request


@dataclass
class Fault:
    """One planned failure; `used` counts how often it has happened."""

    matches: "re.Pattern[str] | str"
    answer: Answer | None = None
    times: int | None = 1
    after: int = 0
    """How many matching calls pass first."""
    drop: bool = False
    hang: bool = False
    cut: int | None = None
    """The true answer ends after so many bytes of its body, which is then not packed."""
    drip: float | None = None
    """The true answer comes unpacked, byte by byte, with so many seconds between."""
    used: int = field(default=0)

    def applies(self, request: Request) -> bool:
        """Whether the call is meant; counts it where it is."""
        if isinstance(self.matches, str):
            meant = self.matches == request.kind
        else:
            meant = bool(self.matches.fullmatch(f"{request.method} {request.path.rstrip('/')}"))
        if not meant or (self.times is not None and self.used >= self.times):
            return False
        if self.after:
            self.after -= 1
            return False
        self.used += 1
        return True


class Faults:
    """The planned failures, in the order in which they were planned."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []
        self._lock = threading.Lock()

    def due(self, request: Request) -> Fault | None:
        """The failure that this call meets, if any."""
        with self._lock:
            return next((fault for fault in self.planned if fault.applies(request)), None)


def what_is_meant(text: str) -> "re.Pattern[str] | str":
    """A kind of call (`query`), or method and path, `*` standing for part of a segment and `**` for several."""
    if " " not in text:
        return text
    method, path = text.split(" ", 1)
    pieces = re.split(r"(\*\*|\*)", path.rstrip("/"))
    wild = {"**": ".*", "*": "[^/]*"}
    written = "".join(wild.get(piece) or re.escape(piece) for piece in pieces)
    return re.compile(f"{'[A-Z]+' if method == '*' else method} {written}")


def failing_answer(
    error: str | None, status: int | None, body: Any, headers: dict[str, str] | None, message: str | None
) -> Answer | None:
    """The answer that a failure gives; None where nothing was said of one."""
    if error:
        usual = refusal(error, message, status).answer
        return Answer(usual.status, usual.body, {**usual.headers, **(headers or {})})
    if status is None and body is None:
        return None
    if isinstance(body, bytes | str):
        raw = body.encode() if isinstance(body, str) else body
        kind = "text/html;charset=UTF-8" if raw.lstrip().startswith(b"<") else JSON
    else:
        raw, kind = b"" if body is None else json.dumps(body).encode(), JSON
    return Answer(status or 500, raw, {"Content-Type": kind, **(headers or {})})


def suffer(fault: Fault, closing: threading.Event) -> Answer | None:
    """What the caller gets; None: the true answer, cut short."""
    if fault.hang:
        closing.wait()
        raise HungUp
    if fault.drop:
        raise HungUp
    return fault.answer
