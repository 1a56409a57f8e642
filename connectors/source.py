"""The keys of a map's `source:` that every connector shares, and the variables a connector reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator

_DURATION = re.compile(r"(\d{1,9})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: Any) -> timedelta:
    """Turn `90s`, `10m`, `2h` or `1d` into a span; ValueError says what is allowed."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("expected a duration such as 90s, 10m, 2h or 1d")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def parse_cadence(value: Any, expected: str) -> timedelta | Literal["never"]:
    """How often something is done: `never`, or a span such as `12h`; ValueError says `expected`."""
    if value == "never":
        return "never"
    try:
        return parse_duration(value)
    except ValueError:
        raise ValueError(expected) from None


def parse_instant(value: Any) -> datetime:
    """Turn ISO 8601 with a time zone into a point in time; ValueError says what is allowed."""
    expected = "expected a date and time with its zone, such as 2024-01-01T00:00:00Z"
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise ValueError(expected) from None
    if moment.tzinfo is None:
        raise ValueError(expected)
    return moment


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,9}(s|m|h|d)$", "examples": ["10m", "60s", "1d"]}),
]
Instant = Annotated[datetime, BeforeValidator(parse_instant)]


@dataclass(frozen=True, slots=True)
class Activity:
    """How a map reads the people that a record is about, such as those who were called."""

    person: str
    """The path of the person's e-mail address."""
    noun: str
    """What one record is called: `Call`."""
    moment: str
    """The field that says when it was."""
    title: str | None = None
    keys: Mapping[str, Any] = field(default_factory=dict)
    """Further keys that the map's `source` needs."""
    why: str = ""
    """The reason for those keys, in a few words."""


class Source(BaseModel):
    """The keys under `source:` that every connector understands; each connector's own model adds to them."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)
    says_when: ClassVar[frozenset[str]] = frozenset({"start", "lookback", "settle"})
    """Keys that say when something is read, not what: changing them reads nothing again."""
    look: ClassVar[Mapping[str, Any]] = {}
    """Keys with which a look at some records is taken, so that it stays cheap."""
    parents: ClassVar[Mapping[str, str]] = {}
    """Reference fields, and the path that says whom or what they lead to."""
    with_parents: ClassVar[Mapping[str, Any]] = {}
    """Keys of a map with such paths."""

    connector: str = Field(description="salesforce, hubspot or postgres.")
    connection: str | None = Field(
        None,
        pattern=r"^[A-Z][A-Z0-9_]*$",
        description="Read EU_DATABASE_URL ... instead of DATABASE_URL ..., for `connection: EU`.",
    )
    object: str | None = Field(None, min_length=1, description="HubSpot object, Salesforce sObject, or schema.table.")
    cursor_field: str | None = Field(
        None,
        alias="cursorField",
        min_length=1,
        description="The field that moves when a record changes; null: every run reads all.",
    )
    primary_key: tuple[str, ...] | None = Field(
        None,
        alias="primaryKey",
        description="The field that identifies a record; a list where the key is composite.",
    )
    start: Instant | None = Field(None, description="Nothing older than this is read on the first run.")
    lookback: Duration | None = Field(None, description="Re-read this much before the cursor on every run.")
    settle: Duration | None = Field(None, description="Leave what is newer than this for the next run.")

    @field_validator("primary_key", mode="before")
    @classmethod
    def _as_names(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value

    @property
    def reads_all(self) -> bool:
        """Whether the map says `cursorField: null`: no cursor, every run reads everything."""
        return "cursor_field" in self.model_fields_set and self.cursor_field is None

    @classmethod
    def activity(cls, object: str) -> Activity | None:
        """How records of this object are read by the people that they are about; None where they are not."""
        return None

    @classmethod
    def filled(cls, field: str) -> Any:
        """What `where` says to leave out records in which a field is empty; None where nothing can say so."""
        return None
