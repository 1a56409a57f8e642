"""A look at a source without a map: its objects, their fields, and a few records for statistics."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Protocol, runtime_checkable

from connectors.base import (
    Connector,
    ConnectorError,
    Field,
    ObjectName,
    Reading,
    SourceMisconfigured,
    SourceRefused,
)
from connectors.source import Activity, Source
from sync.discover.opening import Place, opened
from sync.maps.problem import did_you_mean
from sync.maps.sources import source_model

AT_ONCE = 8_000
"""Characters of field names that are asked for at once: more do not fit an address."""
MOST_LOOKS = 10


@runtime_checkable
class Sampling(Protocol):
    """A connector that has a cheaper way than reading to see some records."""

    def sample(self, rows: int) -> Sequence[Mapping[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of one object. Its records never leave this process and are never shown."""

    place: Place
    fields: tuple[Field, ...]
    records: tuple[Mapping[str, Any], ...] = ()
    reading: Reading | None = None
    count: int | None = None
    notes: tuple[str, ...] = ()
    """What a person should know of this look."""

    @property
    def model(self) -> type[Source]:
        """The connector's keys under `source:`."""
        return source_model(self.place.connector)

    @property
    def activity(self) -> Activity | None:
        """How the object is read by the people that it is about."""
        return self.model.activity(self.place.object or "")

    @property
    def cursor(self) -> str | None:
        """The field that moves when a record changes."""
        return self.reading.cursor_field if self.reading else None


def objects_of(place: Place, pause: Callable[[float], None] = time.sleep) -> list[ObjectName]:
    """The objects that can be read with these credentials."""
    with opened(place, pause=pause) as connector:
        return list(connector.objects())


def nearest_object(place: Place, pause: Callable[[float], None] = time.sleep) -> Place:
    """The place with the object's name as the source spells it.

    Where the source lists nothing like it, SourceMisconfigured names what is near; what a source does not list but may
    know all the same (a type id of HubSpot, a table with its schema left out) is left as it is.
    """
    wanted = place.object or ""
    try:
        names = [one.name for one in objects_of(place, pause)]
    except SourceRefused:  # to list is one permission, to read another
        return place
    if wanted in names or not names:
        return place
    ends = [one for one in names if one.lower() in (wanted.lower(), f"public.{wanted.lower()}")]
    if ends:
        return replace(place, object=ends[0])
    if any(sign in wanted for sign in '-."') or wanted[:1].isdecimal():
        return place
    short = {name.rpartition(".")[2]: name for name in names}
    near = did_you_mean(wanted, names) or did_you_mean(wanted, short)
    hint = near or f"; there are: {', '.join(names[:12])}{' ...' if len(names) > 12 else ''}"
    raise SourceMisconfigured(f"{place.connector} has no object {wanted!r} that these credentials can see{hint}")


def fields_of(place: Place, pause: Callable[[float], None] = time.sleep) -> tuple[Field, ...]:
    """The fields of an object, as its metadata describes them; SourceMisconfigured where there are none."""
    with opened(place, pause=pause) as connector:
        found = tuple(connector.fields(place.object or ""))
    if not found:
        raise SourceMisconfigured(
            f"{place.object}: the source names no field of it; is it spelt right, and may these credentials see it?"
        )
    return found


def look_at(place: Place, sample: int, pause: Callable[[float], None] = time.sleep) -> Look:
    """Look at an object's metadata, and at `sample` records at most (0: none).

    What stands in the way of records is a note; what stands in the way of metadata is raised.
    """
    fields = fields_of(place, pause)
    groups = _groups(fields)
    notes: list[str] = []
    if len(groups) > MOST_LOOKS:
        left = sum(map(len, groups[MOST_LOOKS:]))
        notes.append(f"{left:,} of {len(fields):,} fields were not sampled")
    reading, count, records = None, None, list[dict[str, Any]]()
    for number, group in enumerate(groups[:MOST_LOOKS] if sample else groups[:1]):
        with opened(place, group, pause) as connector:
            try:
                checked = connector.check()
                if number == 0:
                    reading, count = checked, _count(connector)
            except (SourceMisconfigured, SourceRefused) as problem:
                notes.append(str(problem))
                if not isinstance(connector, Sampling):
                    break
            _add(records, _sampled(connector, sample, notes))
    if sample and not records:
        notes.append("no record could be sampled: what is said here comes from metadata alone")
    return Look(place, fields, tuple(records), reading, count, tuple(dict.fromkeys(notes)))


def settled(place: Place, pause: Callable[[float], None] = time.sleep) -> Reading:
    """How an object would be read, with the key that the place names; raises ConnectorError."""
    with opened(place, pause=pause) as connector:
        return connector.check()


def _groups(fields: Sequence[Field]) -> list[list[str]]:
    """Names of fields worth sampling, as many at once as an address holds."""
    groups: list[list[str]] = []
    room = 0
    for field in fields:
        if not field.readable or field.noise:
            continue
        if room < len(field.name) or not groups:
            groups.append([])
            room = AT_ONCE
        groups[-1].append(field.name)
        room -= len(field.name) + 1
    return groups


def _count(connector: Connector) -> int | None:
    with suppress(ConnectorError):
        return connector.count(None)
    return None


def _sampled(connector: Connector, sample: int, notes: list[str]) -> list[Mapping[str, Any]]:
    """Some records: as the connector samples by itself, else those of its first pages."""
    if not sample:
        return []
    try:
        if isinstance(connector, Sampling):
            return list(connector.sample(sample))
        found: list[Mapping[str, Any]] = []
        for page in islice(connector.read(None), 2):
            found += [record.fields for record in page.records]
            if len(found) >= sample:
                break
        return found[:sample]
    except (SourceMisconfigured, SourceRefused) as problem:
        notes.append(str(problem))
        return []


def _add(records: list[dict[str, Any]], more: Sequence[Mapping[str, Any]]) -> None:
    """Add the fields of a further group. They are of the same records where the source keeps its order."""
    for at, fields in enumerate(more):
        if at < len(records):
            records[at].update(fields)
        else:
            records.append(dict(fields))
