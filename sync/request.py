"""What was asked for, what all streams of a command share, and how a source is opened."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Any

from connectors.base import Connector
from state.store import Store
from sync.destination import Destination
from sync.guards import Asked
from sync.maps.model import PropertyMap
from sync.memory.collections import Collection
from sync.memory.pace import Pacer
from sync.settings import Settings
from sync.shards import Shard
from sync.stop import Stop
from sync.summary import Summary


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for on the command line."""

    command: str = "run"
    dry_run: bool = False
    full: bool = False
    resend: bool = False
    asked: Asked = field(default_factory=Asked)
    """What may be spent."""
    wait: float = 120.0
    """Seconds for which events are followed."""
    since: datetime | None = None
    until: datetime | None = None
    keys: Sequence[str] | None = None
    """Only these records, read by key."""
    shard: Shard | None = None
    """Only this part of the records."""

    @property
    def again(self) -> str:
        """What goes on where this was stopped."""
        return "the same command" if self.full or self.command != "run" else "the next run"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all streams of one command share."""

    settings: Settings
    store: Store | None
    """None in a dry run without a store."""
    destination: Destination
    collections: list[Collection]
    pacer: Pacer
    stop: Stop
    progress: Callable[[Summary], None] = lambda _: None
    counted: bool = False
    """Whether to ask sources how many rows are due, for the progress shown to a person."""
    debug: bool = False
    confirm: Callable[[str], bool] | None = None
    """Asks the person at the terminal; None where there is none."""


def open_source(
    property_map: PropertyMap,
    since: datetime | None,
    fields: Sequence[str] | None,
    pause: Callable[[float], None] = time.sleep,
) -> Connector:
    """Open the connector of a map; raises ConnectorError, VariablesInvalid."""
    source = property_map.source
    module: Any = import_module(f"connectors.{source.connector}")
    variables = module.Variables.load(source.connection)
    if since is not None:
        source = source.model_copy(update={"start": since})
    connector: Connector = module.connect(source, variables, fields, pause)
    return connector
