"""What is read for one stream: the map's source, settled against HubSpot's metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from connectors.base import SourceMisconfigured
from connectors.hubspot import Filter, Source
from connectors.hubspot.metadata import KEY, MERGED, TOP_LEVEL, Property, missing, near
from connectors.hubspot.objects import SINGULAR, ObjectType
from connectors.hubspot.values import Shape, milliseconds, since_epoch

LOOKBACK = timedelta(hours=1)
EARLIEST = 1_000
"""Milliseconds; a filter at 0 is answered with an error of the server."""
_USUAL = {"contacts": ("email", "firstname", "lastname"), "companies": ("name", "domain")}
"""What is read of an associated object where no map says what."""

Known = Mapping[str, Property]


@dataclass(frozen=True, slots=True)
class Beside:
    """An associated object and the properties of it that are read."""

    type: ObjectType
    shape: Shape
    requested: tuple[str, ...]
    named: tuple[str, ...] = ()
    """Those that the map names: an answer without them is none."""

    @property
    def name(self) -> str:
        """How paths begin that lead to it."""
        return SINGULAR[self.type.name]


@dataclass(frozen=True, slots=True)
class Plan:
    """One stream's reading, decided."""

    type: ObjectType
    known: Known = field(repr=False)
    """The properties of the object."""
    modified: str
    created: str
    shape: Shape
    requested: tuple[str, ...]
    """The properties that are asked for: those of the shape, and what reading itself needs."""
    filters: tuple[Mapping[str, Any], ...]
    presence: Mapping[str, bool] | None
    """Where `where` asks only which properties are filled: property to whether it must be. No search is needed."""
    definition: str
    """A digest of what is read; a cursor of another one means nothing."""
    named: tuple[str, ...]
    """The properties that the map names: an answer without them is none."""
    dated: bool
    """Whether `created` is a property that can be searched."""
    lookback: int
    """Milliseconds, like `settle` and `start`."""
    settle: int
    start: int | None
    reads_all: bool
    person: Beside | None = None
    """The associated object of which each record makes one row per record."""
    aside: Beside | None = None
    """The other one, of which only the first is given."""
    identity: str | None = None
    """The path of the identity, where it lies in the associated object."""


def names_of(fields: Sequence[str] | None) -> tuple[list[str], dict[str, list[str]]]:
    """Split the map's paths into own properties and, by associated object, properties of that."""
    own: list[str] = []
    others: dict[str, list[str]] = {}
    for path in fields or ():
        head, _, rest = path.partition(".")
        if rest and head in SINGULAR.values():
            others.setdefault(head, []).append(_head(rest))
        else:
            own.append(_head(path))
    return own, others


def _head(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]


def make_plan(
    source: Source,
    of: ObjectType,
    known: Known,
    others: Mapping[str, tuple[ObjectType, Known]],
    fields: Sequence[str] | None,
) -> Plan:
    """Settle everything; raises SourceMisconfigured with all names that are no properties."""
    own, asides = names_of(fields)
    filtered = [one.property_name for one in source.where or ()]
    cursor = [source.cursor_field] if source.cursor_field else []
    _require_properties([*filtered, *cursor], known, of)
    require([*own, *filtered, *cursor], known, of.name)
    names = tuple(dict.fromkeys(own)) if fields is not None else tuple(known)
    modified = _cursor_field(source, of, known)
    presence = _presence(source)
    created = of.created if of.created in known or "createdate" not in known else "createdate"
    person, aside = _besides(source, asides, others, fields)
    return Plan(
        type=of,
        known=known,
        modified=modified,
        created=created,
        shape=Shape(names, known),
        requested=_requested([*names, *(presence or ())], known, modified),
        filters=tuple(_filter(one, known) for one in source.where or ()),
        presence=presence,
        definition=_definition(source, of, modified),
        named=_own([*(own if fields is not None else ()), *(presence or ())], known),
        dated=created in known,
        lookback=_ms(LOOKBACK if source.lookback is None else source.lookback),
        settle=_ms(source.settle or timedelta()),
        start=None if source.start is None else max(EARLIEST, since_epoch(source.start)),
        reads_all=source.reads_all,
        person=person,
        aside=aside,
        identity=fields[0] if fields and person and fields[0].startswith(f"{person.name}.") else None,
    )


def require(names: Sequence[str], known: Known, object: str) -> None:
    """Raise SourceMisconfigured unless all names are properties: unknown ones are ignored silently by HubSpot."""
    wrong = missing(list(dict.fromkeys(names)), known)
    if wrong:
        said = [f"{name!r} is no property of {object}{near(name, known)}" for name in wrong]
        text = "; ".join(said)
        onward = f"{text} Correct" if text.endswith("?") else f"{text}: correct"
        raise SourceMisconfigured(
            f"{onward} the map (names as in HubSpot's settings, under Properties, as internal name)"
        )


