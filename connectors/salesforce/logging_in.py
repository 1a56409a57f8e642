"""A new session: one of the four logins, made with simple-salesforce, and where calls go after it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import jwt
import requests
from simple_salesforce.exceptions import SalesforceAuthenticationFailed
from simple_salesforce.login import SalesforceLogin

from connectors.base import SourceMisconfigured
from connectors.hosts import is_loopback
from connectors.salesforce.faults import LAST_SOAP_LOGIN, login_refused, refusal_of
from connectors.salesforce.login import Login
from connectors.salesforce.no_answer import NoAnswer, translated


def log_in(login: Login, session: requests.Session, masked: Callable[[str], str]) -> tuple[str, str]:
    """The token of a new session and the host of its org; `masked` takes secrets out of what the server said.

    Raises SourceRefused, SourceMisconfigured, Refusal, NoAnswer.
    """
    if login.kind == "session":
        return login.access_token, login.address.host
    try:
        with warnings.catch_warnings(), translated():
            warnings.simplefilter("ignore")  # the reason is told by the error that follows
            return SalesforceLogin(**_credentials(login), session=session)
    except SalesforceAuthenticationFailed as error:
        code, said = masked(str(error.code or "")), masked(str(error.auth_message or ""))
        if code == "200":
            raise NoAnswer("the answer to the login is not JSON") from None
        if code.isdecimal():  # an answer that was not JSON: a proxy, or a page of apology
            raise refusal_of(int(code), None) from None
        raise login_refused(code, said, login.kind, login.variables) from None
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        if login.kind != "JWT bearer":
            raise NoAnswer(f"the answer to the login cannot be understood ({type(error).__name__})") from None
        variable = login.variable("SF_PRIVATE_KEY")
        raise SourceMisconfigured(f"{variable}: not a usable RSA private key in PEM, without passphrase") from None


def data_origin(login: Login, host: str) -> str:
    """Where calls after a login go that stands in for Salesforce: another port of this machine may serve them."""
    if login.instance is not None:
        return login.instance.origin
    origin = urlsplit(login.address.origin)
    named = urlsplit(f"//{host}").hostname or ""
    if is_loopback(named) and is_loopback(origin.hostname or ""):
        return f"{origin.scheme}://{host}"
    return login.address.origin


def _credentials(login: Login) -> dict[str, Any]:
    address = login.address
    if login.kind == "SOAP password":
        version = str(min(float(login.version), LAST_SOAP_LOGIN))
        secrets = {"password": login.password, "security_token": login.security_token, "sf_version": version}
        return {"domain": "login" if address.foreign else address.domain, "username": login.username, **secrets}
    if login.kind == "JWT bearer":
        key = {"consumer_key": login.client_id, "privatekey": login.private_key}
        return {"domain": "login" if address.foreign else address.domain, "username": login.username, **key}
    # The library refuses this login for the shared login hosts, so a host that stands in for an org gets a name.
    domain = "stand-in.my" if address.foreign else address.domain
    return {"domain": domain, "consumer_key": login.client_id, "consumer_secret": login.client_secret}
