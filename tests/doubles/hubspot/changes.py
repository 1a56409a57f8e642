"""What changing, archiving, merging and erasing do to a record, its stamp and its traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .account import Account
from .catalog import ObjectType
from .store import Row


def insert(
    account: Account, kind: ObjectType, values: Sequence[Mapping], at: Sequence[int], created: Sequence[int] = ()
) -> list[Row]:
    """New records, numbered upwards unless a row brings its `hs_object_id`; `at` are their modified stamps."""
    number, rows = account.store.next_id(kind.id), []
    for given, stamp, birth in zip(values, at, created or at, strict=True):
        own = dict(given)
        key = int(own.pop("hs_object_id", number))
        number = max(number, key + 1)
        rows.append(Row(key, birth, stamp, None, _normal(kind, own)))
    account.store.write(kind.id, rows, account.due())
    return rows


def _normal(kind: ObjectType, values: dict) -> dict[str, str | None]:
    if kind.name == "contacts" and values.get("email"):
        values["email"] = values["email"].lower()
    return values


def change(account: Account, kind: ObjectType, row: Row, values: Mapping, at: int) -> Row:
    """Other values; the modified stamp moves."""
    return _write(account, kind, row._replace(modified=at, properties=row.properties | _normal(kind, dict(values))))


def archive(account: Account, kind: ObjectType, row: Row, at: int) -> Row:
    """Gone from lists and search, found as archived; the modified stamp stays."""
    return _write(account, kind, row._replace(archived=at))


def restore(account: Account, kind: ObjectType, row: Row) -> Row:
    return _write(account, kind, row._replace(archived=None))


def erase(account: Account, kind: ObjectType, id: int) -> None:
    """Gone without a trace: neither listed, nor searched, nor among the archived."""
    account.store.remove(kind.id, id, account.due())


def merge(account: Account, kind: ObjectType, winner: Row, loser: Row, at: int, *, new_id: bool = False) -> Row:
    """The loser's id vanishes; the winner remembers it, fills its gaps from it, and its stamp moves."""
    own = {name: value for name, value in winner.properties.items() if value}
    values = loser.properties | winner.properties | own | _traces(kind, winner, loser, at)
    account.store.move_links(kind.id, loser.id, winner.id)
    erase(account, kind, loser.id)
    merged = winner._replace(modified=at, properties=values)
    if new_id:
        merged = merged._replace(id=account.store.next_id(kind.id))
        account.store.move_links(kind.id, winner.id, merged.id)
        merged.properties["hs_merged_object_ids"] = _joined(str(winner.id), values["hs_merged_object_ids"])
        erase(account, kind, winner.id)
    return _write(account, kind, merged)


def _traces(kind: ObjectType, winner: Row, loser: Row, at: int) -> dict[str, str | None]:
    """What the winner says of the records that went into it."""
    before, theirs = winner.properties, loser.properties
    name = "hs_merged_object_ids"
    traces = {name: _joined(before.get(name), theirs.get(name), str(loser.id))}
    if kind.name == "contacts":
        name = "hs_calculated_merged_vids"
        traces[name] = _joined(before.get(name), theirs.get(name), f"{loser.id}:{at}")
        name = "hs_additional_emails"
        other = theirs.get("email") if theirs.get("email") != before.get("email") else None
        traces[name] = _joined(before.get(name), theirs.get(name), other if before.get("email") else None)
    return traces


def _joined(*parts: str | None) -> str | None:
    return ";".join(part for part in parts if part) or None


def _write(account: Account, kind: ObjectType, row: Row) -> Row:
    account.store.write(kind.id, [row], account.due())
    return row
