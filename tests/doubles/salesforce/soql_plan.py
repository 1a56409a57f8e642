"""A parsed statement, checked against the org's objects, as two SQL statements: which records, and their values."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from .answers import Refusal, not_imitated
from .schema import Schema, SObject
from .soql_filters import Filters
from .soql_paths import Paths, Place
from .soql_result import Plan
from .soql_showing import Showing
from .soql_tokens import complaint, malformed
from .soql_tree import Aggregate, Comparison, Condition, Joined, Path, Query, TypeOf

_MOST_OFFSET = 2000
_WIDE = 2
_NEED_A_FILTER = {"ContentDocumentLink": {"ContentDocumentId", "LinkedEntityId"}}


class Planner:
    """Checks one statement and writes its SQL."""

    def __init__(self, schema: Schema, query: Query, today: date, *, everything: bool, table: str = "r") -> None:
        self.schema, self.query, self.today, self.everything = schema, query, today, everything
        self.sobject = self._sobject()
        self.root = Place(self.sobject, table)
        self.filtering = Paths(schema, query.statement, self.root)
        self.showing = Showing(query, Paths(schema, query.statement, self.root), self._names)

    def plan(self) -> Plan:
        query = self.query
        self._check_whole()
        counts, aggregates = self._counts(), self._aggregates()
        for item in () if counts or aggregates else query.selected:
            self.showing.show(item)
        keys, values = self._keys()
        return Plan(
            sobject=self.sobject,
            keys=keys,
            values=values,
            rows=self._rows(),
            tree=self.showing.tree,
            counts=counts,
            wide=self.showing.long_texts >= _WIDE,
            ordered_or_limited=bool(query.order) or query.limit is not None,
            types=any(isinstance(item, TypeOf) for item in query.selected),
            aggregates=aggregates,
        )

    def _rows(self) -> str:
        table, columns, joins = self.root.table, ", ".join(self.showing.columns), " ".join(self.showing.paths.joins)
        source = f'json_each(?) page CROSS JOIN "{self.sobject.name}" {table} ON {table}.rowid = page.value'
        return f"SELECT {columns} FROM {source} {joins} ORDER BY page.key"

    def subquery(self) -> tuple[str, list[Any]]:
        """SQL for a statement that stands within a condition: one column of it."""
        (path,) = self.query.selected
        if not isinstance(path, Path):
            raise malformed(self.query.statement, path.place, "The inner select must select one field")
        column, _ = self.filtering.column(path, self._names(path))
        keys, values = self._keys()
        return keys.replace(f"SELECT {self.root.table}.rowid", f"SELECT {column}", 1), list(values)

    def _sobject(self) -> SObject:
        query = self.query
        found = self.schema.find(query.sobject)
        if found is not None and "no-query" in found.marks:
            message = f"entity type {found.name} does not support query"
            raise Refusal(400, "INVALID_TYPE_FOR_OPERATION", message)
        if found is None:
            message = (
                f"sObject type '{query.sobject}' is not supported. If you are attempting to use a custom object, be "
                "sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for "
                "the appropriate names."
            )
            text = complaint(query.statement, query.sobject_place, message)
            raise Refusal(400, "INVALID_TYPE", text)
        return found

    def _check_whole(self) -> None:
        query = self.query
        if query.all_rows:
            raise malformed(query.statement, len(query.statement) - 8, "ALL ROWS not allowed in this context")
        if query.offset > _MOST_OFFSET:
            message = f"Maximum SOQL offset allowed is {_MOST_OFFSET}"
            raise Refusal(400, "NUMBER_OUTSIDE_VALID_RANGE", message)
        needed = _NEED_A_FILTER.get(self.sobject.name)
        if needed and not needed & set(compared(query.where)):
            message = (
                f"Implementation restriction: {self.sobject.name} requires a filter by a single Id on "
                f"{' or '.join(sorted(needed))} using the equals operator or multiple Id's using the IN operator."
            )
            raise Refusal(400, "MALFORMED_QUERY", message)

    def _counts(self) -> bool:
        first = self.query.selected[0]
        if not isinstance(first, Aggregate) or first.path is not None:
            return False
        if len(self.query.selected) > 1 or first.alias:
            raise malformed(self.query.statement, first.place, "COUNT() must be the only element in the SELECT list")
        if self.query.order:
            raise malformed(self.query.statement, first.place, "COUNT() can not be used with ORDER BY")
        return True

    def _aggregates(self) -> tuple[tuple[str, str], ...]:
        found = [item for item in self.query.selected if isinstance(item, Aggregate) and item.path]
        if not found:
            return ()
        if len(found) != len(self.query.selected):
            raise not_imitated("GROUP BY in SOQL")
        return tuple(self._aggregate(number, item) for number, item in enumerate(found))

    def _aggregate(self, number: int, item: Aggregate) -> tuple[str, str]:
        assert item.path is not None
        column, field = self.filtering.column(item.path, self._names(item.path))
        function = "count(DISTINCT {})" if item.function == "count_distinct" else item.function + "({})"
        expression = function.format(column)
        if field.type == "datetime" and item.function in {"min", "max"}:
            expression += " || '.000+0000'"
        return item.alias or f"expr{number}", expression

    def _keys(self) -> tuple[str, tuple[Any, ...]]:
        query, table = self.query, self.root.table
        filters = Filters(self.filtering, self._names, self._inner, self.today)
        conditions = [filters.sql(query.where)] if query.where else []
        if not self.everything:
            hidden = (name for name in ("IsDeleted", "IsArchived") if name in self.sobject.fields)
            conditions += [f'{table}."{name}" = 0' for name in hidden]
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        order = self._order()
        limit = f"LIMIT {-1 if query.limit is None else query.limit} OFFSET {query.offset}"
        joins = " ".join(self.filtering.joins)
        source = f'"{self.sobject.name}" {table} {joins}'
        return f"SELECT {table}.rowid FROM {source} {where} ORDER BY {order} {limit}", tuple(filters.values)

    def _order(self) -> str:
        """The orderings; what they leave open is settled against expectation, newest rows first."""
        found = self._orderings()
        settled = f'{self.root.table}."Id"' in {ordering.split()[0] for ordering in found}
        return ", ".join(found if settled else [*found, f"{self.root.table}.rowid DESC"])

    def _inner(self, query: Query) -> tuple[str, list[Any]]:
        inner = Planner(self.schema, query, self.today, everything=self.everything, table=self.root.table + "s")
        return inner.subquery()

    def _orderings(self) -> list[str]:
        found = []
        for ordering in self.query.order:
            column, field = self.filtering.column(ordering.path, self._names(ordering.path))
            if not field.sortable:
                message = f"field '{field.name}' can not be sorted in a query call"
                raise self.filtering.wrong(ordering.path, message, "MALFORMED_QUERY")
            direction = "DESC" if ordering.descending else "ASC"
            found.append(f"{column} {direction} NULLS {'LAST' if ordering.nulls_last else 'FIRST'}")
        return found

    def _names(self, path: Path) -> tuple[str, ...]:
        """The path's names without the statement's own alias or object name in front."""
        names = path.names
        own = {(self.query.alias or "").lower(), self.sobject.name.lower()}
        if len(names) > 1 and names[0].lower() in own and self.sobject.lookup(names[0]) is None:
            return names[1:]
        return names


def compared(condition: Condition | None) -> Iterator[str]:
    """The fields that a condition fixes by = or IN at its top level."""
    if isinstance(condition, Joined) and condition.word == "and":
        for part in condition.conditions:
            yield from compared(part)
    elif isinstance(condition, Comparison) and condition.operator in {"=", "in"}:
        yield condition.path.names[-1]
