"""What an answer of Salesforce means: try again, log in anew, read otherwise, or tell the person what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

from connectors.base import ConnectorError, SourceMisconfigured, SourceRefused, SourceUnreachable
from connectors.salesforce.words import is_code, plain

Meaning = Literal["login", "busy", "again", "final"]

_AGAIN = {406, 420, 429, 500, 502, 503, 504}
LAST_SOAP_LOGIN = 64.0
"""The last version of the API that has SOAP login()."""
_LATER = "Nothing was lost: run again later"
_COLUMN = re.compile(r"column '(\w+)'")
_NAMES = {"INVALID_FIELD", "INVALID_TYPE", "NOT_FOUND"}
"""Codes whose messages quote names of fields and objects, not values."""


class Refusal(Exception):
    """An answer that is no success, by its code; `said` is the server's text, which may quote the query."""

    def __init__(self, status: int, code: str, said: str) -> None:
        super().__init__(f"HTTP {status} {code}".strip())
        self.status, self.code, self.said = status, code, said
        self.own = ""
        """The map's own condition: what it says itself is no record's data."""


class TookTooLong(SourceUnreachable):
    """The server gave a query up; a smaller one may succeed."""


class AnswerTooLarge(SourceUnreachable):
    """An answer would fill the memory; one with fewer records may not."""


class LocatorLost(SourceUnreachable):
    """The place in a result is forgotten: the query is asked again from the last record on."""


class UnknownField(SourceMisconfigured):
    """A field that was there a while ago is not there now, or not for this user; `name` where it is told."""

    def __init__(self, said: str, name: str = "") -> None:
        super().__init__(said)
        self.name = name


class TooLongForAddress(SourceMisconfigured):
    """The statement does not fit into an address."""


class NotThere(SourceMisconfigured):
    """What the address names does not exist."""


def refusal_of(status: int, body: Any) -> Refusal:
    """Read an error in any of its shapes: a list, an object, HTML, or nothing."""
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return Refusal(status, "", "")
    code = first.get("errorCode") or first.get("exceptionCode") or first.get("error") or ""
    said = first.get("message") or first.get("exceptionMessage") or first.get("error_description") or ""
    # What is no code may be anything, a value too.
    return Refusal(status, str(code) if is_code(str(code)) else "", str(said))


def meaning_of(refusal: Refusal) -> Meaning:
    """What the same call may hope for when it is made again."""
    code = refusal.code
    if refusal.status == 401 or code in ("INVALID_SESSION_ID", "InvalidSessionId"):
        return "login"
    if code == "REQUEST_LIMIT_EXCEEDED" and "concurrent" in refusal.said.lower():
        return "busy"
    if code in ("SERVER_UNAVAILABLE", "UNABLE_TO_LOCK_ROW") or refusal.status in _AGAIN:
        return "again"
    return "final"


def short(refusal: Refusal) -> str:
    """The server's code and its common words on one line, without the statement that they quote and without values."""
    lines = [line.strip() for line in refusal.said.splitlines() if line.strip()]
    text = lines[-1] if lines else ""
    if len(lines) > 1:  # the statement, an arrow below the place, then the reason
        behind = [at for at, line in enumerate(lines) if line.startswith("ERROR at Row")]
        text = lines[behind[-1] + 1] if behind and behind[-1] + 1 < len(lines) else text
    # Where to look for the suffixes of custom names is told at length with each unknown one.
    text = plain(text.partition(" If you are attempting")[0], names=refusal.code in _NAMES, own=refusal.own)
    return f"{refusal.code}: {text}".strip(" :") or f"HTTP {refusal.status}"


def explain(refusal: Refusal, what: str) -> ConnectorError:
    """Name what went wrong with `what` (an object, a job), and what to do about it."""
    known = _BY_CODE.get(refusal.code)
    if known is not None:
        return known(what, refusal)
    by_status = _BY_STATUS.get(refusal.status)
    if by_status is not None:
        return by_status(what, refusal)
    if meaning_of(refusal) in ("again", "busy"):
        return SourceUnreachable(f"{what}: Salesforce gave up ({short(refusal)}, HTTP {refusal.status}). {_LATER}")
    if 300 <= refusal.status < 400:
        return SourceMisconfigured(
            f"{what}: Salesforce sends the call to another address (HTTP {refusal.status}), which is not followed: the "
            "session's host may have moved; set SF_LOGIN_URL to the org's My Domain"
        )
    return SourceMisconfigured(f"{what}: Salesforce refuses: {short(refusal)}")


def _limit(what: str, refusal: Refusal) -> ConnectorError:
    if meaning_of(refusal) == "busy":
        return SourceUnreachable(
            f"{what}: too many long requests run in the org at once (25, or 5 in trials). {_LATER}"
        )
    return SourceUnreachable(
        f"{what}: the org's API calls of the last 24 hours are used up ({refusal.code}); Setup > System Overview shows "
        "by how many. Nothing was lost: the next run goes on from here when there are calls again"
    )


def _permission(text: str) -> Callable[[str, Refusal], ConnectorError]:
    return lambda what, refusal: SourceRefused(f"{what}: {text} ({refusal.code or refusal.status})")


