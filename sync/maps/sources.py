"""The connectors that are installed, and the `source:` model of each."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

import connectors
from connectors.source import Source

_SHARED = frozenset({"base", "cursors", "hosts", "numbers", "source", "variables", "written"})


@cache
def connector_names() -> tuple[str, ...]:
    """The names that `source.connector` may have: the modules of the package `connectors`."""
    found = (module.name for module in pkgutil.iter_modules(connectors.__path__))
    return tuple(sorted(name for name in found if name not in _SHARED and not name.startswith("_")))


def source_model(connector: str) -> type[Source]:
    """The model of a connector's keys under `source:`; raises LookupError when its module has none."""
    model = getattr(import_module(f"connectors.{connector}"), "Source", None)
    if not (isinstance(model, type) and issubclass(model, Source)):
        raise LookupError(f"connectors.{connector} has no class Source(connectors.source.Source)")  # noqa: TRY004
    return model
