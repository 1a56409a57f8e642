"""The JSON Schema of property maps, for editors and other tools; `mappings/schema.json` is this text."""

from __future__ import annotations

import json
from typing import Any

from sync.maps.model import PropertyMap
from sync.maps.sources import connector_names, source_model

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ONE_OR_MORE_NAMES = [
    {"type": "string", "minLength": 1},
    {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
    {"type": "null"},
]


def json_schema() -> dict[str, Any]:
    """The schema (draft 2020-12), with the own keys of every connector under `source`."""
    schema = PropertyMap.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs")
    definitions.pop("Source", None)
    sources = {name: _source_schema(name, definitions) for name in connector_names()}
    definitions.update({f"{name}-source": source for name, source in sources.items()})
    schema["properties"]["source"] = {
        "description": "Where records come from.",
        "oneOf": [{"$ref": f"#/$defs/{name}-source"} for name in sources],
    }
    plain = _untitled({**schema, "$defs": dict(sorted(definitions.items()))})
    return {"$schema": _DIALECT, "title": "memsync property map", **plain}


def schema_text() -> str:
    """The schema as the text of `mappings/schema.json`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _source_schema(connector: str, definitions: dict[str, Any]) -> dict[str, Any]:
    schema = source_model(connector).model_json_schema(by_alias=True)
    definitions.update(schema.pop("$defs", {}))
    schema.pop("description", None)
    properties = schema["properties"]
    properties["connector"] = {"const": connector, "description": "The connector."}
    primary_key = properties["primaryKey"]
    properties["primaryKey"] = {"description": primary_key.get("description", ""), "anyOf": _ONE_OR_MORE_NAMES}
    return schema


def _untitled(schema: Any, *, names: bool = False) -> Any:
    """Leave out the titles that are made of attribute names; `names`: the keys are names of properties."""
    if isinstance(schema, list):
        return [_untitled(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _untitled(value, names=key in ("properties", "$defs") and not names)
        for key, value in schema.items()
        if names or key != "title"
    }
