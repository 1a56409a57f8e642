"""The JSON Schema beside the maps, and the maps that are ready to use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from connectors.source import Source
from sync.maps.load import load_maps
from sync.maps.schema import json_schema, schema_text
from sync.maps.sources import connector_names, source_model
from sync.maps.transforms import TRANSFORMS

FOLDER = Path(__file__).parent.parent / "mappings"
SCHEMA = json_schema()


def resolved(schema: dict) -> dict:
    while "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def fits(value: object, schema: dict) -> bool:
    """Check the part of JSON Schema that this schema uses."""
    schema = resolved(schema)
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool}
    if "anyOf" in schema or "oneOf" in schema:
        found = [option for option in schema.get("anyOf", schema.get("oneOf")) if fits(value, option)]
        return bool(found) and ("anyOf" in schema or len(found) == 1)
    if "const" in schema or "enum" in schema:
        return value in schema.get("enum", [schema.get("const")])
    names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(value is None if name == "null" else isinstance(value, kinds[name]) for name in names):
        return False
    if isinstance(value, dict):
        return _object_fits(value, schema)
    return not isinstance(value, list) or all(fits(item, schema["items"]) for item in value)


def _object_fits(value: dict, schema: dict) -> bool:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    if set(schema.get("required", ())) - set(value) or (others is False and set(value) - set(properties)):
        return False
    return all(fits(item, properties.get(name, others)) for name, item in value.items())


def raw(path: Path) -> dict:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8").replace("Z\n", "Z'\n"))


def test_the_schema_beside_the_maps_is_the_one_of_the_models():
    assert (FOLDER / "schema.json").read_text(encoding="utf-8") == schema_text(), (
        "run: memsync schema > mappings/schema.json"
    )


def test_the_maps_that_are_shipped_can_be_loaded():
    streams = {found.stream for found in load_maps(FOLDER)}
    assert "postgres-customers" in streams


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.name)
def test_the_maps_that_are_shipped_fit_the_schema_and_name_it(path):
    assert fits(raw(path), SCHEMA)
    assert "yaml-language-server: $schema=./schema.json" in path.read_text(encoding="utf-8").splitlines()[0]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("stream",), 7),
        (("unknown",), 1),
        (("source", "connector"), "mysql"),
        (("source", "unknown"), 1),
        (("destination", "tier"), "best"),
        (("mapping", "properties", "notes", "extractMemories"), "yes"),
        (("mapping", "properties", "notes", "transform"), ["strp"]),
        (("mapping", "properties", "notes", "transform"), [{"truncate": "x"}]),
    ],
)
def test_what_the_loader_refuses_does_not_fit_the_schema(path, value):
    wrong = raw(FOLDER / "postgres-customers.yaml")
    inner = wrong
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert not fits(wrong, SCHEMA)


def test_the_schema_describes_every_key():
    def undescribed(schema: dict, place: str) -> list[str]:
        return [
            f"{place}.{name}"
            for name, one in schema.get("properties", {}).items()
            if "description" not in one and "description" not in resolved(one)
        ]

    parts = {"map": SCHEMA, **SCHEMA["$defs"]}
    assert [found for name, part in parts.items() for found in undescribed(part, name)] == []


def test_every_transform_is_offered():
    items = json.dumps(SCHEMA["$defs"]["Property"]["properties"]["transform"])
    assert [name for name in TRANSFORMS if f'"{name}"' not in items] == []


@pytest.mark.parametrize("name", connector_names())
def test_each_connector_owns_the_model_of_its_source_keys(name):
    assert issubclass(source_model(name), Source)
    assert f"{name}-source" in SCHEMA["$defs"]


def test_only_connectors_are_offered():
    assert "postgres" in connector_names()
    assert not {"base", "source", "variables"} & set(connector_names())


def test_a_list_is_measured_in_items():
    def lists(node):
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        own = [node] if isinstance(node, dict) and node.get("type") == "array" else []
        return own + [found for child in children for found in lists(child)]

    assert lists(SCHEMA)
    assert [one for one in lists(SCHEMA) if {"minLength", "maxLength"} & set(one)] == []
