"""What HubSpot says in the body of an error, as far as it can be understood."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.hubspot.transport import Answer

_SCOPES_IN_WORDS = re.compile(r"requires (?:one|all) of \[([^\]]*)\]", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")
_TOKEN = re.compile(r"(?:pat|sk)-[a-z0-9]+-[0-9a-zA-Z-]{8,}|Bearer\s+\S+", re.IGNORECASE)
_LONGEST_MESSAGE = 300


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
        try:
            found = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            return Said()
        if not isinstance(found, dict):
            return Said()
        listed = found.get("errors")
        errors = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        parts = [found.get("message"), *(one.get("message") for one in errors)]
        message = "; ".join(dict.fromkeys(str(part) for part in parts if part))
        words = " ".join(str(found.get(name) or "") for name in ("policyName", "errorType", "message"))
        return Said(
            message=message,
            category=str(found.get("category") or found.get("errorType") or ""),
            policy=_policy_in(words.upper()),
            correlation=str(found.get("correlationId") or ""),
            scopes=_scopes_in(errors, message),
        )

    @property
    def quoted(self) -> str:
        """HubSpot's own words, short, without addresses and tokens."""
        text = _TOKEN.sub("***", _ADDRESS.sub("***", " ".join(self.message.split())))
        text = text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}..."
        known = [part for part in (text, f"correlationId {self.correlation[:64]}" if self.correlation else "") if part]
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
            found += [str(one) for one in listed] if isinstance(listed, list) else []
    in_words = _SCOPES_IN_WORDS.search(message)
    if not found and in_words:
        found = [one.strip(" '\"") for one in in_words[1].split(",")]
    return tuple(dict.fromkeys(one for one in found if one))
