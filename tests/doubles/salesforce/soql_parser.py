"""SOQL tokens to a tree, as strictly as the real parser where the difference loses rows or runs."""

from .answers import not_imitated, refusal
from .soql_conditions import Conditions
from .soql_tokens import Token, tokens_of
from .soql_tree import Aggregate, AllFields, Ordering, Path, Query, Selected, TypeOf

_AGGREGATES = {"count", "count_distinct", "min", "max", "sum", "avg"}
_NOT_IMITATED = {"with", "group", "having", "using", "for", "update"}
_LONGEST = 100_000


def parse(statement: str) -> Query:
    """The tree of a statement; MALFORMED_QUERY where the real parser would not read it."""
    if len(statement) > _LONGEST:
        raise refusal("QUERY_TOO_COMPLICATED", "SOQL statements cannot be longer than 100000 characters.")
    reader = Statement(statement, tokens_of(statement))
    query = reader.query()
    reader.expect_end()
    return query


class Statement(Conditions):
    """Reads one statement from its tokens, left to right."""

    def query(self) -> Query:
        self.expect_word("select")
        selected = self._selection()
        self.expect_word("from")
        sobject = self.name()
        alias = self._alias()
        where = self.condition() if self.take_word("where") else None
        self._refuse_what_is_not_imitated()
        order = self._order() if self.take_word("order") else ()
        limit = self._number() if self.take_word("limit") else None
        offset = self._number() if self.take_word("offset") else 0
        self._refuse_what_is_not_imitated()
        all_rows = self._all_rows()
        return Query(
            self.statement, selected, sobject.text, sobject.place, alias, where, order, limit, offset, all_rows
        )

    def _selection(self) -> tuple[Selected, ...]:
        selected = [self._item()]
        while self.take_sign(","):
            selected.append(self._item())
        return tuple(selected)

    def _item(self) -> Selected:
        if self.at_sign("("):
            raise not_imitated("subqueries in the SELECT list")
        word = self.name()
        if word.text.lower() == "typeof":
            return self._typeof(word.place)
        if not self.at_sign("("):
            return Path(tuple(word.text.split(".")), word.place)
        if word.text.lower() == "fields":
            return AllFields(self._parenthesised().text.upper(), word.place)
        if word.text.lower() in _AGGREGATES:
            return self._aggregate(word.text.lower(), word.place)
        raise not_imitated(f"the function {word.text}()")

    def _parenthesised(self) -> Token:
        self.expect_sign("(")
        word = self.name()
        self.expect_sign(")")
        return word

    def _aggregate(self, function: str, place: int) -> Aggregate:
        self.expect_sign("(")
        path = None if self.at_sign(")") else self.path()
        self.expect_sign(")")
        alias = None
        if self.at("word") and not self.at_word("from"):
            alias = self.name().text
        if path is None and function != "count":
            raise self.unexpected()
        return Aggregate(function, path, alias, place)

    def _typeof(self, place: int) -> TypeOf:
        relationship = self.name().text
        cases = []
        while self.take_word("when"):
            entity = self.name().text
            self.expect_word("then")
            cases.append((entity, self._paths()))
        if not cases:
            raise self.unexpected()
        otherwise = self._paths() if self.take_word("else") else ()
        self.expect_word("end")
        return TypeOf(relationship, place, tuple(cases), otherwise)

    def _paths(self) -> tuple[Path, ...]:
        paths = [self.path()]
        while self.take_sign(","):
            paths.append(self.path())
        return tuple(paths)

    def _alias(self) -> str | None:
        if self.at_sign(","):
            raise not_imitated("several objects in FROM")
        keywords = _NOT_IMITATED | {"where", "order", "limit", "offset", "all"}
        if self.take_word("as"):
            return self.name().text
        if self.at("word") and self.token.text.lower() not in keywords:
            return self.name().text
        return None

    def _order(self) -> tuple[Ordering, ...]:
        self.expect_word("by")
        orderings = [self._ordering()]
        while self.take_sign(","):
            orderings.append(self._ordering())
        return tuple(orderings)

    def _ordering(self) -> Ordering:
        path = self.path()
        descending = self.take_word("desc")
        if not descending:
            self.take_word("asc")
        last = False
        if self.take_word("nulls"):
            last = self.take_word("last")
            if not last:
                self.expect_word("first")
        return Ordering(path, descending, last)

    def _number(self) -> int:
        token = self.next("number")
        if not token.text.isdigit():
            raise self.unexpected(token)
        return int(token.text)

    def _all_rows(self) -> bool:
        if not self.take_word("all"):
            return False
        self.expect_word("rows")
        return True

    def _refuse_what_is_not_imitated(self) -> None:
        if self.at("word") and self.token.text.lower() in _NOT_IMITATED:
            raise not_imitated(f"{self.token.text.upper()} in SOQL")
