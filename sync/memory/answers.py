"""Reading the server's answers strictly: either the `data` of a success, or a named error that shows the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from sync.memory.errors import (
    ChunkRefused,
    DestinationError,
    DestinationMisconfigured,
    DestinationRefused,
    DestinationUnavailable,
    NotFound,
    QuotaExhausted,
    RateLimited,
)
from sync.memory.retry_after import LONGEST, wait_asked_for
from sync.memory.words import without_values

SHOWN = 200
"""Characters of an answer that an error shows."""
_SECRET = re.compile(r"(sk_(?:live|test)_|\bsk_[a-z]+_(?=\w{16})|Bearer(?:\s|%20|\+)+)[^\s\"',}()]+", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s\"'<>()\[\]{},;:=&/\\]*(?:@|%40|\\u0040)[\w-]+(?:\.[\w-]+)*", re.IGNORECASE)
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
_READ = 4000
"""Bytes of an answer that are looked at for showing SHOWN characters of it."""
_QUOTA_CODES = {"INSUFFICIENT_CREDITS"}
_CAP_CODES = {"SCHEDULE_CAP_EXCEEDED", "RECORD_CAP_EXCEEDED"}


class Answer(NamedTuple):
    """An HTTP answer, read whole. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent: bytes | None = b""
    """The body of the call, of whose records nothing may be shown; None: it was about records of an earlier call."""


def redact(text: str) -> str:
    """One line of at most SHOWN characters, without keys, e-mail addresses and control characters."""
    text = " ".join(text.split())[:_READ]
    text = _EMAIL.sub("<e-mail>", _SECRET.sub(r"\1***", text))
    text = "".join(c if c.isprintable() else " " for c in text)
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def data_of(answer: Answer, call: str) -> dict[str, Any]:
    """The `data` of a successful answer; raises the DestinationError that says what to do otherwise."""
    if answer.status >= 300:
        raise _refusal(answer, call)
    body = _parse(answer.body)
    if not isinstance(body, dict) or body.get("success") is not True:
        if isinstance(body, dict) and body.get("success") is False:
            raise _failure(answer, body, call)
        raise _unreadable(answer, call, "expected a JSON object with success: true")
    data = body.get("data")
    if not isinstance(data, dict):
        raise _unreadable(answer, call, "expected an object under data")
    return data


def code_of(*candidates: Any) -> str:
    """The first of these that is the name of an error; a sentence is none, it may hold anything."""
    return next((text for text in candidates if isinstance(text, str) and _CODE.fullmatch(text)), "")


def _parse(body: bytes) -> Any:
    try:
        found = orjson.loads(body)
        # A second look, with the names in view: of two `success` members nobody knows which one counts.
        json.loads(body, object_pairs_hook=_refuse_twins)
    except (ValueError, RecursionError):  # RecursionError: a thousand lists in each other
        return None
    return found


def _refuse_twins(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name stands twice")


def _shown(answer: Answer) -> str:
    start = answer.body[:_READ]
    if len(answer.body) > _READ:
        start = start[: start.rfind(b" ") + 1] or start  # half an address would not be known as one
    text = without_values(redact(start.decode("utf-8", "replace")), answer.sent)
    return f"HTTP {answer.status}: {text}" if text else f"HTTP {answer.status}, an empty body"


def _unreadable(answer: Answer, call: str, expected: str) -> DestinationUnavailable:
    return DestinationUnavailable(f"{call}: {expected}, found {_shown(answer)}", ambiguous=True)


def _code(body: Any) -> str:
    """The error's name, wherever the server put it."""
    if not isinstance(body, dict):
        return ""
    error = body.get("error")
    inner = (error.get("code"), error.get("type")) if isinstance(error, dict) else (error,)
    return code_of(body.get("code"), *inner)


def _refusal(answer: Answer, call: str) -> DestinationError:
    body = _parse(answer.body)
    if answer.status == 429:
        return _too_many(answer, body, call)
    if 300 <= answer.status < 400:
        where = without_values(redact(answer.headers.get("location", "nowhere")), answer.sent)
        return DestinationMisconfigured(f"{call}: redirected to {where}; set PERSONIZE_BASE_URL to the final address")
    if answer.status >= 500:
        # 502 and 504 come from a proxy that lost sight of a server which may still be working, 500 from one that may
        # have failed behind the work.
        ambiguous = answer.status not in (501, 503)
        wait = wait_asked_for(body, answer.headers)
        return DestinationUnavailable(f"{call}: {_shown(answer)}", ambiguous=ambiguous, retry_after=wait)
    return _client_error(answer, body, call)


def _client_error(answer: Answer, body: Any, call: str) -> DestinationError:
    status, code = answer.status, _code(body)
    if code in _CAP_CODES:
        return _capped(answer, call)
    if status == 402 or code in _QUOTA_CODES:
        return QuotaExhausted(f"{call}: credits are used up ({_shown(answer)}); the next run goes on from here")
    if status == 401:
        return DestinationRefused(f"{call}: the key was not accepted ({_shown(answer)}); check PERSONIZE_SECRET_KEY")
    if status == 403:
        return DestinationRefused(f"{call}: the key may not do this ({_shown(answer)}); use a key with write access")
    if status in (404, 405, 410):
        text = f"{call}: not found there ({_shown(answer)}); check PERSONIZE_BASE_URL and PERSONIZE_API_VERSION"
        return DestinationMisconfigured(text) if status == 405 else NotFound(text, code)
    if status in (408, 425):
        return DestinationUnavailable(f"{call}: {_shown(answer)}", ambiguous=status == 408)
    return ChunkRefused(f"{call}: refused ({_shown(answer)})", code or f"HTTP_{status}")


def _too_many(answer: Answer, body: Any, call: str) -> DestinationError:
    code = _code(body)
    if code in _CAP_CODES:
        return _capped(answer, call)
    window = str(body.get("window") or "") if isinstance(body, dict) else ""
    if "month" in window or code in _QUOTA_CODES:
        return QuotaExhausted(
            f"{call}: the month's calls are used up ({_shown(answer)}); the next run goes on from here"
        )
    wait = wait_asked_for(body, answer.headers)
    if wait is not None and wait > LONGEST:
        return QuotaExhausted(f"{call}: told to wait {wait:.0f} s, which is too long; the next run goes on from here")
    # The limit of another window (a second, a day) says nothing about the minute.
    limit = body.get("limit") if isinstance(body, dict) and window in ("", "per_minute") else None
    usable = isinstance(limit, int) and not isinstance(limit, bool) and limit > 0
    return RateLimited(f"{call}: too many calls ({_shown(answer)})", wait, limit if usable else None)


def _capped(answer: Answer, call: str) -> DestinationMisconfigured:
    return DestinationMisconfigured(f"{call}: a cap of the plan is reached ({_shown(answer)}); raise it or tidy up")


def _failure(answer: Answer, body: dict[str, Any], call: str) -> DestinationError:
    """The error behind `success: false` on a 2xx, by its name: as if the status had said it."""
    code = _code(body).lower()
    status = next((s for name, s in _STATUS_BY_NAME.items() if name in code), 400)
    return _refusal(answer._replace(status=status), call)


_STATUS_BY_NAME = {
    "rate_limit": 429,
    "authentication": 401,
    "permission": 403,
    "not_found": 404,
    "server_error": 500,
    "insufficient_credits": 402,
}
