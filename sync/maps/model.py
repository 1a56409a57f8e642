"""The property map: one source object into one entity type.

The file format is these models: checks, defaults, messages and the JSON Schema all come from them.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    SerializeAsAny,
    ValidationInfo,
    field_validator,
)

from connectors.source import Source
from sync.maps.delivery import Destination, Limits, Part, Schedule
from sync.maps.paths import parse_path
from sync.maps.row import IdentityKind
from sync.maps.sources import connector_names, source_model
from sync.maps.steps import ValidStep, refused
from sync.maps.template import parse_template

MAX_NAME = 200

_STREAM = re.compile(r"[a-z0-9][a-z0-9._-]*")


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _null_as_word(value: Any) -> Any:
    return None if value == "null" else value


def _as_source(value: Any) -> Any:
    name = value.get("connector") if isinstance(value, dict) else None
    return source_model(name).model_validate(value) if name in connector_names() else value


class Property(Part):
    """One property of the record in memory, and where its value comes from."""

    source_field: str | None = Field(
        None,
        alias="sourceField",
        min_length=1,
        description="The field of the source, or a path such as Account.Name or tags[0].",
        examples=["jobtitle", "Account.Name", "tags[0]"],
    )
    value: str | None = Field(
        None,
        min_length=1,
        validate_default=True,
        description="Instead of sourceField: a text composed of fields in braces.",
        examples=["{first_name} {last_name}"],
    )
    collection_name: str | None = Field(
        None,
        alias="collectionName",
        min_length=1,
        description="The collection that holds the property, by name.",
        examples=["Contacts"],
    )
    collection_id: str | None = Field(
        None,
        alias="collectionId",
        min_length=1,
        validate_default=True,
        description="The collection by its id, where names are ambiguous.",
    )
    extract_memories: bool = Field(
        default=False,
        alias="extractMemories",
        description="true for free text that memories are drawn from (may cost more); false for facts.",
    )
    transform: Annotated[tuple[ValidStep, ...], BeforeValidator(_as_tuple)] = Field(
        (),
        description="Changes to the value, one after another.",
        examples=[["strip"], ["html_to_text", {"truncate": 5000}]],
    )
    on_error: Annotated[Literal["reject"] | None, BeforeValidator(_null_as_word)] = Field(
        "reject",
        alias="onError",
        description="What a failing transform does: reject the row (default), or null: send the property empty.",
    )

    @field_validator("source_field")
    @classmethod
    def _is_path(cls, value: str | None) -> str | None:
        if value is not None:
            parse_path(value)
        return value

    @field_validator("value")
    @classmethod
    def _is_template(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            parse_template(value)
            if info.data.get("source_field") is not None:
                raise refused("found both sourceField and value, expected one of them")
        elif info.data.get("source_field", "") is None:
            raise refused("found neither sourceField nor value, expected one of them", at="")
        return value

    @field_validator("collection_id")
    @classmethod
    def _has_collection(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("collection_name", "") is None:
            raise refused("found no collection, expected collectionName or collectionId", at="")
        return value


def _is_name(name: str) -> str:
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise refused(f"found an unusable property name, expected 1 to {MAX_NAME} printable characters")
    return name


_PathText = Annotated[str, Field(min_length=1)]


class Mapping(Part):
    """What the API calls `mapping`: the entity type, the identity, and the properties."""

    entity_type: str = Field(
        alias="entityType", min_length=1, description="The entity type in memory.", examples=["contact", "company"]
    )
    email: _PathText | None = Field(None, description="Identity: the field that holds the email address.")
    website: _PathText | None = Field(None, description="Identity: the field that holds the website.")
    record_id: _PathText | None = Field(
        None, alias="recordId", description="Identity: the field that holds the record's id in memory."
    )
    custom_key_name: _PathText | None = Field(
        None, alias="customKeyName", description="Identity of your own: its name in memory; needs customKey."
    )
    custom_key: _PathText | None = Field(
        None,
        alias="customKey",
        validate_default=True,
        description="Identity of your own: the field that holds it; needs customKeyName.",
    )
    properties: dict[Annotated[str, BeforeValidator(_is_name)], Property] = Field(
        min_length=1, description="What is known about each record: property name to where it comes from."
    )

    @property
    def identity(self) -> tuple[IdentityKind, str]:
        """Which kind of identity the map uses, and the path of its field."""
        paths: dict[IdentityKind, str | None] = {
            "email": self.email,
            "website": self.website,
            "recordId": self.record_id,
            "customKey": self.custom_key,
        }
        return next((kind, path) for kind, path in paths.items() if path is not None)

    @field_validator("email", "website", "record_id", "custom_key")
    @classmethod
    def _is_path(cls, value: str | None) -> str | None:
        if value is not None:
            parse_path(value)
        return value

    @field_validator("custom_key")
    @classmethod
    def _one_identity(cls, value: str | None, info: ValidationInfo) -> str | None:
        names = {"email": "email", "website": "website", "record_id": "recordId", "custom_key_name": "customKeyName"}
        if any(name not in info.data for name in names):
            return value  # that key has a problem of its own
        found = [shown for name, shown in names.items() if info.data[name] is not None]
        if value is not None and "customKeyName" not in found:
            raise refused("found customKey alone, expected customKeyName beside it")
        if found == ["customKeyName"] and value is None:
            raise refused("found customKeyName alone, expected customKey beside it: the field", at="customKeyName")
        if len(found) > 1:
            raise refused(f"found two identities ({', '.join(found)}), expected one: keep one of them", at=found[-1])
        if not found:
            expected = "email, website, recordId, or customKeyName and customKey"
            raise refused(f"found no identity, expected one of {expected}", at="")
        return value


_AnySource = Annotated[SerializeAsAny[Source], BeforeValidator(_as_source)]


class PropertyMap(Part):
    """One stream."""

    stream: str = Field(
        max_length=MAX_NAME,
        description="The name of the stream, unique among all maps; state is kept under it.",
        json_schema_extra={"pattern": rf"^{_STREAM.pattern}$"},
        examples=["postgres-customers"],
    )
    source: _AnySource = Field(description="Where records come from.")
    destination: Destination = Field(default_factory=Destination, description="How rows are sent.")
    mapping: Mapping = Field(description="What becomes of a record.")
    limits: Limits = Field(default_factory=Limits, description="What a run may spend.")
    schedule: Schedule | None = Field(None, description="When `memsync serve` runs the stream.")

    _file: str = PrivateAttr("")

    @property
    def file(self) -> str:
        """The file that the map was read from."""
        return self._file

    @property
    def source_label(self) -> str:
        """What is sent as `source`."""
        return self.destination.source or self.source.connector.capitalize()

    @field_validator("stream")
    @classmethod
    def _is_stream(cls, value: str) -> str:
        if not _STREAM.fullmatch(value):
            raise refused("expected small letters, digits, dots, dashes and underscores, such as crm-contacts")
        return value
