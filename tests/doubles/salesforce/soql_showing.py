"""The SELECT list: which columns are read, and where in the shown record each value belongs."""

from collections.abc import Callable

from .answers import Refusal
from .fields import Field
from .soql_paths import Paths, Place
from .soql_result import Branch, Choice, Compound, Leaf
from .soql_tokens import malformed
from .soql_tree import AllFields, Path, Query, Selected, TypeOf

_PARTS = ("Street", "City", "State", "PostalCode", "Country", "Latitude", "Longitude", "GeocodeAccuracy")
_MOST_ALL_FIELDS = 200


class Showing:
    """Gathers columns and the tree in which they are shown, one selected thing after the other."""

    def __init__(self, query: Query, paths: Paths, names_of: Callable[[Path], tuple[str, ...]]) -> None:
        self.query, self.paths, self.names_of = query, paths, names_of
        self.root, self.sobject = paths.root, paths.root.sobject
        self.columns = [f'{self.root.table}."Id"']
        self.tree = Branch(0, self.sobject.name, {})
        self.long_texts = 0
        self.seen: set[tuple[str, ...]] = set()

    def show(self, item: Selected) -> None:
        if isinstance(item, TypeOf):
            self._show_typeof(item)
        elif isinstance(item, AllFields):
            self._show_all(item)
        elif isinstance(item, Path):
            names = self.names_of(item)
            key = tuple(name.lower() for name in names)
            if key in self.seen:
                raise Refusal(400, "INVALID_FIELD", f"duplicate field selected: {'.'.join(names)}")
            self.seen.add(key)
            self._show_path(item, names)

    def _show_all(self, item: AllFields) -> None:
        if item.kind not in {"ALL", "STANDARD", "CUSTOM"}:
            raise malformed(self.query.statement, item.place, f"unexpected token: '{item.kind}'")
        if item.kind != "STANDARD" and (self.query.limit is None or self.query.limit > _MOST_ALL_FIELDS):
            message = "The SOQL FIELDS function must have a LIMIT of at most 200"
            raise malformed(self.query.statement, item.place, message)
        for field in self.sobject.visible.values():
            if item.kind == "ALL" or field.custom == (item.kind == "CUSTOM"):
                self.show(Path((field.name,), item.place))

    def _show_path(self, path: Path, names: tuple[str, ...]) -> None:
        place, branch = self.root, self.tree
        for relationship in names[:-1]:
            found = place.sobject.lookup(relationship) if not place.lookup else None
            place = self.paths.parent(path, place, relationship)
            assert found is not None
            branch = self._member(branch, str(found.relationship), place)
        self._show_field(path, place, names[-1], branch)

    def _member(self, branch: Branch, name: str, place: Place) -> Branch:
        known = branch.members.get(name)
        if not isinstance(known, Branch):
            known = Branch(self._column(place.key), place.name, {})
            branch.members[name] = known
        return known

    def _show_field(self, path: Path, place: Place, name: str, branch: Branch) -> None:
        column, field = self.paths.field_at(path, place, name)
        if field.type in {"address", "location"}:
            branch.members[field.name] = self._compound(place, field)
            return
        self.long_texts += field.custom and field.long_text
        branch.members[field.name] = Leaf(self._column(column), field)

    def _compound(self, place: Place, field: Field) -> Compound:
        prefix = field.name.removesuffix("Address")
        known = [part for part in _PARTS if prefix + part in place.sobject.fields]
        columns = [(part, self._column(f'{place.table}."{prefix}{part}"')) for part in known]
        return Compound(tuple((part[0].lower() + part[1:], column) for part, column in columns), field)

    def _show_typeof(self, item: TypeOf) -> None:
        lookup = self.sobject.lookup(item.relationship)
        path = Path((item.relationship,), item.place)
        if lookup is None or not lookup.polymorphic:
            self.paths.parent(path, self.root, item.relationship)
            message = f"TYPEOF needs a relationship to several objects, which '{item.relationship}' is not"
            raise self.paths.wrong(path, message)
        name_place = Place(self.sobject, self.root.table, lookup)
        key = self._column(name_place.key)
        branches = {entity: self._case(path, lookup, key, entity, fields) for entity, fields in item.cases}
        otherwise = Branch(key, "Name", {}) if item.otherwise else None
        for found in item.otherwise:
            self._show_field(found, name_place, found.names[-1], otherwise or self.tree)
        self.tree.members[str(lookup.relationship)] = Choice(key, branches, otherwise)

    def _case(self, path: Path, lookup: Field, key: int, type: str, fields: tuple[Path, ...]) -> Branch:
        if type not in lookup.targets:
            message = f"Entity '{type}' is not a valid type for the relationship '{lookup.relationship}'"
            raise self.paths.wrong(path, message, "INVALID_TYPE")
        start = self.paths.target(self.root, lookup, type)
        branch = Branch(key, type, {})
        for found in fields:
            place, inner = start, branch
            for relationship in found.names[:-1]:
                step = place.sobject.lookup(relationship)
                place = self.paths.parent(found, place, relationship)
                inner = self._member(inner, str(step.relationship if step else relationship), place)
            self._show_field(found, place, found.names[-1], inner)
        return branch

    def _column(self, expression: str) -> int:
        self.columns.append(expression)
        return len(self.columns) - 1
