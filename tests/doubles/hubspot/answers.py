"""What the server answers with: successes as values, refusals as exceptions that carry their answer."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import NamedTuple

CLOUDFLARE = (
    "<!DOCTYPE html><html><head><title>{status} | api.hubapi.com</title></head>"
    "<body><h1>Error {status}</h1><p>Ray ID: 8f00ba7</p></body></html>"
)


class Answer(NamedTuple):
    """Status, body (a mapping or list is sent as JSON, text as HTML, None as nothing) and further headers."""

    status: int
    body: object = None
    headers: Mapping[str, str] = {}


class Refused(Exception):
    """The request ends with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def problem(
    status: int, category: str, message: str, *, errors: Sequence[Mapping] = (), headers: Mapping = {}, **more: object
) -> Answer:
    """The error body of section "Error" of the public documents; `more` are further members, such as `context`."""
    body = {"status": "error", "message": message, "correlationId": str(uuid.uuid4()), "category": category}
    if errors:
        body["errors"] = list(errors)
    return Answer(status, body | more, headers)


def invalid(message: str, **more: object) -> Refused:
    """A 400: the request is not one that HubSpot takes."""
    return Refused(problem(400, "VALIDATION_ERROR", message, **more))


def not_found(message: str) -> Refused:
    return Refused(problem(404, "OBJECT_NOT_FOUND", message))


def html(status: int) -> Answer:
    """The page of the network in front of HubSpot, as 502, 503, 530 and others come with."""
    return Answer(status, CLOUDFLARE.format(status=status))


def too_many(policy: str, *, headers: Mapping[str, str] = {}, in_error_type: bool = False) -> Answer:
    """A 429 of the policy SECONDLY, TEN_SECONDLY_ROLLING or DAILY; some variants name it in `errorType` only."""
    body = {
        "status": "error",
        "message": f"You have reached your {policy.lower()} limit.",
        "errorType": policy if in_error_type else "RATE_LIMIT",
        "correlationId": str(uuid.uuid4()),
    }
    if not in_error_type:
        body |= {"policyName": policy, "groupName": "publicapi:private-apps:api-calls:8675309"}
    return Answer(429, body, headers)


def of_status(status: int) -> Answer:
    """The answer that usually comes with this status."""
    made = {
        401: lambda: problem(401, "INVALID_AUTHENTICATION", "Authentication credentials not found."),
        404: lambda: html(404),
        414: lambda: html(414),
        423: lambda: problem(423, "LOCKED", "The resource is locked by a high volume of changes."),
        429: lambda: too_many("TEN_SECONDLY_ROLLING"),
        477: lambda: problem(477, "MIGRATION_IN_PROGRESS", "This account is being moved to another data center."),
        500: lambda: problem(500, "INTERNAL_ERROR", "internal error"),
    }
    if status in made:
        return made[status]()
    return html(status) if status >= 500 else problem(status, "ERROR", f"The request ended with {status}.")
