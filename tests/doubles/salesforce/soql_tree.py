"""What a SOQL statement says, as values."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Path:
    """A field, perhaps of a parent: `Account.Owner.Email`."""

    names: tuple[str, ...]
    place: int


@dataclass(frozen=True)
class TypeOf:
    """`TYPEOF Who WHEN Contact THEN Email ELSE Name END`."""

    relationship: str
    place: int
    cases: tuple[tuple[str, tuple[Path, ...]], ...]
    otherwise: tuple[Path, ...]


@dataclass(frozen=True)
class Aggregate:
    """`COUNT(Id) total`."""

    function: str
    path: Path | None
    alias: str | None
    place: int


@dataclass(frozen=True)
class AllFields:
    """`FIELDS(ALL)`, `FIELDS(STANDARD)` or `FIELDS(CUSTOM)`."""

    kind: str
    place: int


Selected = Path | TypeOf | Aggregate | AllFields


@dataclass(frozen=True)
class Literal:
    """A value as written: its kind is text, moment, date, number, boolean, null or range."""

    kind: str
    text: str
    place: int
    pattern: str = ""
    """The text with the escapes of a LIKE pattern kept."""


@dataclass(frozen=True)
class Comparison:
    """`Email LIKE '%@example.com'`, `Id IN (...)`: one field against one or several values."""

    path: Path
    operator: str
    """=, !=, <, <=, >, >=, like, in, not in, includes, excludes."""
    values: tuple[Literal, ...]
    among: "Query | None" = None


@dataclass(frozen=True)
class Negation:
    condition: "Condition"


@dataclass(frozen=True)
class Joined:
    """Conditions joined by one word, AND or OR."""

    word: str
    conditions: "tuple[Condition, ...]"


Condition = Comparison | Negation | Joined


@dataclass(frozen=True)
class Ordering:
    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Query:
    """A whole statement."""

    statement: str
    selected: tuple[Selected, ...]
    sobject: str
    sobject_place: int
    alias: str | None = None
    where: Condition | None = None
    order: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int = 0
    all_rows: bool = False
