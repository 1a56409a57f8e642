"""How a stream is read: settled once from the map and from describe."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.base import SourceMisconfigured
from connectors.salesforce import Source
from connectors.salesforce.cursor_field import cursor_of
from connectors.salesforce.metadata import ObjectInfo, near
from connectors.salesforce.paths import Describe, distinct, every, resolve, steps_of
from connectors.salesforce.values import Column, Path, Shape

LOOKBACK = timedelta(minutes=15)
"""A stamp is set before its transaction commits, so a record may appear behind a stamp that was passed."""
WHO = "Who"
PERSONS = {"003": "Contact", "00Q": "Lead"}
"""Objects that people are, by the first three characters of their ids."""


@dataclass(frozen=True, slots=True)
class Relation:
    """The object that says which people an activity is linked to."""

    object: str
    activity: str
    """Its lookup to the activity."""
    condition: str = ""
    address: str = ""
    """Its field with the address that was used, where it has one."""
    counted_by: str = ""
    """The activity's field that counts people: the relation is asked only where it is more than one."""


@dataclass(frozen=True, slots=True)
class People:
    """How the person of an activity is found, whom the map calls `Who`."""

    each: bool
    """One record for each person; otherwise `Who` is just the first person's fields."""
    lookup: str | None
    """The activity's own lookup to a person."""
    relationship: str | None
    relation: Relation | None
    shapes: Mapping[str, Shape]
    """By object: what is read of a Contact and of a Lead."""
    names: tuple[str, ...]
    """Every name below `Who`."""

    @property
    def by_typeof(self) -> bool:
        """Whether one query can bring the persons along: it cannot follow their own relationships."""
        flat = all(len(column.path) == 1 for shape in self.shapes.values() for column in shape.columns)
        return self.relationship == WHO and flat


@dataclass(frozen=True, slots=True)
class Stand:
    """A parent that stands for the person, and texts that stand in where it is empty."""

    prefix: Path
    instead: Mapping[str, Path]


