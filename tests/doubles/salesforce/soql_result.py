"""How a statement is answered: the SQL that finds its records, and the tree in which their values are shown."""

from dataclasses import dataclass
from typing import Any

from .fields import Field
from .schema import SObject


@dataclass(frozen=True)
class Leaf:
    """A value: the number of its SQL column, and its field."""

    column: int
    field: Field


@dataclass(frozen=True)
class Compound:
    """An address, made of the columns of its parts."""

    parts: tuple[tuple[str, int], ...]
    field: Field


@dataclass
class Branch:
    """A record: the column of its id, its object's name as shown, and its members by name."""

    key: int
    type: str
    members: "dict[str, Leaf | Compound | Branch | Choice]"


@dataclass
class Choice:
    """A parent that shows other members for each object that it may be: `TYPEOF`."""

    key: int
    branches: dict[str, Branch]
    otherwise: Branch | None


Node = Leaf | Compound | Branch | Choice


@dataclass(frozen=True)
class Plan:
    """How to answer a statement."""

    sobject: SObject
    keys: str
    """SQL that yields the row numbers of the records, in order."""
    values: tuple[Any, ...]
    rows: str
    """SQL that yields the values of the records whose row numbers are given as a JSON list."""
    tree: Branch
    counts: bool = False
    wide: bool = False
    """Whether two or more custom long texts are selected, so that pages hold 200 records at most."""
    ordered_or_limited: bool = False
    types: bool = False
    aggregates: tuple[tuple[str, str], ...] = ()
    """Aliases and SQL expressions, for a statement that aggregates."""
