"""Asking Salesforce for what a plan is made of: the org, and the objects that the map names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.base import SourceMisconfigured, SourceRefused
from connectors.salesforce import Source, statements
from connectors.salesforce.calls import Caller
from connectors.salesforce.faults import NotThere
from connectors.salesforce.metadata import ObjectInfo, named, near
from connectors.salesforce.plan import Plan, make_plan
from connectors.salesforce.results import odd, understood

_NOT_FOR_READING = ("ChangeEvent", "__ChangeEvent", "__Share", "__Feed", "__History", "__Tag", "__e")


@dataclass(slots=True)
class Describer:
    """Describes objects, each once; a plan that is made anew asks a new one."""

    caller: Caller
    known: dict[str, ObjectInfo] = field(default_factory=dict)

    def __call__(self, name: str) -> ObjectInfo:
        """An object; raises SourceMisconfigured, naming similar ones where there is none."""
        if name not in self.known:
            self.known[name] = self._describe(name)
        return self.known[name]

    def _describe(self, name: str) -> ObjectInfo:
        try:
            found = self.caller.call("GET", f"sobjects/{name}/describe", f"object {name}")
        except NotThere as missing:
            try:
                offered = [str(one.get("name")) for one in listed(self.caller)]
            except (SourceMisconfigured, SourceRefused):
                raise missing from None
            if name in offered:
                raise
            raise SourceMisconfigured(
                f"object {name}: the org has no such object, or the user may not see it{near(name, offered)}"
            ) from None
        if not isinstance(found, dict) or not isinstance(found.get("fields"), list):
            raise odd(f"object {name}", "describe names no fields")
        with understood(f"object {name}"):
            return ObjectInfo.of(found)


def listed(caller: Caller) -> list[dict[str, Any]]:
    """The objects that can be queried."""
    found = caller.call("GET", "sobjects", "objects")
    every = found.get("sobjects") if isinstance(found, dict) else None
    with understood("objects"):
        return [one for one in every or () if _is_data(one)]


def _is_data(one: dict[str, Any]) -> bool:
    name = named(one.get("name"))
    shown = name is not None and one.get("queryable") and not one.get("deprecatedAndHidden")
    return bool(shown) and not str(name).endswith(_NOT_FOR_READING)


def org_of(caller: Caller) -> str | None:
    """The org's id; None where the user may not know it."""
    found = caller.org
    if found is not None:
        return found
    try:
        rows = caller.query(statements.ORG, "Organization", everything=False).rows
    except (SourceMisconfigured, SourceRefused):
        return None
    named = str(rows[0].get("Id")) if rows else ""
    return named if statements.is_id(named) else None


def prepare(describe: Describer, source: Source, fields: Sequence[str] | None) -> Plan:
    """Settle how a stream is read; raises SourceMisconfigured, SourceRefused, SourceUnreachable."""
    return make_plan(source, describe(source.object or ""), describe, fields)
