"""Which hosts are Salesforce's, and what people paste when they are asked for one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from connectors.base import SourceMisconfigured
from connectors.hosts import is_loopback

SALESFORCE = ".salesforce.com"
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9]([a-z0-9-]{0,62}))*")
# What the address bar of a browser shows, and the host that answers the API of the same org.
_SAME_ORG = (
    (".lightning.force.com", ".my.salesforce.com"),
    (".my.salesforce-setup.com", ".my.salesforce.com"),
    (".lightning.pc-rnd.force.com", ".my.pc-rnd.salesforce.com"),
)
_SHARED = ("login.salesforce.com", "test.salesforce.com")


@dataclass(frozen=True, slots=True)
class Address:
    """A host that may be sent credentials."""

    host: str
    """With its port, where it has one."""
    origin: str
    """`https://HOST`; plain http for this machine only."""
    foreign: bool
    """Whether it stands in for Salesforce: this machine, or a host that MEMSYNC_ALLOW_HOSTS names."""

    @property
    def domain(self) -> str:
        """The part before `.salesforce.com`."""
        return self.host.removesuffix(SALESFORCE)

    @property
    def is_shared(self) -> bool:
        """Whether it is the login host of all orgs, and not one org's own."""
        return self.host in _SHARED


def address_of(text: str, variable: str, allowed: frozenset[str] = frozenset()) -> Address:
    """The host in what was pasted; raises SourceMisconfigured where credentials must not go."""
    parts = _split(text.strip(), variable)
    host = (parts.hostname or "").rstrip(".")
    port = f":{parts.port}" if parts.port else ""
    if is_loopback(host):
        shown, scheme = f"[{host}]" if ":" in host else host, parts.scheme if "://" in text else "http"
        return Address(f"{shown}{port}", f"{scheme}://{shown}{port}", foreign=True)
    if not _NAME.fullmatch(host):
        raise _not_a_host(variable)
    if parts.scheme == "http":
        raise SourceMisconfigured(f"{variable}: plain http would show the credentials; use https://{host}")
    if host in allowed:
        return Address(f"{host}{port}", f"https://{host}{port}", foreign=True)
    host = _api_host(host)
    if not is_salesforce(host) or port not in ("", ":443"):
        raise SourceMisconfigured(
            f"{variable}: {host}{port} is not a Salesforce host; expected the org's My Domain, such as "
            f"https://acme.my.salesforce.com; if it is a gateway of yours, set MEMSYNC_ALLOW_HOSTS={host}"
        )
    return Address(host, f"https://{host}", foreign=False)


def is_salesforce(host: str) -> bool:
    """Whether a host is one of Salesforce's own."""
    return host.endswith(SALESFORCE) and bool(_NAME.fullmatch(host))


def _split(text: str, variable: str) -> SplitResult:
    whole = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(whole.lower())
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:  # brackets, ports and characters that no address has
        usable = False
    if not usable or not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise _not_a_host(variable)
    return parts


def _api_host(host: str) -> str:
    """The host of the API: `acme` and `acme.lightning.force.com` are `acme.my.salesforce.com`."""
    if host in ("login", "test"):
        return host + SALESFORCE
    for shown, real in _SAME_ORG:
        if host.endswith(shown):
            return host.removesuffix(shown) + real
    if host.endswith(".my") or "." not in host:
        return (
            host.removesuffix(".my")
            + (".sandbox" if "--" in host and ".sandbox" not in host else "")
            + ".my.salesforce.com"
        )
    return host


def _not_a_host(variable: str) -> SourceMisconfigured:
    return SourceMisconfigured(f"{variable}: expected the org's My Domain, such as https://acme.my.salesforce.com")
