"""Postgres as a source: the keys of its maps, its variables, and how it is opened."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors import source, variables
from connectors.base import Connector


class Source(source.Source):
    """The keys under `source:` of a map that reads Postgres."""

    query: str | None = Field(
        None,
        min_length=1,
        description="A SELECT to read instead of `object`; then primaryKey and cursorField are required.",
    )
    where: str | None = Field(None, min_length=1, description="An SQL condition; only rows that meet it are read.")
    timezone: str = Field(
        "UTC",
        pattern=r"^[A-Za-z][A-Za-z0-9_+/-]*$",
        description="The zone in which columns of type `timestamp` (without time zone) are written.",
    )

    @classmethod
    def filled(cls, field: str) -> Any:
        return '"{}" IS NOT NULL'.format(field.replace('"', '""'))

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, LookupError):
            raise ValueError("unknown time zone; expected a name such as Europe/Berlin") from None
        return value

    @model_validator(mode="before")
    @classmethod
    def _without_nul(cls, value: Any) -> Any:
        texts = value.values() if isinstance(value, dict) else ()
        if any(isinstance(text, str) and "\0" in text for text in texts):
            raise ValueError("a NUL character cannot be part of a name or of SQL")
        return value

    @model_validator(mode="after")
    def _one_thing_to_read(self) -> Self:
        if (self.object is None) == (self.query is None):
            raise ValueError("expected exactly one of `object` (schema.table) and `query` (a SELECT)")
        if self.query is not None and not self.primary_key:
            raise ValueError("`query` needs `primaryKey`: the column, or list of columns, that identifies a row")
        if self.query is not None and "cursor_field" not in self.model_fields_set:
            raise ValueError("`query` needs `cursorField`: the column that moves when a row changes, or null")
        return self


class Variables(variables.Variables):
    """The variables of the Postgres connector."""

    ways: ClassVar[Mapping[str, tuple[str, ...]]] = {"a database": ("DATABASE_URL",)}

    database_url: SecretStr | None = Field(None, description="postgresql://user:password@host:5432/database")


def connect(
    source: Source,
    variables: Variables,
    fields: Sequence[str] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Connector:
    """Open the source for one stream; nothing is contacted before the first call.

    `fields` are the map's source fields or paths; None reads every column that can be read. `pause` waits so many
    seconds before something is tried again, and may raise to end the reading.
    Raises SourceMisconfigured when DATABASE_URL is missing or cannot be understood.
    """
    from connectors.postgres.connector import PostgresConnector
    from connectors.postgres.target import target_of

    prefix = f"{source.connection}_" if source.connection else ""
    return PostgresConnector(source, target_of(variables.database_url, f"{prefix}DATABASE_URL"), fields, sleep=pause)
