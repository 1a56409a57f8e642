"""The batch call, checked as strictly as its documentation allows: a value in, a checked batch or a refusal out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sync.sandbox.answers import Refused, invalid, json_name
from sync.sandbox.options import Dialect, Plan

ROW_CHARACTERS = 100_000
TIERS = ("basic", "pro", "pro_fast", "ultra")
STANDARD_KEYS = ("email", "website", "recordId")

_CALL_KEYS = {"source", "mapping", "rows", "tier", "dryRun", "chunkSize", "extractionPrompt", "tags"}
_MAPPING_KEYS = {"entityType", *STANDARD_KEYS, "customKeyName", "customKey", "runName", "properties"}
_SCALAR = (str, int, float, bool, type(None))


class Property(NamedTuple):
    """One property of the mapping."""

    name: str
    source_field: str
    collection_id: str
    extract: bool


class Key(NamedTuple):
    """A name under which records are found, and the row key that holds its value."""

    name: str
    row_key: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch call that may be stored: what the call says, the rows that can be kept, the errors of the others."""

    source: str
    entity_type: str
    run_name: str
    keys: tuple[Key, ...]
    """The primary key first."""
    properties: tuple[Property, ...]
    tier: str
    dry_run: bool
    total: int
    rows: list[dict[str, Any]]
    errors: list[dict[str, Any]]


def check_batch(call: Mapping[str, Any], dialect: Dialect, plan: Plan, collections: Mapping[str, str]) -> Batch:
    """Check a batch call against the documentation; `collections` holds the names of known ids; raises Refused."""
    _refuse_unknown(call, _CALL_KEYS, "")
    source = _text(call, "source", "source")
    mapping = _object(call, "mapping", "mapping")
    _refuse_unknown(mapping, _MAPPING_KEYS, "mapping.")
    entity_type, keys = _entity_type(mapping), _keys(mapping)
    properties = tuple(_properties(mapping, dialect, collections))
    rows = _rows(call, plan)
    tier, dry_run = _settings(call)
    kept, errors = _sift(rows, keys[0])
    run_name = mapping.get("runName", "")
    if not isinstance(run_name, str):
        raise invalid("mapping.runName", f"expected a text, found {json_name(run_name)}")
    return Batch(source, entity_type, run_name, keys, properties, tier, dry_run, len(rows), kept, errors)


