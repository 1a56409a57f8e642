"""Field paths: `Account.Name`, `tags.0`, `tags[0]`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Reader = Callable[[Mapping[str, Any]], Any]

_INDEX = re.compile(r"\[(\d{1,9})\]")


def parse_path(path: str) -> tuple[str, ...]:
    """Split a path into its steps; raises ValueError where one is empty."""
    steps = tuple(_INDEX.sub(r".\1", path).removeprefix("." if path.startswith("[") else "").split("."))
    if not all(step.strip() for step in steps):
        raise ValueError("expected a field name or a path such as Account.Name or tags[0]")
    return steps


def reader(path: str) -> Reader:
    """Return what reads `path` from the fields of a record; a missing step gives None.

    A field that is named exactly like the path, dots and all, wins.
    """
    steps = parse_path(path)
    if len(steps) == 1:
        return lambda fields: fields.get(path)
    return lambda fields: fields[path] if path in fields else _walk(fields, steps)


def _walk(value: Any, steps: tuple[str, ...]) -> Any:
    for step in steps:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, (list, tuple)) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
