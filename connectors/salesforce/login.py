"""Which of the four logins the variables make, and what is missing or too much where they make none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import SecretStr

from connectors.base import SourceMisconfigured
from connectors.salesforce import Variables
from connectors.salesforce.address import Address, address_of

Kind = Literal["client credentials", "JWT bearer", "session", "SOAP password"]
SOAP_ENDS = (
    "the login with SF_USERNAME and SF_PASSWORD is Salesforce's SOAP login(), which ends with the release Summer '27 "
    "and is off in new orgs: move to client credentials or JWT (docs/salesforce.md)"
)
_WHERE = "in the environment, or in .env in this folder"
_DOMAIN = "the org's My Domain, such as https://acme.my.salesforce.com"
# Complete sets, the preferred ones first; the security token may be missing where the network is trusted.
_SETS: Mapping[Kind, tuple[str, ...]] = {
    "session": ("SF_ACCESS_TOKEN",),
    "JWT bearer": ("SF_CLIENT_ID", "SF_PRIVATE_KEY", "SF_USERNAME"),
    "client credentials": ("SF_CLIENT_ID", "SF_CLIENT_SECRET"),
    "SOAP password": ("SF_USERNAME", "SF_PASSWORD"),
}
_MAY_BE = {"SF_SECURITY_TOKEN": "SOAP password"}  # nosec B105 - names
_NAMES: Mapping[Kind, str] = {
    "session": "a session from elsewhere",
    "JWT bearer": "the login by JWT",
    "client credentials": "the login by client credentials",
    "SOAP password": "the login with a password",
}


@dataclass(frozen=True, slots=True)
class Login:
    """How a session is opened, and where."""

    kind: Kind
    address: Address
    version: str
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    security_token: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    instance: Address | None = None
    """Where the org is, if SF_INSTANCE_URL says so beside a login; only where something stands in for Salesforce."""
    allowed: frozenset[str] = frozenset()
    prefix: str = ""
    """Before the names of variables, in messages: `EU_`."""
    named_in: str = "SF_LOGIN_URL"
    """The variable that named the address."""
    unused: tuple[str, ...] = ()
    """Variables that are set and that this login does not need."""

    def variable(self, name: str) -> str:
        """A variable's name as this login reads it."""
        return f"{self.prefix}{name}"

    @property
    def variables(self) -> str:
        """The variables that hold the credentials, for messages."""
        names = (*_SETS[self.kind], "SF_SECURITY_TOKEN") if self.kind == "SOAP password" else _SETS[self.kind]
        return ", ".join(self.variable(name) for name in names)


def login_of(variables: Variables, prefix: str = "") -> Login:
    """The login that the variables make; raises SourceMisconfigured, naming what is missing or contradicts."""
    given = _given(variables)
    kind = _kind(set(given), prefix)
    unused = _unused(kind, set(given), prefix)
    allowed = frozenset(one.strip().lower() for one in variables.memsync_allow_hosts.split(",") if one.strip())
    name, text = _named_address(variables, kind, prefix)
    address, url = _address(text, f"{prefix}{name}", kind, allowed), variables.sf_instance_url
    login = Login(
        kind,
        address,
        variables.sf_api_version,
        client_id=given.get("SF_CLIENT_ID", ""),
        client_secret=given.get("SF_CLIENT_SECRET", ""),
        private_key=_pem(given.get("SF_PRIVATE_KEY", ""), f"{prefix}SF_PRIVATE_KEY"),
        username=given.get("SF_USERNAME", ""),
        password=given.get("SF_PASSWORD", ""),
        security_token=given.get("SF_SECURITY_TOKEN", ""),
        access_token=given.get("SF_ACCESS_TOKEN", ""),
        instance=address_of(url, f"{prefix}SF_INSTANCE_URL", allowed) if url and address.foreign else None,
        allowed=allowed,
        prefix=prefix,
        named_in=name,
        unused=unused,
    )
    _check_characters(login)
    return login


def _given(variables: Variables) -> dict[str, str]:
    """The credentials that are set, as plain text."""
    names = ("client_id", "client_secret", "private_key", "username", "password", "security_token", "access_token")
    found = {}
    for name in names:
        value = getattr(variables, f"sf_{name}")
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if text and text.strip():
            found[f"SF_{name.upper()}"] = text.strip()
    return found


def _kind(given: set[str], prefix: str) -> Kind:
    complete = [kind for kind, names in _SETS.items() if given.issuperset(names)]
    if len(complete) == 1:
        return complete[0]
    if not complete:
        raise _incomplete(given, prefix)
    shown = " and ".join(f"{kind} ({_listed(_SETS[kind], prefix)})" for kind in complete)
    hint = ""
    if {"client credentials", "SOAP password"} <= set(complete):
        hint = "; the OAuth password flow, which takes all four, is not offered by External Client Apps"
    raise SourceMisconfigured(f"two logins are set: {shown}: remove the variables of one of them{hint}")


