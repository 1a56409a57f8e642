"""What HubSpot says in the body of an error, as far as it can be understood."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from connectors.hubspot.decoding import decoded
from connectors.hubspot.transport import Answer

_SCOPES_IN_WORDS = re.compile(r"requires (?:one|all) of \[([^\]]*)\]", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>\"']+(?:@|%40)[^\s@<>\"']+", re.IGNORECASE)
_TOKEN = re.compile(r"(?:pat|sk)-[a-z0-9]+-[0-9a-zA-Z-]{8,}|Bearer\s+\S+", re.IGNORECASE)
_LONGEST_MESSAGE = 300
_HIDDEN = re.compile(r"[^\S ]|[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
"""What moves a terminal's cursor, or cannot be seen."""
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,80}")


def clean(text: Any) -> str:
    """A server's words on one line, without addresses of people, tokens and control characters."""
    line = " ".join(_HIDDEN.sub(" ", str(text or "")).split())
    return _TOKEN.sub("***", _ADDRESS.sub("***", line))


def word(text: Any) -> str:
    """A name that a server gives, such as a scope or a category; empty where it is no such thing."""
    found = text if isinstance(text, str) else ""
    return found if _WORD.fullmatch(found) and not _TOKEN.search(found) else ""


@dataclass(frozen=True, slots=True)
class Said:
    """The parts of an error's body; every one may be missing."""

    message: str = ""
    category: str = ""
    policy: str = ""
    correlation: str = ""
    scopes: tuple[str, ...] = ()

    @staticmethod
    def of(answer: Answer) -> Said:
        """Read a body; what is no JSON says nothing."""
        found = decoded(answer.body)
        if not isinstance(found, dict):
            return Said()
        listed = found.get("errors")
        errors = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        parts = [found.get("message"), *(one.get("message") for one in errors)]
        message = "; ".join(dict.fromkeys(str(part) for part in parts if part))
        words = " ".join(str(found.get(name) or "") for name in ("policyName", "errorType", "message"))
        return Said(
            message=message,
            category=word(found.get("category") or found.get("errorType")),
            policy=_policy_in(words.upper()),
            correlation=word(found.get("correlationId"))[:64],
            scopes=_scopes_in(errors, message),
        )

    @property
    def quoted(self) -> str:
        """HubSpot's own words, short, without addresses and tokens."""
        text = clean(self.message)
        text = text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}..."
        known = [part for part in (text, f"correlationId {self.correlation}" if self.correlation else "") if part]
        return f" ({'; '.join(known)})" if known else ""


def _policy_in(words: str) -> str:
    if "DAILY" in words:
        return "DAILY"
    if "TEN_SECONDLY" in words:
        return "TEN_SECONDLY_ROLLING"
    return "SECONDLY" if "SECONDLY" in words else ""


def _scopes_in(errors: list[dict[str, Any]], message: str) -> tuple[str, ...]:
    found: list[str] = []
    for error in errors:
        context = error.get("context")
        for name in ("requiredGranularScopes", "requiredScopes", "missingScopes"):
            listed = context.get(name) if isinstance(context, dict) else None
            found += [word(one) for one in listed] if isinstance(listed, list) else []
    in_words = _SCOPES_IN_WORDS.search(message)
    if not found and in_words:
        found = [word(one.strip(" '\"")) for one in in_words[1].split(",")]
    return tuple(dict.fromkeys(one for one in found if one))
