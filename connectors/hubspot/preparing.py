"""Asking HubSpot for what a plan is made of: the properties of the objects that the map names."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import SourceMisconfigured, SourceRefused
from connectors.hubspot import Source
from connectors.hubspot.api import Api
from connectors.hubspot.metadata import Property, missing, near
from connectors.hubspot.objects import SINGULAR, STANDARD, ObjectType, object_type
from connectors.hubspot.plan import Known, Plan, make_plan, names_of

_SENSITIVE = ("sensitive", "highly_sensitive")


def prepare(api: Api, source: Source, fields: Sequence[str] | None) -> Plan:
    """Settle how a stream is read; raises SourceMisconfigured, SourceRefused."""
    of = object_type(source.object or "")
    own, asides = names_of(fields)
    wanted = [*own, *(one.property_name for one in source.where or ()), *filter(None, [source.cursor_field])]
    known = known_properties(api, of, wanted)
    plurals: dict[str, str] = {SINGULAR[source.associate]: source.associate} if source.associate else {}
    plurals |= {name: plural for plural, name in SINGULAR.items() if name in asides and source.associate}
    others = {}
    for name, plural in plurals.items():
        other = object_type(plural)
        others[plural] = (other, known_properties(api, other, asides.get(name, ())))
    return make_plan(source, of, known, others, fields)


def known_properties(api: Api, of: ObjectType, wanted: Sequence[str] = ()) -> Known:
    """The properties of an object; sensitive ones too, where the map names what is not among the others."""
    try:
        known = api.properties(of)
    except SourceMisconfigured as error:
        if of.name in STANDARD:
            raise
        raise SourceMisconfigured(f"{error}{_offered(api, of.name)}") from None
    for sensitivity in _SENSITIVE if missing(wanted, known) else ():
        known = {**_sensitive(api, of, sensitivity), **known}
    return known


def _sensitive(api: Api, of: ObjectType, sensitivity: str) -> dict[str, Property]:
    try:
        return api.properties(of, sensitivity)
    except (SourceRefused, SourceMisconfigured):  # not for this token, or not of this account's edition
        return {}


def _offered(api: Api, name: str) -> str:
    """The objects of the account that are called alike, as paths take them: `; did you mean p123_cars (2-77)?`."""
    try:
        custom = [one for one in api.schemas() if not one.archived]
    except (SourceRefused, SourceMisconfigured):
        custom = []
    shown = {one: one for one in STANDARD}
    shown |= {word: f"{one.name} ({one.type_id})" for one in custom for word in one.words}
    return near(name, shown, shown)
