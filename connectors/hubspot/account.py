"""Where the API is and who asks: the variables, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from connectors.base import SourceMisconfigured
from connectors.hosts import is_loopback
from connectors.hubspot import Variables

_USABLE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Account:
    """One HubSpot account as its API is reached."""

    url: str
    """Without a slash at its end."""
    token: str = field(repr=False)
    version: str
    """`v3`, or a date such as `2026-09`."""
    prefix: str = ""
    """Before the names of variables, in messages: `EU_`."""

    @property
    def token_variable(self) -> str:
        """The variable that holds the token."""
        return f"{self.prefix}HUBSPOT_ACCESS_TOKEN"

    @property
    def host(self) -> str:
        """The host, for messages."""
        return urlsplit(self.url).netloc


def account_of(variables: Variables, prefix: str = "") -> Account:
    """The account that the variables name; raises SourceMisconfigured."""
    token = variables.hubspot_access_token.get_secret_value().strip() if variables.hubspot_access_token else ""
    name = f"{prefix}HUBSPOT_ACCESS_TOKEN"
    if not token:
        raise SourceMisconfigured(f"{name} is not set: put a service key or a private app token of HubSpot there")
    if not _USABLE.fullmatch(token):
        raise SourceMisconfigured(f"{name}: found blanks or other characters that no token has; copy it once more")
    return Account(_checked(variables.hubspot_base_url, prefix), token, variables.hubspot_api_version, prefix)


def _checked(url: str, prefix: str) -> str:
    """The base URL; plain http only to this machine, because the token travels with every call."""
    name = f"{prefix}HUBSPOT_BASE_URL"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise SourceMisconfigured(f"{name}: expected an address such as https://api.hubapi.com") from None
    if parts.scheme not in {"https", "http"} or not host or parts.query or parts.fragment or "@" in parts.netloc:
        raise SourceMisconfigured(f"{name}: expected an address such as https://api.hubapi.com, and nothing behind it")
    if parts.scheme == "http" and not is_loopback(host):
        raise SourceMisconfigured(f"{name}: http is accepted for this machine only; expected https://{host}")
    return url.rstrip("/")
