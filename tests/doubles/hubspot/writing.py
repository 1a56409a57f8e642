"""Changes by the API: what a person does with curl while the connector looks on."""

from __future__ import annotations

from .account import Account, Call
from .answers import Answer, Refused, invalid, not_found, problem
from .catalog import ObjectType
from .changes import archive, change, erase, insert, merge
from .checks import document, members, record_id, text
from .reading import by_key
from .rendering import Wanted, record
from .store import Row


def create_object(account: Account, call: Call) -> Answer:
    kind = account.writes(call.names["type"])
    body = members(document(call.body), "the body", required=["properties"], allowed=["associations"])
    if body.get("associations"):
        raise invalid("This server associates records by PUT only")
    values = _values(kind, body["properties"])
    _no_other_with(account, kind, values)
    (row,) = insert(account, kind, [values], [account.now()])
    return Answer(201, _shown(account, kind, row))


def change_object(account: Account, call: Call) -> Answer:
    kind = account.writes(call.names["type"])
    body = members(document(call.body), "the body", required=["properties"])
    row = _live(account, kind, call.names["id"], call.parameter("idProperty"))
    values = _values(kind, body["properties"])
    return Answer(200, _shown(account, kind, change(account, kind, row, values, account.now())))


def archive_object(account: Account, call: Call) -> Answer:
    """A record that is not there is archived already."""
    kind = account.writes(call.names["type"])
    row = account.store.row(kind.id, record_id(call.names["id"]))
    if row is not None and row.archived is None:
        archive(account, kind, row, account.now())
    return Answer(204)


def merge_objects(account: Account, call: Call) -> Answer:
    kind = account.writes(call.names["type"])
    body = members(document(call.body), "the body", required=["primaryObjectId", "objectIdToMerge"])
    winner = _live(account, kind, text(body, "primaryObjectId"))
    loser = _live(account, kind, text(body, "objectIdToMerge"))
    if winner.id == loser.id:
        raise invalid("A record cannot be merged with itself")
    return Answer(200, _shown(account, kind, merge(account, kind, winner, loser, account.now())))


def erase_object(account: Account, call: Call) -> Answer:
    """The deletion that privacy law asks for."""
    kind = account.writes(call.names["type"])
    body = members(document(call.body), "the body", required=["objectId"], allowed=["idProperty"])
    found = by_key(account, kind, [text(body, "objectId")], text(body, "idProperty"))
    for row in found.values():
        erase(account, kind, row.id)
    return Answer(204)


def _live(account: Account, kind: ObjectType, key: str, id_property: str | None = None) -> Row:
    row = by_key(account, kind, [key], id_property).get(key)
    if row is None or row.archived is not None:
        raise not_found("resource not found")
    return row


def _shown(account: Account, kind: ObjectType, row: Row) -> dict:
    wanted = Wanted(kind, [*kind.defaults, *row.properties], None)
    return record(row, wanted)


def _values(kind: ObjectType, given: object) -> dict[str, str]:
    """Property values as text; unknown, read-only and wrong ones are refused all together."""
    if not isinstance(given, dict):
        raise invalid("Invalid input JSON: properties must be an object")
    problems = [one for name, value in given.items() if (one := _wrong(kind, name, value))]
    if problems:
        raise invalid("Property values were not valid", errors=problems)
    return {name: _text(value) for name, value in given.items()}


def _wrong(kind: ObjectType, name: str, value: object) -> dict | None:
    definition = kind.properties.get(name)
    if definition is None:
        return {"message": f"Property {name!r} does not exist", "code": "PROPERTY_DOESNT_EXIST"}
    if definition["modificationMetadata"]["readOnlyValue"]:
        return {"message": f"{name} is a read only property", "code": "READ_ONLY_VALUE"}
    if not isinstance(value, str | int | float | None):
        return {"message": f"The value of {name} must be text", "code": "INVALID_TYPE"}
    options = [one["value"] for one in definition["options"]]
    if options and value and any(one not in options for one in str(value).split(";")):
        return {"message": f"{name}: not one of the allowed options: {options}", "code": "INVALID_OPTION"}
    return None


def _text(value: object) -> str:
    """As HubSpot stores it: an empty text for nothing."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _no_other_with(account: Account, kind: ObjectType, values: dict[str, str]) -> None:
    for name in values:
        if values[name] and kind.properties[name]["hasUniqueValue"]:
            for row in account.store.by_value(kind.id, name, [values[name].lower()]):
                message = f"{kind.singular.title()} already exists. Existing ID: {row.id}"
                raise Refused(problem(409, "CONFLICT", message))
