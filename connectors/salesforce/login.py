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
# Complete sets, the preferred ones first; the security token may be missing where the network is trusted.
_SETS: Mapping[Kind, tuple[str, ...]] = {
    "session": ("SF_ACCESS_TOKEN",),
    "JWT bearer": ("SF_CLIENT_ID", "SF_PRIVATE_KEY", "SF_USERNAME"),
    "client credentials": ("SF_CLIENT_ID", "SF_CLIENT_SECRET"),
    "SOAP password": ("SF_USERNAME", "SF_PASSWORD"),
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

    def variable(self, name: str) -> str:
        """A variable's name as this login reads it."""
        return f"{self.prefix}{name}"

    @property
    def variables(self) -> str:
        """The variables that hold the credentials, for messages."""
        return ", ".join(self.variable(name) for name in _SETS[self.kind])


def login_of(variables: Variables, prefix: str = "") -> Login:
    """The login that the variables make; raises SourceMisconfigured, naming what is missing or contradicts."""
    given = _given(variables)
    kind = _kind(set(given), prefix)
    allowed = frozenset(one.strip().lower() for one in variables.memsync_allow_hosts.split(",") if one.strip())
    address, url = _address(variables, kind, prefix, allowed), variables.sf_instance_url
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


def _incomplete(given: set[str], prefix: str) -> SourceMisconfigured:
    ways = (
        f"for client credentials set {_listed(('SF_LOGIN_URL', 'SF_CLIENT_ID', 'SF_CLIENT_SECRET'), prefix)}; "
        f"for JWT set {_listed(('SF_LOGIN_URL', 'SF_CLIENT_ID', 'SF_PRIVATE_KEY', 'SF_USERNAME'), prefix)}"
    )
    if not given:
        return SourceMisconfigured(f"no login of Salesforce is set: {ways}")
    kinds = ("client credentials", "JWT bearer", "SOAP password")
    nearest: Kind = max(kinds, key=lambda kind: (len(given & set(_SETS[kind])), -len(_SETS[kind])))  # type: ignore[arg-type]
    missing = [name for name in _SETS[nearest] if name not in given]
    return SourceMisconfigured(f"the login of Salesforce ({nearest}) lacks {_listed(missing, prefix)}: {ways}")


def _address(variables: Variables, kind: Kind, prefix: str, allowed: frozenset[str]) -> Address:
    urls = {"SF_LOGIN_URL": variables.sf_login_url, "SF_INSTANCE_URL": variables.sf_instance_url}
    order = ("SF_INSTANCE_URL", "SF_LOGIN_URL") if kind == "session" else ("SF_LOGIN_URL", "SF_INSTANCE_URL")
    name = next((one for one in order if urls[one]), None)
    if name is None and kind in ("session", "client credentials"):
        raise SourceMisconfigured(
            f"{prefix}{order[0]} is not set; {kind} needs the org's My Domain, such as https://acme.my.salesforce.com"
        )
    address = address_of((urls[name] if name else None) or "login", f"{prefix}{name or order[0]}", allowed)
    if address.is_shared and kind in ("session", "client credentials"):
        raise SourceMisconfigured(
            f"{prefix}{name}: {kind} does not work at {address.host}; expected the org's My Domain, such as "
            "https://acme.my.salesforce.com (Setup > My Domain shows it)"
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