def _wrong(text: str) -> Callable[[str, Refusal], ConnectorError]:
    return lambda what, refusal: SourceMisconfigured(f"{what}: {short(refusal)}: {text}")


def _unknown_field(what: str, refusal: Refusal) -> ConnectorError:
    return UnknownField(
        f"{what}: {short(refusal)}: correct the name in the map, or grant the user read access to the field "
        "(field-level security)",
        found[1] if (found := _COLUMN.search(short(refusal))) else "",
    )


def _session(what: str, refusal: Refusal) -> ConnectorError:
    return SourceRefused(f"{what}: Salesforce does not take the session, not even a new one ({short(refusal)})")


_ACTIVITIES = (
    "this user may read so many people's activities only with the permission View All Data (or View All on the "
    "objects they belong to): grant it to the integration user"
)
_BY_CODE: dict[str, Callable[[str, Refusal], ConnectorError]] = {
    "REQUEST_LIMIT_EXCEEDED": _limit,
    "QUERY_TIMEOUT": lambda what, _: TookTooLong(
        f"{what}: Salesforce stopped a query that took too long (QUERY_TIMEOUT), even for few records: let `where` "
        "name indexed fields, or use `api: bulk`"
    ),
    "OPERATION_TOO_LARGE": _permission(_ACTIVITIES),
    "INVALID_FIELD": _unknown_field,
    "MALFORMED_QUERY": _wrong("look at `where` in the map"),
    "INVALID_QUERY_FILTER_OPERATOR": _wrong("look at `where` in the map"),
    "INVALID_TYPE": _wrong("correct `object`, or grant the user read access to it"),
    "INVALID_TYPE_FOR_OPERATION": _wrong("this object cannot be queried"),
    "QUERY_TOO_COMPLICATED": _wrong("map fewer formula fields, or split the map into two streams"),
    "INVALID_QUERY_LOCATOR": lambda what, _: LocatorLost(f"{what}: the place in the result was forgotten. {_LATER}"),
    "QUERY_LOCATOR_EXPIRED": lambda what, _: LocatorLost(f"{what}: the place in the result was forgotten. {_LATER}"),
    "TXN_SECURITY_METERING_ERROR": _permission(
        "a transaction security policy stands in the way: grant the user Exempt from Transaction Security"
    ),
    "API_DISABLED_FOR_ORG": _permission(
        "this edition of Salesforce has no API, or it is switched off: ask for API access"
    ),
    "API_CURRENTLY_DISABLED": _permission("the user lacks the permission API Enabled"),
    "INSUFFICIENT_ACCESS": _permission(
        "the user lacks read access to the object or to its records: View All, or sharing"
    ),
    "INVALID_SESSION_ID": _session,
    "NOT_FOUND": lambda what, refusal: NotThere(
        f"{what}: not found ({refusal.code}): check `object` and SF_API_VERSION, and that the user may read it"
    ),
}
_BY_STATUS: dict[int, Callable[[str, Refusal], ConnectorError]] = {
    401: _session,
    403: lambda what, refusal: SourceRefused(f"{what}: Salesforce refuses access: {short(refusal)}"),
    404: _BY_CODE["NOT_FOUND"],
    410: lambda what, _: SourceMisconfigured(
        f"{what}: this version of the API was retired (HTTP 410): leave SF_API_VERSION out, or set a newer one"
    ),
    414: lambda what, _: TooLongForAddress(
        f"{what}: the list of fields is too long for a REST query: map fewer of them, or use `api: bulk`"
    ),
}


def login_refused(code: str, said: str, kind: str, variables: str) -> ConnectorError:
    """Name what keeps a login from being taken; what was sent is never shown."""
    detail = plain(said) if len(said) < 200 and "<" not in said else ""
    shown = ": ".join(part for part in (code if is_code(code) else "", detail) if part)
    hint = next((hint for mark, hint in _LOGIN_HINTS if mark in f"{code} {said}".lower()), "")
    return SourceRefused(
        f"Salesforce refuses the login ({kind}): {shown or 'no reason given'}{hint or '; check'} {variables}".rstrip()
    )


_WRONG_PASSWORD = (
    "; wrong user name, password or security token, a locked user, or SF_LOGIN_URL of another org (a change of the "
    "password brings a new token by e-mail; only from the trusted IP ranges of the org can it be left out, and "
    f"SOAP login() itself ends with version {LAST_SOAP_LOGIN:g} of the API, in the release Summer '27); check"
)
_LOGIN_HINTS = (
    ("approved this consumer", "; authorise the app for the user first (its policy: admin approved users), then check"),
    ("audience", "; SF_LOGIN_URL must be the org's own login host, or test for sandboxes; check"),
    ("not supported on this domain", "; SF_LOGIN_URL must be the org's My Domain; check"),
    ("disabled by default", "; SOAP login() is off in this org: use client credentials or JWT instead of"),
    ("invalid_operation", "; SOAP login() is off in this org: use client credentials or JWT instead of"),
    ("no client credentials user", "; name a Run As user in the app's client credentials flow; check"),
    ("invalid_login", _WRONG_PASSWORD),
)
