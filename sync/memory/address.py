"""Which addresses may be sent the key."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from sync.memory.answers import redact
from sync.memory.errors import DestinationMisconfigured

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# Nothing but plain names: parsers disagree about backslashes, blanks and wide dots, and the key would go elsewhere.
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*")


def check_address(url: str, allowed: frozenset[str]) -> str:
    """The base URL without its last slash, if it is safe to send a key there; raises DestinationMisconfigured."""
    url = url.strip()
    parts = _split(url)
    host = parts.hostname or ""
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise DestinationMisconfigured("PERSONIZE_BASE_URL: expected https://HOST without user, query or fragment")
    if host in LOOPBACK:
        return url.rstrip("/")
    if not _NAME.fullmatch(host):
        raise _not_an_address(url)
    if parts.scheme == "http":
        raise DestinationMisconfigured(f"PERSONIZE_BASE_URL: plain http would show the key; use https://{host}")
    if host != "personize.ai" and not host.endswith(".personize.ai") and host not in allowed:
        raise DestinationMisconfigured(
            f"PERSONIZE_BASE_URL: {host} is not a Personize host; if it is yours, set MEMSYNC_ALLOW_HOSTS={host}"
        )
    return url.rstrip("/")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # brackets, ports and characters that no address has
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _not_an_address(url)
    return parts


def _not_an_address(url: str) -> DestinationMisconfigured:
    # What stands before an @ may be a password.
    shown = redact(url.rpartition("@")[2])[:80]
    return DestinationMisconfigured(f"PERSONIZE_BASE_URL: expected https://HOST, found {shown!r}")
