"""SOQL conditions to SQL conditions, with the checks of type that the real parser makes."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from .answers import Refusal, not_imitated
from .fields import NUMBERS, WORDS, Field
from .ids import long_form
from .soql_conditions import COUNTED_RANGES
from .soql_paths import Paths
from .soql_tokens import complaint
from .soql_tree import Comparison, Condition, Joined, Literal, Negation, Query

_LONGEST_TEXT = 4000
_KINDS = {"datetime": "moment", "date": "date", "boolean": "boolean"} | dict.fromkeys(NUMBERS, "number")
_SPOKEN = {"datetime": "dateTime"}
_ORDERED = {"<", "<=", ">", ">="}


class Filters:
    """Turns conditions into SQL text and gathers its values in `values`."""

    def __init__(
        self,
        paths: Paths,
        names_of: Callable[[Any], tuple[str, ...]],
        subquery: Callable[[Query], tuple[str, list[Any]]],
        today: date,
    ) -> None:
        self.paths = paths
        self.names_of = names_of
        self.subquery = subquery
        self.today = today
        self.values: list[Any] = []

    def sql(self, condition: Condition) -> str:
        if isinstance(condition, Joined):
            return "(" + f" {condition.word.upper()} ".join(self.sql(part) for part in condition.conditions) + ")"
        if isinstance(condition, Negation):
            return f"NOT coalesce({self.sql(condition.condition)}, 0)"
        return self._comparison(condition)

    def _comparison(self, found: Comparison) -> str:
        column, field = self.paths.column(found.path, self.names_of(found.path))
        if not field.filterable:
            message = f"field '{field.name}' can not be filtered in a query call"
            raise self.paths.wrong(found.path, message)
        if field.type in {"address", "location"}:
            raise not_imitated("filters on compound fields")
        self._check_operator(found, field)
        if found.among:
            return self._among(column, found)
        values = [self._value(field, literal, found.operator) for literal in found.values]
        return self._written(column, found, values)

    def _check_operator(self, found: Comparison, field: Field) -> None:
        unordered = field.type in {"boolean", "multipicklist"} and found.operator in _ORDERED
        not_text = field.type not in WORDS - {"id", "reference"} and found.operator == "like"
        misplaced = (found.operator in {"includes", "excludes"}) != (
            field.type == "multipicklist" and found.operator not in {"=", "!=", "in", "not in"}
        )
        if unordered or not_text or misplaced:
            message = f"invalid operator on {field.type} field"
            text = complaint(self.paths.statement, found.path.place, message)
            raise Refusal(400, "INVALID_QUERY_FILTER_OPERATOR", text)

    def _written(self, column: str, found: Comparison, values: list[Any]) -> str:
        operator = found.operator
        if operator in {"in", "not in"}:
            return self._one_of(column, values, negated=operator == "not in")
        if operator in {"includes", "excludes"}:
            return self._includes(column, values, negated=operator == "excludes")
        value = values[0]
        if isinstance(value, tuple):
            return self._range(column, operator, *value)
        if value is None:
            return f"{column} IS NOT NULL" if operator == "!=" else f"{column} IS NULL"
        self.values.append(value)
        if operator == "like":
            return f"{column} LIKE ? ESCAPE '\\'"
        # A comparison by != finds empty fields too.
        return f"{column} IS NOT ?" if operator == "!=" else f"{column} {operator} ?"

    def _one_of(self, column: str, values: list[Any], *, negated: bool) -> str:
        known = [value for value in values if value is not None]
        self.values += known
        among = f"{column} IN ({', '.join('?' * len(known))})"
        if negated:
            return f"({column} IS NOT NULL AND NOT {among})" if None in values else f"coalesce(NOT {among}, 1)"
        return f"({among} OR {column} IS NULL)" if None in values else among

    def _includes(self, column: str, values: list[Any], *, negated: bool) -> str:
        alternatives = []
        for value in values:
            parts = str(value).split(";")
            self.values += [f"%;{part};%" for part in parts]
            alternatives.append(" AND ".join([f"';' || {column} || ';' LIKE ?"] * len(parts)))
        among = " OR ".join(f"({alternative})" for alternative in alternatives)
        return f"NOT coalesce({among}, 0)" if negated else f"({among})"

    def _range(self, column: str, operator: str, first: str, after: str) -> str:
        edges = {"<": f"{column} < '{first}'", ">=": f"{column} >= '{first}'"}
        edges |= {"<=": f"{column} < '{after}'", ">": f"{column} >= '{after}'"}
        within = f"({column} >= '{first}' AND {column} < '{after}')"
        return edges.get(operator) or (f"NOT {within}" if operator == "!=" else within)

    def _among(self, column: str, found: Comparison) -> str:
        assert found.among is not None
        inner, values = self.subquery(found.among)
        self.values += values
        return f"coalesce({column} {'NOT IN' if found.operator == 'not in' else 'IN'} ({inner}), 0)"

    def _value(self, field: Field, literal: Literal, operator: str) -> Any:
        if literal.kind == "null":
            if operator in _ORDERED | {"like"}:
                raise self._wrong_literal(field, literal, "invalid operator for a null value")
            return None
        if literal.kind == "range" and field.type in {"date", "datetime"}:
            return day_range(literal.text, self.today, field)
        kind = _KINDS.get(field.type, "text")
        if literal.kind != kind:
            raise self._wrong_literal(field, literal, _must_be(field, kind))
        return self._read(field, literal, operator)

    def _read(self, field: Field, literal: Literal, operator: str) -> Any:
        if field.type in {"id", "reference"}:
            return self._id(literal)
        if literal.kind == "text" and len(literal.text) > _LONGEST_TEXT:
            raise self._wrong_literal(field, literal, "the filter value is longer than 4000 characters")
        if literal.kind == "boolean":
            return literal.text == "true"
        try:
            return _READERS.get(literal.kind, str)(literal.pattern if operator == "like" else literal.text)
        except ValueError:
            message = f"invalid date or time: {literal.text}"
            raise Refusal(400, "MALFORMED_QUERY", message) from None

    def _id(self, literal: Literal) -> str | None:
        found = long_form(literal.text)
        if literal.text and found is None:
            message = f"invalid ID field: {literal.text}"
            text = complaint(self.paths.statement, literal.place, message)
            raise Refusal(400, "INVALID_QUERY_FILTER_OPERATOR", text)
        return found

    def _wrong_literal(self, field: Field, literal: Literal, message: str) -> Refusal:
        text = complaint(self.paths.statement, literal.place, message)
        return Refusal(400, "INVALID_FIELD", text)


def _must_be(field: Field, kind: str) -> str:
    quoted = "should be enclosed in quotes" if kind == "text" else "should not be enclosed in quotes"
    spoken = _SPOKEN.get(field.type, "string" if kind == "text" else field.type)
    return f"value of filter criterion for field '{field.name}' must be of type {spoken} and {quoted}"


def _moment(text: str) -> str:
    # Comparison ignores fractions of seconds, as stamps have none.
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


_READERS: dict[str, Callable[[str], Any]] = {
    "moment": _moment,
    "date": lambda text: date.fromisoformat(text).isoformat(),
    "number": float,
}


def day_range(word: str, today: date, field: Field) -> tuple[str, str]:
    """The first day of a named range and the day after its last, as the field's column holds them."""
    name, _, count = word.partition(":")
    day, days = timedelta(days=1), timedelta(days=int(count or 0))
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    ranges = {
        "yesterday": (today - day, today),
        "today": (today, today + day),
        "tomorrow": (today + day, today + 2 * day),
        "last_week": (monday - 7 * day, monday),
        "this_week": (monday, monday + 7 * day),
        "last_month": ((first - day).replace(day=1), first),
        "this_month": (first, (first + 31 * day).replace(day=1)),
        "this_year": (today.replace(month=1, day=1), date(today.year + 1, 1, 1)),
        "last_n_days": (today - days, today + day),
        "next_n_days": (today + day, today + days + day),
    }
    if name in COUNTED_RANGES and not count:
        raise Refusal(400, "MALFORMED_QUERY", f"unexpected token: '{word}'")
    suffix = "T00:00:00" if field.type == "datetime" else ""
    start, after = ranges[name]
    return start.isoformat() + suffix, after.isoformat() + suffix
