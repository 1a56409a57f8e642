"""What the service says: requests and answers as values, the documented envelope, refusals with their names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import Message
from typing import Any, NamedTuple

import orjson

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"


class Request(NamedTuple):
    """One request, read to its end."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Message[str, str]
    body: bytes


class Answer(NamedTuple):
    """One answer, ready to be written."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


class Refused(Exception):
    """The service turns a request down, under a documented name and status."""

    def __init__(self, status: int, error: str, message: str, **members: Any) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.message = message
        self.members = members
        """Further members of the answer: `details`, `limit`, `retryAfterSeconds` ..."""


def accepted(data: Any, message: str | None = None) -> Answer:
    """Wrap what was asked for in the envelope that every answer has."""
    return Answer(200, orjson.dumps({"success": True, "data": data, "error": None, "message": message}))


def refusal(refused: Refused) -> Answer:
    """Wrap a refusal in the same envelope; a wait is told in the Retry-After header too."""
    body = {"success": False, "data": None, "error": refused.error, "message": refused.message, **refused.members}
    seconds = refused.members.get("retryAfterSeconds")
    headers = () if seconds is None else (("Retry-After", str(seconds)),)
    return Answer(refused.status, orjson.dumps(body), headers=headers)


def invalid(parameter: str, problem: str) -> Refused:
    """A 400 that names the parameter."""
    message = f"{parameter}: {problem}"
    return Refused(400, "validation_error", message, details=[{"parameter": parameter, "message": problem}])


def read_object(request: Request) -> dict[str, Any]:
    """Read the body as a JSON object; raises Refused on another content type, broken JSON or another value."""
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise invalid("Content-Type", f"expected application/json, found {media_type[:60] or 'none'}")
    try:
        value = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise invalid("body", f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    if not isinstance(value, dict):
        raise invalid("body", f"expected a JSON object, found {json_name(value)}")
    return value


def json_name(value: Any) -> str:
    """The word for a JSON value's type, for messages that must not hold the value."""
    if value is None:
        return "null"
    names = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number"}
    return names[type(value)]


def iso_time(seconds: float) -> str:
    """A time as the API writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
