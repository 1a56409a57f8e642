"""Field paths to SQL: each parent is a join, a parent of several possible objects a join for each of them."""

from dataclasses import dataclass, field

from .answers import Refusal
from .fields import Field
from .schema import Schema, SObject
from .soql_tokens import complaint
from .soql_tree import Path

_DEEPEST = 5
_NAME_TEXTS = ("FirstName", "LastName", "Title", "Alias", "Username", "Phone", "Email", "UserRoleId", "ProfileId")
_USER_ONLY = frozenset({"Email", "Phone", "Title", "Alias", "Username", "UserRoleId", "ProfileId"})
NAME_FIELDS = {name: Field(name, "string", 255) for name in ("Name", "Type", *_NAME_TEXTS)}
NAME_FIELDS |= {"Id": Field("Id", "id", 18), "IsActive": Field("IsActive", "boolean")}
"""What can be read through a lookup that may point at several objects: the fields of the object Name."""


@dataclass(frozen=True)
class Place:
    """Where a path has arrived: one object under a table alias, or the object Name behind a lookup."""

    sobject: SObject
    table: str
    lookup: Field | None = None
    """The lookup of `sobject` that may point at several objects, where the path goes through it."""

    @property
    def key(self) -> str:
        return f'{self.table}."{self.lookup.name if self.lookup else "Id"}"'

    @property
    def name(self) -> str:
        return "Name" if self.lookup else self.sobject.name


@dataclass
class Paths:
    """Resolves the paths of one statement and gathers the joins that they need."""

    schema: Schema
    statement: str
    root: Place
    joins: list[str] = field(default_factory=list)
    _joined: dict[str, Place] = field(default_factory=dict)

    def column(self, path: Path, names: tuple[str, ...]) -> tuple[str, Field]:
        """The SQL expression and the field at the end of a path."""
        if len(names) - 1 > _DEEPEST:
            raise self.wrong(path, "the relationship path is deeper than 5 levels", "MALFORMED_QUERY")
        place = self.root
        for relationship in names[:-1]:
            place = self.parent(path, place, relationship)
        return self.field_at(path, place, names[-1])

    def field_at(self, path: Path, place: Place, name: str) -> tuple[str, Field]:
        """The SQL expression and the field `name` of the object at a place."""
        found = self._name_field(name) if place.lookup else place.sobject.field(name)
        if found is None:
            raise self.no_such_column(path, name, place.name)
        if place.lookup:
            return self._through_name(place, found), found
        if found.formula:
            names = tuple(found.formula.split("."))
            for relationship in names[:-1]:
                place = self.parent(path, place, relationship)
            return self.field_at(path, place, names[-1])[0], found
        return (f'{place.table}."{found.name}"' if found.stored else "NULL"), found

    def parent(self, path: Path, place: Place, relationship: str) -> Place:
        """The place behind a relationship."""
        lookup = None if place.lookup else place.sobject.lookup(relationship)
        if lookup is None or not self.targets(lookup):
            message = (
                f"Didn't understand relationship '{relationship}' in field path. If you are attempting to use a custom "
                "relationship, be sure to append the '__r' after the custom relationship name. Please reference your "
                "WSDL or the describe call for the appropriate names."
            )
            raise self.wrong(path, message)
        if lookup.polymorphic:
            return Place(place.sobject, place.table, lookup)
        return self.target(place, lookup, lookup.targets[0])

    def target(self, place: Place, lookup: Field, name: str) -> Place:
        """The object `name` behind a lookup."""
        reference = f'{place.table}."{lookup.name}"'
        condition = f'ON {{}}."Id" = {reference}'
        return self._join(f"{reference}>{name}", self.schema[name], condition)

    def _join(self, key: str, sobject: SObject, condition: str) -> Place:
        if key not in self._joined:
            table = f"{self.root.table}p{len(self._joined)}"
            self._joined[key] = Place(sobject, table)
            self.joins.append(f'LEFT JOIN "{sobject.name}" {table} {condition.format(table)}')
        return self._joined[key]

    def _name_field(self, name: str) -> Field | None:
        return next((found for known, found in NAME_FIELDS.items() if known.lower() == name.lower()), None)

    def _through_name(self, place: Place, wanted: Field) -> str:
        lookup, reference = place.lookup, place.key
        assert lookup is not None
        if wanted.name == "Id":
            return reference
        if wanted.name == "Type":
            return self._type_of(lookup, reference)
        found = [
            f'{self.target(place, lookup, sobject.name).table}."{name}"'
            for sobject in self.targets(lookup)
            if (name := self._own_name(sobject, wanted.name))
        ]
        return f"coalesce({', '.join([*found, 'NULL', 'NULL'])})"

    def _own_name(self, sobject: SObject, wanted: str) -> str | None:
        """The object's field behind a field of Name: only users and queues show their addresses there."""
        if wanted == "Name":
            return sobject.name_field
        if wanted in _USER_ONLY and sobject.name not in {"User", "Group"}:
            return None
        return wanted if wanted in sobject.visible else None

    def targets(self, lookup: Field) -> list[SObject]:
        """The objects that a lookup may point at, as far as the org has them."""
        return [self.schema[name] for name in lookup.targets if name in self.schema.objects]

    def _type_of(self, lookup: Field, reference: str) -> str:
        whens = "".join(f" WHEN '{found.prefix}' THEN '{found.name}'" for found in self.targets(lookup))
        return f"CASE substr({reference}, 1, 3){whens} END"

    def no_such_column(self, path: Path, name: str, entity: str) -> Refusal:
        message = (
            f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to "
            "append the '__c' after the custom field name. Please reference your WSDL or the describe call for the "
            "appropriate names."
        )
        return self.wrong(path, message)

    def wrong(self, path: Path, message: str, code: str = "INVALID_FIELD") -> Refusal:
        return Refusal(400, code, complaint(self.statement, path.place, message))