def _refuse_unknown(given: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in given:
        if key not in known:
            raise invalid(f"{where}{key[:100]}", f"unknown; known are {', '.join(sorted(known))}")


def _text(given: Mapping[str, Any], key: str, where: str) -> str:
    value = given.get(key)
    if not isinstance(value, str) or not value.strip():
        found = "an empty text" if isinstance(value, str) else json_name(value) if key in given else "nothing"
        raise invalid(where, f"expected a text, found {found}")
    return value


def _object(given: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    value = given.get(key)
    if not isinstance(value, dict) or not value:
        found = "an empty object" if value == {} else json_name(value) if key in given else "nothing"
        raise invalid(where, f"expected an object, found {found}")
    return value


def _entity_type(mapping: Mapping[str, Any]) -> str:
    if isinstance(mapping.get("entityType"), list):
        message = "mapping.entityType: one call holds records of one type; send a call for each type"
        raise Refused(
            400, "ENTITY_TYPE_MISMATCH", message, details=[{"parameter": "mapping.entityType", "message": message}]
        )
    return _text(mapping, "entityType", "mapping.entityType").strip()


def _keys(mapping: Mapping[str, Any]) -> tuple[Key, ...]:
    standard = [Key(name, _text(mapping, name, f"mapping.{name}")) for name in STANDARD_KEYS if name in mapping]
    if "customKeyName" in mapping or "customKey" in mapping:
        name = _text(mapping, "customKeyName", "mapping.customKeyName")
        return (Key(name, _text(mapping, "customKey", "mapping.customKey")), *standard)
    if len(standard) != 1:
        names = ", ".join(key.name for key in standard) or "none"
        choice = "email, website, recordId, or customKeyName with customKey"
        raise invalid("mapping", f"expected exactly one identity ({choice}), found {names}")
    return tuple(standard)


def _properties(mapping: Mapping[str, Any], dialect: Dialect, collections: Mapping[str, str]) -> Iterator[Property]:
    mark, other = ("extractMemories", "extract") if dialect == "v1" else ("extract", "extractMemories")
    properties = _object(mapping, "properties", "mapping.properties")
    for name in properties:
        where = f"mapping.properties.{name[:100]}"
        given = _object(properties, name, where)
        if other in given:
            raise invalid(f"{where}.{other}", f"API {dialect} calls this {mark}")
        _refuse_unknown(given, {"sourceField", "collectionId", "collectionName", mark}, f"{where}.")
        if not isinstance(given.get(mark, False), bool):
            raise invalid(f"{where}.{mark}", f"expected true or false, found {json_name(given[mark])}")
        collection = _text(given, "collectionId", f"{where}.collectionId")
        if collection not in collections:
            raise _collection_unknown(f"{where}.collectionId", collection)
        yield Property(name, _text(given, "sourceField", f"{where}.sourceField"), collection, given.get(mark, False))


def _collection_unknown(where: str, collection: str) -> Refused:
    message = f"{where}: no collection has the id {collection[:80]!r}; GET /collections lists them"
    return Refused(400, "COLLECTION_NOT_FOUND", message, details=[{"parameter": where, "message": message}])


def _rows(call: Mapping[str, Any], plan: Plan) -> list[dict[str, Any]]:
    rows = call.get("rows")
    if not isinstance(rows, list) or not rows:
        found = "an empty list" if rows == [] else json_name(rows) if "rows" in call else "nothing"
        raise invalid("rows", f"expected a list of 1 to {plan.rows_per_call} rows, found {found}")
    if len(rows) > plan.rows_per_call:
        raise invalid("rows", f"at most {plan.rows_per_call} rows a call on this plan, found {len(rows)}")
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            raise invalid(f"rows[{index}]", f"expected an object, found {json_name(row)}")
    return rows


def _settings(call: Mapping[str, Any]) -> tuple[str, bool]:
    tier, dry_run, chunk_size = call.get("tier", "pro"), call.get("dryRun", False), call.get("chunkSize", 1)
    if tier not in TIERS:
        raise invalid("tier", f"expected one of {', '.join(TIERS)}")
    if not isinstance(dry_run, bool):
        raise invalid("dryRun", f"expected true or false, found {json_name(dry_run)}")
    if isinstance(chunk_size, bool) or not isinstance(chunk_size, int) or chunk_size < 1:
        raise invalid("chunkSize", "expected a whole number from 1")
    prompt, tags = call.get("extractionPrompt", ""), call.get("tags", [])
    if not isinstance(prompt, str) or len(prompt) > 500:
        raise invalid("extractionPrompt", "expected a text of at most 500 characters")
    if not isinstance(tags, list) or any(not isinstance(tag, str) or len(tag) > 200 for tag in tags):
        raise invalid("tags", "expected a list of texts of at most 200 characters")
    return tier, dry_run


def _sift(rows: list[dict[str, Any]], key: Key) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    kept: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for index, row in enumerate(rows):
        identity = identity_of(row.get(key.row_key))
        problem = _row_problem(row, index, identity, key)
        if problem is None:
            kept.append(row)
        else:
            code, message = problem
            who = {"email" if key.name == "email" else "identifier": identity}
            errors.append({**who, "message": message, "code": code})
    return kept, errors


def _row_problem(row: dict[str, Any], index: int, identity: str | None, key: Key) -> tuple[str, str] | None:
    size = 0
    for name, value in row.items():
        if not isinstance(value, _SCALAR):
            text = f"rows[{index}]: {name[:100]!r} is {json_name(value)}; send a text, number or boolean"
            return "INVALID_PARAMS", text
        size += len(name) + (len(value) if isinstance(value, str) else 8)
    if identity is None:
        return "MISSING_IDENTIFIER", f"rows[{index}]: no {key.name} at {key.row_key[:100]!r}"
    if size > ROW_CHARACTERS:
        return "CONTENT_TOO_LARGE", f"rows[{index}]: over {ROW_CHARACTERS:,} characters"
    return None


def identity_of(value: Any) -> str | None:
    """A row's identity as text; None when it is missing, empty, or of a type that identifies nothing."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value).strip() or None
