"""HubSpot as a source: the keys of its maps, its variables, and how it is opened."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from connectors import source, variables
from connectors.base import Connector

Operator = Literal[
    "EQ", "NEQ", "LT", "LTE", "GT", "GTE", "BETWEEN", "IN", "NOT_IN",
    "HAS_PROPERTY", "NOT_HAS_PROPERTY", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN",
]  # fmt: skip
MOST_FILTERS = 4
"""Of the six filters that a group may have, two are needed for windows of time and of ids."""


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _as_texts(value: Any) -> Any:
    return tuple(_as_text(one) for one in value) if isinstance(value, list) else value


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


_Text = Annotated[str, BeforeValidator(_as_text)]
_Where = Field(min_length=1, max_length=MOST_FILTERS)
_Names = {"value": "value", "high_value": "highValue", "values": "values"}


class Filter(BaseModel):
    """One condition of `where`, in HubSpot's own words."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    property_name: str = Field(alias="propertyName", min_length=1, description="The property that is compared.")
    operator: Operator = Field(description="HubSpot's search operator, such as EQ, IN or HAS_PROPERTY.")
    value: _Text | None = Field(None, description="What the property is compared with; dates as ISO 8601.")
    high_value: _Text | None = Field(None, alias="highValue", description="The upper end of BETWEEN, included.")
    values: Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(_as_texts)] | None = Field(
        None, description="The values of IN and NOT_IN."
    )

    @model_validator(mode="after")
    def _fits_operator(self) -> Self:
        expected = {
            "BETWEEN": {"value", "high_value"},
            "IN": {"values"},
            "NOT_IN": {"values"},
            "HAS_PROPERTY": set(),
            "NOT_HAS_PROPERTY": set(),
        }.get(self.operator, {"value"})
        found = {name for name in _Names if getattr(self, name) is not None}
        if found != expected:
            wanted = " and ".join(_Names[name] for name in sorted(expected, reverse=True)) or "no value"
            raise ValueError(f"the operator {self.operator} expects {wanted}")
        return self


def _parse_cadence(value: Any) -> timedelta | Literal["never"]:
    return source.parse_cadence(value, "expected never, or a duration such as 12h or 7d")


Cadence = Annotated[
    timedelta | Literal["never"],
    BeforeValidator(_parse_cadence),
    WithJsonSchema({"type": "string", "pattern": r"^(never|\d{1,9}(s|m|h|d))$", "examples": ["1d", "never"]}),
]


class Source(source.Source):
    """The keys under `source:` of a map that reads HubSpot."""

    says_when: ClassVar[frozenset[str]] = source.Source.says_when | {"relink", "archived", "sweep"}

    where: Annotated[tuple[Filter, ...], _Where, BeforeValidator(_as_tuple)] | None = Field(
        None,
        description="Only records that meet all of these conditions are read: a list of HubSpot search filters.",
    )
    associate: Literal["contacts", "companies"] | None = Field(
        None, description="One row per record and associated contact or company, as contact.email or company.domain."
    )
    relink: Cadence = Field(
        timedelta(days=14), description="With associate: records this young are looked at again for new associations."
    )
    archived: Cadence | None = Field(
        None, description="How often to look for archived records; left out: every run where that is cheap, else daily."
    )
    sweep: Cadence | None = Field(
        None, description="How often to look for erased records; left out: every run where that is cheap, else weekly."
    )

    @classmethod
    def activity(cls, object: str) -> source.Activity | None:
        from connectors.hubspot.objects import ACTIVITIES, object_type

        of = object_type(object)
        if of.name not in ACTIVITIES:
            return None
        return source.Activity(
            "contact.email",
            of.label.removesuffix("s"),
            "hs_timestamp",
            min(of.titles, default=None),
            {"associate": "contacts"},
            f"one row per {of.label.removesuffix('s').lower()} and contact; gives contact.email",
        )

    @classmethod
    def filled(cls, field: str) -> Any:
        return [{"propertyName": field, "operator": "HAS_PROPERTY"}]

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.object is None:
            raise ValueError("expected `object`: contacts, companies, deals, tickets, notes, or a custom object")
        if self.primary_key not in (None, ("hs_object_id",)):
            raise ValueError("`primaryKey` of HubSpot is always hs_object_id: leave it out")
        if self.associate == self.object:
            raise ValueError("`associate` names another object than `object`")
        return self


def _a_version(value: str) -> str:
    if not re.fullmatch(r"v3|\d{4}-\d{2}", value, re.ASCII):
        raise PydanticCustomError("version", "expected v3 or a date version such as 2026-09")
    return value


class Variables(variables.Variables):
    """The variables of the HubSpot connector."""

    ways: ClassVar[Mapping[str, tuple[str, ...]]] = {"a service key": ("HUBSPOT_ACCESS_TOKEN",)}

    hubspot_access_token: SecretStr | None = Field(None, description="A service key or private app token.")
    hubspot_base_url: str = Field("https://api.hubapi.com", description="Where HubSpot's API is.")
    hubspot_api_version: Annotated[str, AfterValidator(_a_version)] = Field(
        "v3", description="Paths of the API: v3, or a date such as 2026-09."
    )


def connect(
    source: Source,
    variables: Variables,
    fields: Sequence[str] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Connector:
    """Open the source for one stream; nothing is contacted before the first call.

    `fields` are the map's source fields or paths, the identity's first; None reads every property. `pause` waits so
    many seconds before something is tried again, and may raise to end the reading.
    Raises SourceMisconfigured when HUBSPOT_ACCESS_TOKEN or HUBSPOT_BASE_URL cannot be used.
    """
    from connectors.hubspot.account import account_of
    from connectors.hubspot.connector import HubSpotConnector

    prefix = f"{source.connection}_" if source.connection else ""
    return HubSpotConnector(source, account_of(variables, prefix), fields, pause=pause)
