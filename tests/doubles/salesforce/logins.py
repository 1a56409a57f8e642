"""Sessions and the ways to get one: OAuth client credentials, JWT bearer, password; SOAP login."""

import base64
import binascii
import dataclasses
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .answers import Answer, document
from .server import Request

ORG_ID = "00Dxx0000001gPFEAY"
USER_ID = "005xx000001SwiUAAS"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LAST_SOAP_LOGIN = 64
_SHARED_HOSTS = ("login.salesforce.com", "test.salesforce.com")
_PEM = serialization.Encoding.PEM
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_PARTNER = "urn:partner.soap.sforce.com"


@dataclass
class Account:
    """The integration user, its External Client App and what is allowed: the same whenever the org is started."""

    client_id: str = "3MVG9.stand-in.consumer.key"
    client_secret: str = "STAND-IN-CONSUMER-SECRET"
    username: str = "integration@acme.example"
    password: str = "s3cret&<word>"
    security_token: str = "T0ken4711"
    soap_login: bool = True
    password_flow: bool = False
    public_key: str | None = None
    """PEM of the certificate's key with which JWT assertions are checked; None: a pair is made when first needed."""
    _private_key: str | None = None

    @property
    def private_key(self) -> str:
        """PEM of the private key that belongs to the public key made here."""
        self.check_key()
        if self._private_key is None:
            raise ValueError("the org was given a public key: only its owner has the private one")
        return self._private_key

    def check_key(self) -> str:
        """PEM of the public key; made now where there is none."""
        if self.public_key is None:
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            pkcs8 = serialization.PrivateFormat.PKCS8
            self.trust(key.private_bytes(_PEM, pkcs8, serialization.NoEncryption()).decode())
        assert self.public_key is not None
        return self.public_key

    def trust(self, private_key: str) -> None:
        """Take assertions signed with this private key (PEM)."""
        key = serialization.load_pem_private_key(private_key.encode(), None)
        info = serialization.PublicFormat.SubjectPublicKeyInfo
        self._private_key = private_key
        self.public_key = key.public_key().public_bytes(_PEM, info).decode()


@dataclass
class Sessions:
    """The tokens that are good now."""

    life: timedelta
    live: dict[str, datetime] = dataclasses.field(default_factory=dict)
    calls_left: int | None = None
    """After so many more calls every session is at its end; None: sessions end by time only."""
    org_id: str = ORG_ID

    def open(self, now: datetime) -> str:
        token = f"{self.org_id[:15]}!AQ{secrets.token_hex(20)}"
        self.live[token] = now + self.life
        return token

    def good(self, token: str, now: datetime) -> bool:
        """Whether a call may go on; counts it."""
        if self.calls_left is not None:
            if self.calls_left <= 0:
                self.live.clear()
                self.calls_left = None
            else:
                self.calls_left -= 1
        return now < self.live.get(token, now)


