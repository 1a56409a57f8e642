"""Resume positions as JSON documents: written by their connector, checked when they are read back."""

from __future__ import annotations

from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from connectors.base import Cursor, SourceMisconfigured

T = TypeVar("T")

RESET = "the saved cursor cannot be used: `memsync run STREAM --full` reads everything again; equal rows are not sent"


def document_of(progress: Any, shown: str) -> Cursor:
    """The document to store; `shown` is the position as a person reads it, only for looking at."""
    document: Cursor = orjson.loads(orjson.dumps(progress))
    return document | {"shown": shown}


def read_back(cursor: Cursor, adapter: TypeAdapter[T]) -> T:
    """What a stored document says; raises SourceMisconfigured when `adapter` does not know it."""
    try:
        document = {name: value for name, value in cursor.items() if name != "shown"}
        return adapter.validate_json(orjson.dumps(document), strict=True)
    except (ValidationError, TypeError, AttributeError):
        raise SourceMisconfigured(RESET) from None
