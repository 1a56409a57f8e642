"""Destinations whose quota or credits were used up when they were last tried: the next run asks with few calls."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, delete, select

from state.keyed import upsert
from state.tables import exhausted


def facts_of(connection: Connection, name: str) -> Mapping[str, str] | None:
    """What was noted when this destination was found used up; None when it was not."""
    found = connection.scalar(select(exhausted.c.facts).where(exhausted.c.name == name))
    return None if found is None else dict(json.loads(found))


def note(connection: Connection, name: str, facts: Mapping[str, str], now: float) -> None:
    """This destination is used up."""
    upsert(connection, exhausted, [{"name": name, "since": now, "facts": json.dumps(dict(facts))}])


def clear(connection: Connection, name: str) -> None:
    """This destination takes rows again."""
    connection.execute(delete(exhausted).where(exhausted.c.name == name))