class Denied(Exception):
    """An OAuth login is turned down."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.answer = document({"error": error, "error_description": description}, status)


def token_answer(account: Account, sessions: Sessions, request: Request, url: str, now: datetime) -> Answer:
    """Answer `POST /services/oauth2/token`."""
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    client_id, client_secret = _client(request, form)
    grant = form.get("grant_type")
    try:
        if grant == "client_credentials":
            _check_client(account, client_id, client_secret, request)
        elif grant == JWT_GRANT:
            _check_assertion(account, form.get("assertion", ""), {url, f"https://{request.headers.get('host')}"})
        elif grant == "password":
            _check_password(account, client_id, client_secret, form)
        else:
            raise Denied("unsupported_grant_type", "grant type not supported")
    except Denied as denied:
        return denied.answer
    return document(_granted(sessions, url, now))


def _granted(sessions: Sessions, url: str, now: datetime) -> dict[str, Any]:
    return {
        "access_token": sessions.open(now),
        "signature": base64.b64encode(secrets.token_bytes(32)).decode(),
        "scope": "api",
        "instance_url": url,
        "id": f"https://login.salesforce.com/id/{sessions.org_id}/{USER_ID}",
        "token_type": "Bearer",
        "issued_at": str(int(now.timestamp() * 1000)),
    }


def _client(request: Request, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, packed = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        name, _, secret = base64.b64decode(packed).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret


def _check_client(account: Account, client_id: str, client_secret: str, request: Request) -> None:
    if request.headers.get("host") in _SHARED_HOSTS:
        raise Denied("invalid_grant", "request not supported on this domain")
    if client_id != account.client_id:
        raise Denied("invalid_client_id", "client identifier invalid")
    if client_secret != account.client_secret:
        raise Denied("invalid_client", "invalid client credentials", 401)


def _check_password(account: Account, client_id: str, client_secret: str, form: dict[str, str]) -> None:
    if not account.password_flow:
        raise Denied("invalid_grant", "authentication failure")
    if (client_id, client_secret) != (account.client_id, account.client_secret):
        raise Denied("invalid_client_id", "client identifier invalid")
    wanted = (account.username, account.password + account.security_token)
    if (form.get("username"), form.get("password")) != wanted:
        raise Denied("invalid_grant", "authentication failure")


def _check_assertion(account: Account, assertion: str, hosts: set[str]) -> None:
    audiences = [*hosts, *(f"https://{host}" for host in _SHARED_HOSTS)]
    try:
        claims = jwt.decode(
            assertion, account.check_key(), ["RS256"], options={"verify_aud": False, "verify_exp": False}
        )
    except jwt.InvalidTokenError:
        raise Denied("invalid_grant", "invalid assertion") from None
    if claims.get("iss") != account.client_id:
        raise Denied("invalid_client_id", "client identifier invalid")
    if claims.get("aud") not in audiences:
        raise Denied("invalid_grant", "audience is invalid")
    if claims.get("sub") != account.username:
        raise Denied("invalid_grant", "user hasn't approved this consumer")
    # Assertions are dated by the caller's own clock, not by the org's.
    if not str(claims.get("exp", "")).isdigit() or int(claims["exp"]) < time.time():
        raise Denied("invalid_grant", "expired authorization code")


def soap_answer(account: Account, sessions: Sessions, request: Request, url: str, now: datetime) -> Answer:
    """Answer `POST /services/Soap/u/59.0`."""
    version = request.path.rstrip("/").rsplit("/", 1)[-1]
    if float(version) > _LAST_SOAP_LOGIN:
        return _fault("UNKNOWN_EXCEPTION", f"No operation available for request {{{_PARTNER}}}login")
    if not account.soap_login:
        return _fault("INVALID_OPERATION", "SOAP API login() is disabled by default in this org.")
    try:
        body = ElementTree.fromstring(request.body)
    except ElementTree.ParseError:
        return _fault("UNKNOWN_EXCEPTION", "the request is not well-formed XML")
    given = [body.findtext(f".//{{{_PARTNER}}}{name}") for name in ("username", "password")]
    if given != [account.username, account.password + account.security_token]:
        message = "Invalid username, password, security token; or user locked out."
        return _fault("INVALID_LOGIN", message)
    server = f"{url}/services/Soap/u/{version}/{sessions.org_id[:15]}"
    result = (
        "<metadataServerUrl/><passwordExpired>false</passwordExpired><sandbox>false</sandbox>"
        f"<serverUrl>{server}</serverUrl><sessionId>{sessions.open(now)}</sessionId><userId>{USER_ID}</userId>"
    )
    return _envelope(200, f"<loginResponse><result>{result}</result></loginResponse>")


def _fault(code: str, message: str) -> Answer:
    detail = (
        f"<faultcode>sf:{code}</faultcode><faultstring>{code}: {escape(message)}</faultstring><detail>"
        f'<sf:LoginFault xmlns:sf="urn:fault.partner.soap.sforce.com"><sf:exceptionCode>{code}</sf:exceptionCode>'
        f"<sf:exceptionMessage>{escape(message)}</sf:exceptionMessage></sf:LoginFault></detail>"
    )
    return _envelope(500, f"<soapenv:Fault>{detail}</soapenv:Fault>")


def _envelope(status: int, body: str) -> Answer:
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{_SOAP}" xmlns="{_PARTNER}" '
        f'xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>'
    )
    return Answer(status, text.encode(), {"Content-Type": "text/xml; charset=utf-8"})
