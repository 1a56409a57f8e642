"""Values as records hold them: the same whether they came as JSON or as CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

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


def _json_reader(tree: Tree) -> Callable[[Mapping[str, Any]], Fields]:
    """What reads rows of JSON: a row that holds just what was asked for is copied, and changed where need be."""
    leaves = {name: node.convert for name, node in tree.items() if isinstance(node, Leaf)}
    texts = tuple(name for name, convert in leaves.items() if convert is as_text)
    moments = tuple(name for name, convert in leaves.items() if convert is _as_moment)
    others = [(name, convert) for name, convert in leaves.items() if convert not in (as_text, _as_moment)]
    inner = [(name, _json_reader(node)) for name, node in tree.items() if not isinstance(node, Leaf)]

    def changed(fields: Fields) -> Fields:
        for name in texts:
            text = fields[name]
            if text is not None and (text.__class__ is not str or not text or "\r" in text or "\0" in text):
                fields[name] = _given(text, as_text)
        for name in moments:
            text = fields[name]
            utc = text.__class__ is str and text[-5:] == _UTC
            fields[name] = text[:-5] + "Z" if utc else _given(text, _as_moment)
        for name, convert in others:
            fields[name] = None if (value := fields[name]) is None or value == "" else convert(value)
        for name, below in inner:
            fields[name] = _or_none(below(value)) if isinstance(value := fields[name], dict) else None
        return fields

    def read(row: Mapping[str, Any]) -> Fields:
        fields = dict(row)
        fields.pop(_ABOUT_ITSELF, None)
        try:
            if len(fields) == len(tree):
                return changed(fields)
        except KeyError:  # as many values as were asked for, but not those
            pass
        return changed({name: row.get(name) for name in tree})

    return read


def _given(value: Any, convert: Convert) -> Any:
    """A value of JSON, converted; what is empty is None."""
    return None if value is None or value == "" else convert(value)


def _csv_reader(tree: Tree, places: Mapping[str, int]) -> Callable[[Sequence[str]], Fields]:
    leaves = [(name, places[node.name.lower()], node.convert) for name, node in tree.items() if isinstance(node, Leaf)]
    texts = [(name, at) for name, at, convert in leaves if convert is as_text]
    moments = [(name, at) for name, at, convert in leaves if convert is _as_moment]
    others = [(name, at, convert) for name, at, convert in leaves if convert not in (as_text, _as_moment)]
    inner = [(name, _csv_reader(node, places)) for name, node in tree.items() if not isinstance(node, Leaf)]

    def read(row: Sequence[str]) -> Fields:
        fields: Fields = {
            name: text
            if (text := row[at]) and "\r" not in text and "\0" not in text
            else (as_text(text) if text else None)
            for name, at in texts
        }
        for name, at in moments:
            text = row[at]
            fields[name] = text[:-5] + "Z" if text[-5:] == _UTC else (_as_moment(text) if text else None)
        for name, at, convert in others:
            fields[name] = convert(text) if (text := row[at]) else None
        for name, below in inner:
            fields[name] = _or_none(below(row))
        return fields

    return read


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
