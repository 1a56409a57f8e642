"""Rows of values as REST shows them (nested JSON) and as Bulk writes them (flat CSV, every value in quotes)."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .fields import Field
from .schema import Schema
from .soql_result import Branch, Choice, Compound, Leaf, Node, Plan

_MASK = "*"


class Rendering:
    """Shows records under one API version's addresses."""

    def __init__(self, schema: Schema, base: str) -> None:
        self.schema = schema
        self.base = base
        """`/services/data/v62.0`"""

    def record(self, branch: Branch, row: Sequence[Any]) -> dict[str, Any] | None:
        """A record with its attributes; None for a parent that is not there."""
        key = row[branch.key]
        if key is None:
            return None
        shown: dict[str, Any] = {"attributes": self._attributes(branch.type, key)}
        for name, node in branch.members.items():
            shown[name] = self._value(node, row, key)
        return shown

    def _attributes(self, type: str, id: str) -> dict[str, str]:
        own = type
        if type == "Name":
            found = self.schema.of_id(id)
            own = found.name if found else type
        return {"type": type, "url": f"{self.base}/sobjects/{own}/{id}"}

    def _value(self, node: Node, row: Sequence[Any], id: str) -> Any:
        if isinstance(node, Leaf):
            value = row[node.column]
            return None if value is None else self._scalar(node.field, value, id)
        if isinstance(node, Compound):
            parts = {name: row[column] for name, column in node.parts}
            return None if all(value is None for value in parts.values()) else parts
        if isinstance(node, Branch):
            return self.record(node, row)
        return self._choice(node, row)

    def _scalar(self, field: Field, value: Any, id: str) -> Any:
        if field.type == "base64":
            owner = self.schema.of_id(id)
            return f"{self.base}/sobjects/{owner.name if owner else 'Name'}/{id}/{field.name}"
        convert = _JSON.get(field.type)
        return convert(value) if convert else value

    def _choice(self, node: Choice, row: Sequence[Any]) -> dict[str, Any] | None:
        key = row[node.key]
        if key is None:
            return None
        found = self.schema.of_id(key)
        name = found.name if found else "Name"
        branch = node.branches.get(name) or node.otherwise
        return self.record(branch, row) if branch else {"attributes": self._attributes(name, key)}


def masked(value: str) -> str:
    """An encrypted text as those without the permission to see it get it."""
    return _MASK * max(0, len(value) - 4) + value[-4:]


_JSON: dict[str, Callable[[Any], Any]] = {
    "datetime": lambda value: value if value.endswith("+0000") else f"{value}.000+0000",
    "boolean": bool,
    "encryptedstring": masked,
}
_CSV: dict[str, Callable[[Any], str]] = {
    "datetime": "{}.000Z".format,
    "boolean": lambda value: "true" if value else "false",
    "encryptedstring": masked,
}


class Csv:
    """The text form of one plan's rows."""

    def __init__(self, plan: Plan, delimiter: str, line_end: str) -> None:
        self.delimiter, self.line_end = delimiter, line_end
        self.leaves = list(_leaves(plan.tree, ()))

    def header(self) -> bytes:
        return self._line([".".join(names) for names, _ in self.leaves])

    def line(self, row: Sequence[Any]) -> bytes:
        """One row; an empty text is a null."""
        return self._line([_text(leaf.field, row[leaf.column]) for _, leaf in self.leaves])

    def _line(self, values: Sequence[str]) -> bytes:
        quoted = (f'"{value.replace(chr(34), chr(34) * 2)}"' for value in values)
        return (self.delimiter.join(quoted) + self.line_end).encode()


def _text(field: Field, value: Any) -> str:
    if value is None:
        return ""
    convert = _CSV.get(field.type)
    return convert(value) if convert else str(value)


def _leaves(branch: Branch, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Leaf]]:
    for name, node in branch.members.items():
        if isinstance(node, Branch):
            yield from _leaves(node, (*names, name))
        elif isinstance(node, Leaf):
            yield (*names, name), node