def _unused(kind: Kind, given: set[str], prefix: str) -> tuple[str, ...]:
    """What is set and not needed; raises SourceMisconfigured where it is a part of another login."""
    more = sorted(name for name in given - set(_SETS[kind]) if _MAY_BE.get(name) != kind)
    if wrong := [name for name in more if name != "SF_USERNAME"]:
        raise SourceMisconfigured(
            f"{_listed(wrong, prefix)}: set beside {_NAMES[kind]} ({_listed(_SETS[kind], prefix)}), where "
            f"{'it has' if len(wrong) == 1 else 'they have'} no use: remove {'it' if len(wrong) == 1 else 'them'}, or "
            "what belongs to the login that is not meant"
        )
    return tuple(f"{prefix}{name}" for name in more)


def _incomplete(given: set[str], prefix: str) -> SourceMisconfigured:
    if not given:
        client, jwt = (_listed(("SF_LOGIN_URL", *_SETS[kind]), prefix) for kind in ("client credentials", "JWT bearer"))
        return SourceMisconfigured(f"no login of Salesforce is set: set {client} (or, for JWT, {jwt}) {_WHERE}")
    nearest = _nearest(given)
    wanted = _SETS[nearest]
    missing, there = [name for name in wanted if name not in given], sorted(given)
    return SourceMisconfigured(
        f"{_listed(there, prefix)} {'is' if len(there) == 1 else 'are'} set, and {_listed(missing, prefix)} "
        f"{'is' if len(missing) == 1 else 'are'} not: {_NAMES[nearest]} needs "
        f"{_listed(('SF_LOGIN_URL', *wanted), prefix)}, {_WHERE}"
    )


def _nearest(given: set[str]) -> Kind:
    """The login that is meant, as far as it can be told."""
    if given & {"SF_PASSWORD", "SF_SECURITY_TOKEN"}:
        return "SOAP password"
    if "SF_PRIVATE_KEY" in given or {"SF_CLIENT_ID", "SF_USERNAME"} <= given:
        return "JWT bearer"
    return "SOAP password" if given == {"SF_USERNAME"} else "client credentials"


def _named_address(variables: Variables, kind: Kind, prefix: str) -> tuple[str, str]:
    """The variable that says where to log in, and what it says."""
    urls = {"SF_LOGIN_URL": variables.sf_login_url, "SF_INSTANCE_URL": variables.sf_instance_url}
    order = ("SF_INSTANCE_URL", "SF_LOGIN_URL") if kind == "session" else ("SF_LOGIN_URL", "SF_INSTANCE_URL")
    for name in order:
        if text := urls[name]:
            return name, text
    or_shared = "" if _needs_own_domain(kind) else ", or `login` (`test` for sandboxes)"
    raise SourceMisconfigured(f"{prefix}{order[0]} is not set; expected {_DOMAIN}{or_shared}; set it {_WHERE}")


def _needs_own_domain(kind: Kind) -> bool:
    return kind in ("session", "client credentials")


def _address(text: str, variable: str, kind: Kind, allowed: frozenset[str]) -> Address:
    address = address_of(text, variable, allowed)
    if address.is_shared and _needs_own_domain(kind):
        raise SourceMisconfigured(
            f"{variable}: {_NAMES[kind]} does not work at {address.host}; expected {_DOMAIN} "
            "(Setup > My Domain shows it)"
        )
    return address


def _pem(text: str, variable: str) -> str:
    """A key as libraries take it: line breaks written as \\n are line breaks."""
    if not text:
        return ""
    found = text.replace("\\r", "").replace("\\n", "\n").strip().strip('"').strip()
    if not found.startswith("-----BEGIN ") or "PRIVATE KEY-----" not in found:
        raise SourceMisconfigured(
            f"{variable}: expected a private key in PEM, which begins with -----BEGIN PRIVATE KEY-----; for the path "
            f"of a file use {variable}_FILE"
        )
    return found


def _check_characters(login: Login) -> None:
    for name in ("client_id", "client_secret", "access_token"):
        value = getattr(login, name)
        if value and not (value.isascii() and value.isprintable() and " " not in value):
            variable = login.variable(f"SF_{name.upper()}")
            raise SourceMisconfigured(f"{variable}: found blanks or other characters that none has; copy it once more")


def _listed(names: tuple[str, ...] | list[str], prefix: str) -> str:
    return ", ".join(f"{prefix}{name}" for name in names)
