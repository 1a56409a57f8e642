"""Salesforce as a source: the keys of its maps, its variables, and how it is opened."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, WithJsonSchema, field_validator, model_validator

from connectors import source, variables
from connectors.base import Connector

API_VERSION = "62.0"
_OLDEST = 47.0
"""The first version whose Bulk API 2.0 answers queries."""
_ACTIVITIES = {
    "Task": source.Activity(
        "Who.Email",
        "Task",
        "ActivityDate",
        "Subject",
        {"where": "TaskSubtype != 'Email'"},
        "e-mails are EmailMessage: read as tasks too, they would be paid for twice",
    ),
    "Event": source.Activity("Who.Email", "Event", "ActivityDateTime", "Subject"),
    "EmailMessage": source.Activity(
        "Who.Email", "E-mail", "MessageDate", "Subject", {"where": "Status != '5'"}, "5: a draft"
    ),
    "Case": source.Activity("Who.Email", "Case {CaseNumber}", "CreatedDate", "Subject"),
    "CaseComment": source.Activity("Who.Email", "Comment", "CreatedDate"),
    "Note": source.Activity("Who.Email", "Note", "CreatedDate", "Title"),
}
_SPANS = {"daily": timedelta(days=1), "weekly": timedelta(days=7), "monthly": timedelta(days=30)}


def _parse_refresh(value: Any) -> timedelta | Literal["never"]:
    if isinstance(value, str) and value in _SPANS:
        return _SPANS[value]
    return source.parse_cadence(value, "expected never, daily, weekly, monthly, or a duration such as 12h or 14d")


Refresh = Annotated[
    timedelta | Literal["never"],
    BeforeValidator(_parse_refresh),
    WithJsonSchema(
        {"type": "string", "pattern": r"^(never|daily|weekly|monthly|\d{1,9}(s|m|h|d))$", "examples": ["weekly"]}
    ),
]


class Source(source.Source):
    """The keys under `source:` of a map that reads Salesforce."""

    says_when: ClassVar[frozenset[str]] = source.Source.says_when | {"api", "bulk_threshold", "refresh", "quota_share"}

    look: ClassVar[Mapping[str, Any]] = {"api": "rest"}
    parents: ClassVar[Mapping[str, str]] = {"AccountId": "Account.Name", "OwnerId": "Owner.Email"}
    with_parents: ClassVar[Mapping[str, Any]] = {"refresh": "weekly"}

    where: str | None = Field(
        None, min_length=1, description="A SOQL condition; only records that meet it are read: Type = 'Customer'."
    )
    api: Literal["auto", "rest", "bulk"] = Field(
        "auto", description="How records are read; auto: REST up to bulkThreshold records at once, else Bulk API 2.0."
    )
    bulk_threshold: int = Field(
        10_000,
        ge=200,
        le=1_000_000,
        alias="bulkThreshold",
        description="With api: auto, more records than this are read by Bulk.",
    )
    refresh: Refresh = Field(
        "never",
        description="How often everything is read again, for formula and parent fields and for erased records: weekly.",
    )
    quota_share: float = Field(
        0.9,
        gt=0,
        le=1,
        alias="quotaShare",
        description="The share of the org's daily API calls, others' included, at which reading stops until later.",
    )

    @classmethod
    def activity(cls, object: str) -> source.Activity | None:
        return _ACTIVITIES.get(object)

    @classmethod
    def filled(cls, field: str) -> Any:
        return f"{field} != null"

    @field_validator("where")
    @classmethod
    def _is_one_condition(cls, value: str | None) -> str | None:
        if value is not None and not is_closed(value):
            raise ValueError("expected one SOQL condition, its brackets and quotes closed")
        return value

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.object is None:
            raise ValueError("expected `object`: an sObject such as Contact, Task, or Invoice__c")
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", self.object):
            raise ValueError("`object` is an API name such as Contact or Invoice__c")
        if self.primary_key not in (None, ("Id",)):
            raise ValueError("`primaryKey` of Salesforce is always Id: leave it out")
        return self


def is_closed(condition: str) -> bool:
    """Whether every bracket and quote of a condition is closed within it, so that it stays one condition."""
    depth, rest = 0, re.sub(r"'(?:\\.|[^'\\])*'", "", condition, flags=re.DOTALL)
    for sign in rest:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0:
            return False
    return depth == 0 and "'" not in rest and "\0" not in condition


class Variables(variables.Variables):
    """The variables of the Salesforce connector."""

    ways: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "client credentials of an External Client App": ("SF_LOGIN_URL", "SF_CLIENT_ID", "SF_CLIENT_SECRET"),
        "JWT with a private key in a file": ("SF_LOGIN_URL", "SF_CLIENT_ID", "SF_USERNAME", "SF_PRIVATE_KEY_FILE"),
        "a session that was opened elsewhere": ("SF_INSTANCE_URL", "SF_ACCESS_TOKEN"),
    }

    sf_login_url: str | None = Field(None, description="Where logins go: the org's My Domain.")
    sf_instance_url: str | None = Field(None, description="Where the org is, beside SF_ACCESS_TOKEN.")
    sf_client_id: str | None = Field(None, description="The consumer key of the External Client App.")
    sf_client_secret: SecretStr | None = Field(None, description="Its consumer secret: client credentials.")
    sf_private_key: SecretStr | None = Field(None, description="A private key in PEM: JWT bearer logins.")
    sf_username: str | None = Field(None, repr=False, description="The user of a JWT or password login.")
    sf_password: SecretStr | None = Field(None, description="The password of the legacy SOAP login.")
    sf_security_token: SecretStr | None = Field(None, description="The security token that belongs to the password.")
    sf_access_token: SecretStr | None = Field(None, description="A session that was opened elsewhere.")
    sf_api_version: str = Field(API_VERSION, description="The version of Salesforce's API.")
    memsync_allow_hosts: str = Field(
        "", validation_alias="MEMSYNC_ALLOW_HOSTS", description="Hosts besides Salesforce's own, separated by commas."
    )

    @field_validator("sf_api_version")
    @classmethod
    def _is_version(cls, value: str) -> str:
        match = re.fullmatch(r"v?(\d{2,3})(\.0)?", value)
        if match is None or float(match[1]) < _OLDEST:
            raise ValueError(f"expected a version such as {API_VERSION}, {_OLDEST} at least")
        return f"{match[1]}.0"


def connect(
    source: Source,
    variables: Variables,
    fields: Sequence[str] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Connector:
    """Open the source for one stream; nothing is contacted before the first call.

    `fields` are the map's source fields or paths, the identity's first; None reads every field that can be read.
    `pause` waits so many seconds before something is tried again, and may raise to end the reading.
    Raises SourceMisconfigured when the variables make no login, or name a host that is not Salesforce's.
    """
    from connectors.salesforce.connector import SalesforceConnector
    from connectors.salesforce.login import login_of

    prefix = f"{source.connection}_" if source.connection else ""
    return SalesforceConnector(source, login_of(variables, prefix), fields, pause=pause)
