"""Values as records hold them: the same whether they came as JSON or as CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from connectors.base import SourceMisconfigured
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
                branch = _branch(branch.setdefault(step, {}), column)
            if isinstance(branch.get(column.path[-1]), dict):
                raise _ambiguous(column)
            branch[column.path[-1]] = Leaf(column.name, converter(column.type))
        return Shape(tuple(columns), tree)

    def of_csv(self, header: Sequence[str]) -> Callable[[Sequence[str]], Fields]:
        """What reads a CSV row under this header; LookupError names a column that is not there."""
        places = {name.lower(): at for at, name in enumerate(header)}
        missing = [column.name for column in self.columns if column.name.lower() not in places]
        if missing:
            raise LookupError(", ".join(missing))
        return _csv_reader(self.tree, places)


def _branch(found: Leaf | Tree, column: Column) -> Tree:
    if isinstance(found, Leaf):
        raise _ambiguous(column)
    return found


def _ambiguous(column: Column) -> SourceMisconfigured:
    return SourceMisconfigured(
        f"{column.name}: Salesforce names a field and a relationship alike here: map one of them"
    )


_JSON = """\
def read(row):
    fields = dict(row)
    fields.pop("attributes", None)
    if len(fields) != {number}:
        fields = {{name: row.get(name) for name in names}}
    try:
        {lines}
    except KeyError:  # as many values as were asked for, but not those
        return read({{name: row.get(name) for name in names}})
    return fields
"""
_CSV = """\
def read(row):
    return {{{lines}}}
"""


def _json_reader(tree: Tree) -> Callable[[Mapping[str, Any]], Fields]:
    """What reads rows of JSON, which may hold more, or less, than was asked for."""
    lines, known = list[str](), dict[str, Any](names=tuple(tree))
    for number, (name, node) in enumerate(tree.items()):
        convert = node.convert if isinstance(node, Leaf) else _json_parent(_json_reader(node))
        known[f"to{number}"] = convert
        value, changed = f"value = fields[{name!r}]", f"fields[{name!r}] ="
        made = f"{changed} to{number}(value) if value != '' else None"
        if convert is as_text:
            odd = "value.__class__ is not str or not value or '\\r' in value or '\\0' in value"
            lines += [value, f"if value is not None and ({odd}): {made}"]
        elif convert is _as_moment:
            utc = f"value.__class__ is str and value[-5:] == {_UTC!r}"
            lines += [value, f"if {utc}: {changed} value[:-5] + 'Z'", f"elif value is not None: {made}"]
        else:
            lines += [value, f"if value is not None: {made}"]
    code = _JSON.format(number=len(tree), lines="\n        ".join(lines) or "pass")
    return cast("Callable[[Any], Fields]", compiled(code, "read", known))


def _json_parent(read: Callable[[Any], Fields]) -> Convert:
    return lambda value: _or_none(read(value)) if isinstance(value, dict) else None


def _csv_reader(tree: Tree, places: Mapping[str, int]) -> Callable[[Sequence[str]], Fields]:
    """What reads rows of CSV, where the fields of parents stand beside the others."""
    members, known = list[str](), dict[str, Any](parent=_or_none)
    for number, (name, node) in enumerate(tree.items()):
        if not isinstance(node, Leaf):
            known[f"to{number}"] = _csv_reader(node, places)
            members.append(f"{name!r}: parent(to{number}(row))")
            continue
        known[f"to{number}"], value = node.convert, f"row[{places[node.name.lower()]}]"
        made = f"to{number}(value)"
        if node.convert is as_text:
            made = f"value if '\\r' not in value and '\\0' not in value else {made}"
        elif node.convert is _as_moment:
            made = f"value[:-5] + 'Z' if value[-5:] == {_UTC!r} else {made}"
        members.append(f"{name!r}: ({made}) if (value := {value}) else None")
    return cast("Callable[[Any], Fields]", compiled(_CSV.format(lines=", ".join(members)), "read", known))


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
