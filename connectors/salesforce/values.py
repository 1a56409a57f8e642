"""Values as records hold them: the same whether they came as JSON or as CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from connectors.written import compiled

Path = tuple[str, ...]
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One thing that is selected: a field, or a field behind relationships."""

    path: Path
    type: str

    @property
    def name(self) -> str:
        """As SOQL and the header of CSV write it."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Leaf:
    """Where one value stands in a CSV row, and how it is read."""

    name: str
    convert: Convert


Tree = dict[str, "Leaf | Tree"]
_UTC = "+0000"
_ABOUT_ITSELF = "attributes"
"""The name under which a row of JSON says what it is."""
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """Turns rows into fields: nested objects for relationships, None for a parent of which nothing is known."""

    columns: tuple[Column, ...]
    tree: Tree = field(default_factory=dict)
    of_json: Callable[[Mapping[str, Any]], Fields] = field(init=False, compare=False, repr=False)
    """The fields of a record as REST gives it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "of_json", _json_reader(self.tree))

    @staticmethod
    def of(columns: Sequence[Column]) -> Shape:
        """The shape of these columns."""
        tree: Tree = {}
        for column in columns:
            branch = tree
            for step in column.path[:-1]:
                inner = branch.setdefault(step, {})
                assert isinstance(inner, dict)  # noqa: S101  # a field and a relationship never share a name
                branch = inner
            branch[column.path[-1]] = Leaf(column.name, converter(column.type))
        return Shape(tuple(columns), tree)

    def of_csv(self, header: Sequence[str]) -> Callable[[Sequence[str]], Fields]:
        """What reads a CSV row under this header; LookupError names a column that is not there."""
        places = {name.lower(): at for at, name in enumerate(header)}
        missing = [column.name for column in self.columns if column.name.lower() not in places]
        if missing:
            raise LookupError(", ".join(missing))
        return _csv_reader(self.tree, places)


_CODE = """\
def read(row):
    try:
        {variables}
    except KeyError:
        return read({{**blank, **row}})
    return {{{members}}}
"""
_ORDINARY: dict[str, str] = {
    "as_text": "{0} if {0}.__class__ is str and {0} and '\\r' not in {0} and '\\0' not in {0} else ",
    "_as_moment": "{0}[:-5] + 'Z' if {0}.__class__ is str and {0}[-5:] == '+0000' else ",
}
"""What is made of ordinary values without a call, by the name of what converts the others."""


def _json_reader(tree: Tree) -> Callable[[Mapping[str, Any]], Fields]:
    """What reads rows of JSON, which may hold more, or less, than was asked for."""

    def below(node: Tree) -> Convert:
        read = _json_reader(node)
        return lambda value: _or_none(read(value)) if isinstance(value, dict) else None

    return _reader(tree, {name: f"row[{name!r}]" for name in tree}, below)


def _csv_reader(tree: Tree, places: Mapping[str, int]) -> Callable[[Sequence[str]], Fields]:
    """What reads rows of CSV, where the fields of parents stand beside the others."""

    def below(node: Tree) -> Convert:
        read = _csv_reader(node, places)
        return lambda row: _or_none(read(row))

    leaves = {name: f"row[{places[node.name.lower()]}]" for name, node in tree.items() if isinstance(node, Leaf)}
    return _reader(tree, {name: leaves.get(name, "row") for name in tree}, below)


def _reader(tree: Tree, where: Mapping[str, str], below: Callable[[Tree], Convert]) -> Callable[[Any], Fields]:
    """What reads rows: `where` says how a value is got from one, `below` makes what reads a parent."""
    variables, members, known = [], [], dict[str, Any](blank=dict.fromkeys(tree))
    for number, (name, node) in enumerate(tree.items()):
        value, convert = f"value{number}", node.convert if isinstance(node, Leaf) else below(node)
        known[f"to{number}"] = convert
        variables.append(f"{value} = {where[name]}")
        ordinary = _ORDINARY.get(convert.__name__, "").format(value)
        members.append(f"{name!r}: {ordinary}None if {value} is None or {value} == '' else to{number}({value})")
    code = _CODE.format(variables="; ".join(variables) or "pass", members=", ".join(members))
    return cast("Callable[[Any], Fields]", compiled(code, "read", known))


def _or_none(fields: Fields) -> Fields | None:
    return fields if any(value is not None for value in fields.values()) else None


def converter(type: str) -> Convert:
    """How values of a field type are read; unknown types are text."""
    return _CONVERTERS.get(type, as_text)


def as_text(value: Any) -> Any:
    """Text without NUL, its line breaks alike in both forms; None where nothing is left."""
    if value.__class__ is not str:
        return str(value).lower() if isinstance(value, bool) else str(value)
    if "\r" in value:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    return value.replace("\0", "") or None if "\0" in value else value


def _as_boolean(value: Any) -> bool:
    return value is True or value == "true"


def _as_whole(value: Any) -> Any:
    try:
        return int(value)
    except ValueError:
        return _as_number(value)


def _as_number(value: Any) -> Any:
    try:
        return float(value)
    except ValueError:
        return as_text(value)


def _as_moment(value: Any) -> Any:
    return f"{value[:-5]}Z" if isinstance(value, str) and value.endswith(_UTC) else as_text(value)


_CONVERTERS: dict[str, Convert] = {
    "boolean": _as_boolean,
    "int": _as_whole,
    "long": _as_whole,
    "double": _as_number,
    "currency": _as_number,
    "percent": _as_number,
    "datetime": _as_moment,
}


def stamp(moment: datetime) -> str:
    """A point in time as SOQL compares it: in UTC, to the second, for stamps have no fractions."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """A stamp back as a point in time."""
    return datetime.fromisoformat(text)


def inner(fields: Mapping[str, Any], path: Sequence[str]) -> Any:
    """The value at a path; None where a step is missing."""
    value: Any = fields
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
