"""What a call is answered with, and the error bodies in their recorded forms."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json;charset=UTF-8"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; an iterator as body is sent in chunks of unknown total length."""

    status: int = 200
    body: bytes | Iterator[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def document(value: Any, status: int = 200, **headers: str) -> Answer:
    """A JSON answer; header names are given with underscores."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, json.dumps(value, separators=(",", ":")).encode(), {"Content-Type": JSON, **named})


def decoded(answer: Answer) -> Any:
    """The value of a JSON answer."""
    return json.loads(answer.body if isinstance(answer.body, bytes) else b"".join(answer.body))


class Refusal(Exception):
    """A call is turned down with this status and the usual list of errors."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.code = code
        self.answer = document([{"message": message, "errorCode": code, **more}], status)


ERRORS: Mapping[str, tuple[int, str]] = {
    "API_CURRENTLY_DISABLED": (403, "API is currently disabled for this User"),
    "API_DISABLED_FOR_ORG": (403, "The REST API is not enabled for this Organization."),
    "CONCURRENT_REQUEST_LIMIT": (403, "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
    "EXCEEDED_ID_LIMIT": (400, "Too many records to replicate, please reduce the time span"),
    "INSUFFICIENT_ACCESS": (403, "insufficient access rights on cross-reference id"),
    "INVALID_QUERY_LOCATOR": (400, "invalid query locator"),
    "INVALID_REPLICATION_DATE": (400, "startDate before org replication enabled date"),
    "INVALID_SESSION_ID": (401, "Session expired or invalid"),
    "NOT_FOUND": (404, "The requested resource does not exist"),
    "OPERATION_TOO_LARGE": (400, "exceeded 100000 distinct who/what's"),
    "QUERY_TIMEOUT": (400, "Your query request was running for too long."),
    "QUERY_TOO_COMPLICATED": (
        400,
        "Query is either selecting too many fields or the filter conditions are too complicated.",
    ),
    "REQUEST_LIMIT_EXCEEDED": (403, "TotalRequests Limit exceeded."),
    "SERVER_UNAVAILABLE": (503, "The server is temporarily unavailable."),
    "TXN_SECURITY_METERING_ERROR": (400, "The transaction security policy could not be evaluated."),
    "UNABLE_TO_LOCK_ROW": (400, "unable to obtain exclusive access to this record"),
    "UNKNOWN_EXCEPTION": (500, "An unexpected error occurred. Please include this ErrorId if you contact support."),
}
"""The usual status and text of each error code; `CONCURRENT_REQUEST_LIMIT` is the other face of the request limit."""

_PUBLIC_NAME = {"CONCURRENT_REQUEST_LIMIT": "REQUEST_LIMIT_EXCEEDED"}


def refusal(code: str, message: str | None = None, status: int | None = None) -> Refusal:
    """The refusal for an error code, with its usual status and text unless told otherwise."""
    usual_status, usual_message = ERRORS.get(code, (400, code))
    return Refusal(status or usual_status, _PUBLIC_NAME.get(code, code), message or usual_message)


def not_imitated(what: str) -> Refusal:
    """What Salesforce can do and this server cannot: said plainly, never imitated wrongly."""
    return Refusal(501, "STAND_IN_LIMIT", f"the stand-in server does not imitate {what}")