STANDS = {
    "Case": Stand(("Contact",), {"Email": ("SuppliedEmail",), "Name": ("SuppliedName",)}),
    "CaseComment": Stand(
        ("Parent", "Contact"), {"Email": ("Parent", "SuppliedEmail"), "Name": ("Parent", "SuppliedName")}
    ),
}
LOOKUPS = {"Task": "WhoId", "Event": "WhoId", "Note": "ParentId", "Attachment": "ParentId"}
RELATIONS = {
    "Task": Relation("TaskRelation", "TaskId", "IsWhat = false", counted_by="WhoCount"),
    "Event": Relation("EventRelation", "EventId", "IsWhat = false", counted_by="WhoCount"),
    "EmailMessage": Relation("EmailMessageRelation", "EmailMessageId", address="RelationAddress"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """One stream, ready to be asked for."""

    object: str
    shape: Shape
    cursor: str | None
    reads_all: bool
    where: str | None
    start: datetime | None
    lookback: timedelta
    settle: timedelta
    deleted: bool
    """Whether records have IsDeleted."""
    has_created: bool
    """Whether records have CreatedDate, and can be asked for by it."""
    people: People | None
    stand: Stand | None
    each: bool
    """Whether a record stands for an activity and a person, and so has a composite key."""
    identity: Path
    """The path below `Who` without which a record is left out; empty where the map's identity is no person's."""
    definition: str
    formulas: tuple[str, ...]
    parents: tuple[str, ...]
    """Paths to fields of other records, as the map writes them."""
    long_texts: tuple[str, ...]
    known: tuple[str, ...]
    """The names of all fields of the object, for what is spelt alike."""

    @property
    def label(self) -> str:
        """For messages."""
        return self.object


def make_plan(source: Source, info: ObjectInfo, describe: Describe, fields: Sequence[str] | None) -> Plan:
    """Settle how a stream is read; raises SourceMisconfigured."""
    if not info.queryable:
        raise SourceMisconfigured(f"{info.name} cannot be queried in Salesforce: choose another `object`")
    cursor = cursor_of(source, info)
    paths = every(info) if fields is None else [steps_of(path) for path in fields]
    identity = paths[0] if fields else ()
    whos = [path for path in paths if path[0] == WHO and len(path) > 1 and fields is not None]
    own = [path for path in paths if path not in whos]
    each = bool(whos) and identity[:1] == (WHO,)
    stand = STANDS.get(info.name) if whos else None
    people = None if stand or not whos else people_of(info, describe, whos, identity if each else ())
    columns = distinct(
        [*_technical(info, cursor, people), *_stood(stand, whos, info, describe)]
        + [resolve(path, info, describe) for path in own]
    )
    return Plan(
        object=info.name,
        shape=Shape.of(columns),
        cursor=cursor,
        reads_all=cursor is None,
        where=source.where,
        start=_checked_start(source, cursor),
        lookback=LOOKBACK if source.lookback is None else source.lookback,
        settle=timedelta() if source.settle is None else source.settle,
        deleted="IsDeleted" in info.fields,
        has_created="CreatedDate" in info.fields and info.fields["CreatedDate"].filterable,
        people=people,
        stand=stand,
        each=people is not None and people.each and people.relation is not None,
        identity=identity[1:] if each else (),
        definition=_digest(info.name, cursor, source.where, str(each)),
        formulas=_formulas(columns, info),
        parents=tuple(dict.fromkeys(".".join(path) for path in paths if len(path) > 1)),
        long_texts=tuple(_long_texts(columns, info)),
        known=tuple(info.fields),
    )


def people_of(info: ObjectInfo, describe: Describe, whos: Sequence[Path], identity: Path) -> People:
    """How the persons behind an activity are read."""
    lookup = info.fields.get(LOOKUPS.get(info.name, "WhoId"))
    relation = RELATIONS.get(info.name)
    if lookup is None and relation is None:
        raise SourceMisconfigured(
            f"{info.name}: Who.* is the person of an activity; expected a path that begins with a relationship of "
            f"{info.name}{near(WHO, info.relationships)}"
        )
    if lookup is None and not identity:
        raise SourceMisconfigured(
            f"{info.name}: Who.* has one value for each person of a record, so the identity must be one of them: "
            "email: Who.Email"
        )
    shapes = _person_shapes(describe, [path[1:] for path in whos])
    return People(
        each=bool(identity),
        lookup=lookup.name if lookup else None,
        relationship=lookup.relationship if lookup else None,
        relation=relation,
        shapes=shapes,
        names=tuple(dict.fromkeys(path[1] for path in whos)),
    )


def _person_shapes(describe: Describe, paths: Sequence[Path]) -> dict[str, Shape]:
    shapes, wanted = {}, [path for path in paths if path not in (("Id",), ("Type",))]
    problems: dict[Path, SourceMisconfigured] = {}
    for name in PERSONS.values():
        info, columns = describe(name), []
        for path in wanted:
            try:
                columns.append(resolve(path, info, describe))
            except SourceMisconfigured as error:
                problems.setdefault(path, error)
        shapes[name] = Shape.of(distinct(columns))
    for path, problem in problems.items():
        if not any(column.path == path for shape in shapes.values() for column in shape.columns):
            raise problem
    return shapes


def _technical(info: ObjectInfo, cursor: str | None, people: People | None) -> Iterator[Column]:
    """What every reading needs beside the map's fields."""
    counted = people.relation.counted_by if people and people.relation else ""
    names = ["Id", cursor, "SystemModstamp", "IsDeleted", "MasterRecordId", people.lookup if people else None, counted]
    for name in dict.fromkeys(names):
        if name and name in info.fields:
            yield Column((name,), info.fields[name].type)


def _stood(stand: Stand | None, whos: Sequence[Path], info: ObjectInfo, describe: Describe) -> Iterator[Column]:
    if stand is None:
        return
    for who in whos:
        yield resolve((*stand.prefix, *who[1:]), info, describe)
        if len(who) == 2 and who[1] in stand.instead:
            yield resolve(stand.instead[who[1]], info, describe)


def _checked_start(source: Source, cursor: str | None) -> datetime | None:
    if source.start is not None and cursor is None:
        raise SourceMisconfigured(f"{source.object}: `start` needs a cursor field, and there is none")
    return source.start


def _formulas(columns: Sequence[Column], info: ObjectInfo) -> tuple[str, ...]:
    own = [column.path[0] for column in columns if len(column.path) == 1]
    return tuple(name for name in own if info.fields[name].calculated)


def _long_texts(columns: Sequence[Column], info: ObjectInfo) -> list[str]:
    own = [info.fields[column.path[0]] for column in columns if len(column.path) == 1]
    return [one.name for one in own if one.custom and one.is_long_text]


def _digest(*parts: str | None) -> str:
    return hashlib.blake2b("\0".join(part or "" for part in parts).encode(), digest_size=12).hexdigest()
