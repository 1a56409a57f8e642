"""Opening a connector without a map: which there are, which variables they have, and where to look."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from connectors.base import Connector, SourceMisconfigured
from sync.maps.problem import did_you_mean
from sync.maps.sources import connector_names

_CONNECTION = re.compile(r"[A-Z][A-Z0-9_]*")
NAMELESS = "objects"
"""Stands for an object where none is needed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look."""

    connector: str
    object: str | None = None
    connection: str | None = None
    key: tuple[str, ...] = ()
    """What identifies a record, where the source does not know it."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """A connector, its variables, and what still keeps it from being used."""

    connector: str
    variables: Mapping[str, bool]
    """Name to whether it is set; values are not looked at."""
    problem: str = ""


def readiness(connector: str, connection: str | None = None) -> Readiness:
    """Which variables of a connector are set; nothing is contacted. Raises VariablesInvalid."""
    module: Any = import_module(f"connectors.{connector}")
    variables = module.Variables.load(connection)
    prefix = f"{connection}_" if connection else ""
    found = {
        f"{'' if name.startswith('memsync_') else prefix}{name.upper()}": name in variables.model_fields_set
        for name in type(variables).model_fields
    }
    try:
        with opened(Place(connector, None, connection)):
            return Readiness(connector, found)
    except SourceMisconfigured as problem:
        return Readiness(connector, found, str(problem))


def require_connector(name: str) -> None:
    """Raise SourceMisconfigured unless there is such a connector."""
    known = connector_names()
    if name not in known:
        raise SourceMisconfigured(
            f"there is no connector {name!r}; expected one of {', '.join(known)}{did_you_mean(name, known)}"
        )


@contextmanager
def opened(
    place: Place,
    fields: Sequence[str] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Connector]:
    """A connector for a place, without a map; raises SourceMisconfigured, VariablesInvalid."""
    require_connector(place.connector)
    if place.connection is not None and not _CONNECTION.fullmatch(place.connection):
        raise SourceMisconfigured(
            f"connection {place.connection!r}: expected capital letters, digits and underscores, such as EU: its "
            "variables begin with that, as EU_DATABASE_URL does"
        )
    module: Any = import_module(f"connectors.{place.connector}")
    keys = {"connector": place.connector, "object": place.object or NAMELESS, **module.Source.look}
    keys |= {name: value for name, value in (("connection", place.connection), ("primaryKey", place.key)) if value}
    try:
        source = module.Source.model_validate(keys)
    except ValidationError as error:
        said = "; ".join(str(one["msg"]) for one in error.errors(include_input=False, include_url=False))
        raise SourceMisconfigured(f"{place.connector} {place.object or ''}: {said}") from None
    connector: Connector = module.connect(source, module.Variables.load(place.connection), fields, pause)
    try:
        yield connector
    finally:
        connector.close()