def _require_properties(names: Sequence[str], known: Known, of: ObjectType) -> None:
    """Refuse what a record has beside its properties: the search does not know it."""
    instead = {"id": KEY, "createdAt": of.created, "updatedAt": of.modified}
    for name in names:
        if name in TOP_LEVEL and name not in known:
            raise SourceMisconfigured(
                f"{name!r} is no property of {of.name} that can be searched: name {instead[name]} in `where`"
            )


def _cursor_field(source: Source, of: ObjectType, known: Known) -> str:
    if not source.cursor_field:
        return of.modified
    one = known.get(source.cursor_field)
    if one is None or one.type != "datetime":
        found = one.type if one else "none"
        raise SourceMisconfigured(
            f"cursorField {source.cursor_field!r} of {of.name}: found type {found}, expected a datetime property "
            f"that moves with every change; leave it out for {of.modified}"
        )
    return one.name


def _presence(source: Source) -> Mapping[str, bool] | None:
    """What must be filled and what must not; None where a filter says more than that."""
    operators = {"HAS_PROPERTY": True, "NOT_HAS_PROPERTY": False}
    filters = source.where or ()
    if any(one.operator not in operators for one in filters):
        return None
    return {one.property_name: operators[one.operator] for one in filters}


def _requested(names: Sequence[str], known: Known, modified: str) -> tuple[str, ...]:
    wanted = [name for name in names if name in known or name not in TOP_LEVEL]
    needed = [modified, *(name for name in MERGED if name in known)]
    return tuple(name for name in dict.fromkeys([*wanted, *needed]) if name != KEY)


def _own(names: Sequence[str], known: Known) -> tuple[str, ...]:
    """Those of some names that are properties, but for the key, which is beside them too."""
    return tuple(name for name in dict.fromkeys(names) if name in known and name != KEY)


def _besides(
    source: Source,
    asides: Mapping[str, Sequence[str]],
    others: Mapping[str, tuple[ObjectType, Known]],
    fields: Sequence[str] | None,
) -> tuple[Beside | None, Beside | None]:
    """The object that rows are made of, and the one that is only looked at."""
    if source.associate is None:
        if asides:
            first = next(iter(asides))
            plural = next(name for name, singular in SINGULAR.items() if singular == first)
            raise SourceMisconfigured(
                f"the map reads {first}.{asides[first][0]}, which takes `associate: {plural}` under `source`"
            )
        return None, None
    made = {
        name: _beside(others[name], asides.get(SINGULAR[name], ()), usual=fields is None)
        for name in SINGULAR
        if name in others
    }
    return made[source.associate], next((one for name, one in made.items() if name != source.associate), None)


def _beside(found: tuple[ObjectType, Known], names: Sequence[str], *, usual: bool) -> Beside:
    of, known = found
    wanted = list(_USUAL[of.name]) if usual else list(names)
    require(wanted, known, of.name)
    shape = Shape(tuple(dict.fromkeys([*wanted, "id"])), known)
    more = ["hs_additional_emails"] if "email" in wanted and "hs_additional_emails" in known else []
    requested = tuple(dict.fromkeys(name for name in [*wanted, *more] if name not in TOP_LEVEL))
    return Beside(of, shape, requested, () if usual else _own(wanted, known))


def _filter(one: Filter, known: Known) -> Mapping[str, Any]:
    """A filter as the search takes it: stamps in milliseconds."""
    kind = known[one.property_name].type if one.property_name in known else ""
    stamped = kind in {"datetime", "date"}

    def value(text: str) -> str:
        if kind == "string" and one.values is not None:
            return text.lower()  # lists are compared with text in small letters, and only so
        ms = milliseconds(text) if stamped else None
        if stamped and ms is None:
            raise SourceMisconfigured(
                f"where: {one.property_name} is compared with something that is no date; expected 2024-01-31 or "
                "2024-01-31T10:00:00Z"
            )
        return text if ms is None else str(ms)

    made: dict[str, Any] = {"propertyName": one.property_name, "operator": one.operator}
    made |= {"value": value(one.value)} if one.value is not None else {}
    made |= {"highValue": value(one.high_value)} if one.high_value is not None else {}
    return made | ({"values": [value(text) for text in one.values]} if one.values is not None else {})


def _definition(source: Source, of: ObjectType, modified: str) -> str:
    where = [one.model_dump(mode="json") for one in source.where or ()]
    facts = json.dumps([of.name, modified, where, source.associate, source.reads_all], sort_keys=True)
    return hashlib.blake2b(facts.encode(), digest_size=8).hexdigest()


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
