"""The WHERE clause of SOQL: AND and OR mix only within brackets, NOT stands only at the beginning of a group."""

from collections.abc import Sequence

from .answers import Refusal
from .soql_tokens import Token, malformed, unescaped
from .soql_tree import Comparison, Condition, Joined, Literal, Negation, Path, Query

_SIGNS = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
RANGES = {"yesterday", "today", "tomorrow", "last_week", "this_week", "last_month", "this_month", "this_year"}
COUNTED_RANGES = {"last_n_days", "next_n_days"}


class Conditions:
    """Reads tokens left to right; this part knows conditions, `query` reads a statement within brackets."""

    def __init__(self, statement: str, tokens: Sequence[Token]) -> None:
        self.statement = statement
        self.tokens = tokens
        self.position = 0

    def query(self) -> Query:
        raise NotImplementedError

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def at(self, kind: str) -> bool:
        return self.token.kind == kind

    def at_word(self, word: str) -> bool:
        return self.at("word") and self.token.text.lower() == word

    def at_sign(self, sign: str) -> bool:
        return self.at("sign") and self.token.text == sign

    def next(self, kind: str) -> Token:
        """The next token, which must be of this kind."""
        token = self.token
        if token.kind != kind:
            raise self.unexpected()
        self.position += 1
        return token

    def take_word(self, word: str) -> bool:
        found = self.at_word(word)
        self.position += found
        return found

    def take_sign(self, sign: str) -> bool:
        found = self.at_sign(sign)
        self.position += found
        return found

    def expect_word(self, word: str) -> None:
        if not self.take_word(word):
            raise self.unexpected()

    def expect_sign(self, sign: str) -> None:
        if not self.take_sign(sign):
            raise self.unexpected()

    def expect_end(self) -> None:
        if not self.at("end"):
            raise self.unexpected()

    def unexpected(self, token: Token | None = None) -> Refusal:
        token = token or self.token
        return malformed(self.statement, token.place, f"unexpected token: '{token.text}'")

    def name(self) -> Token:
        return self.next("word")

    def path(self) -> Path:
        word = self.name()
        return Path(tuple(word.text.split(".")), word.place)

    def condition(self) -> Condition:
        if self.take_word("not"):
            return Negation(self._simple())
        found = [self._simple()]
        word = next((word for word in ("and", "or") if self.at_word(word)), "")
        while word and self.take_word(word):
            found.append(self._simple())
        return Joined(word, tuple(found)) if word else found[0]

    def _simple(self) -> Condition:
        if not self.take_sign("("):
            return self._comparison()
        inner = self.condition()
        self.expect_sign(")")
        return inner

    def _comparison(self) -> Comparison:
        path = self.path()
        if path.names == ("NOT",):
            raise self.unexpected(self.tokens[self.position - 1])
        operator = self._operator()
        if operator in {"in", "not in"} and self._at_subquery():
            return self._among(path, operator)
        if operator in {"in", "not in", "includes", "excludes"}:
            return Comparison(path, operator, self._list())
        return Comparison(path, operator, (self._literal(),))

    def _operator(self) -> str:
        if self.at("sign") and self.token.text in _SIGNS:
            return _SIGNS[self.next("sign").text]
        for word in ("like", "in", "includes", "excludes"):
            if self.take_word(word):
                return word
        self.expect_word("not")
        self.expect_word("in")
        return "not in"

    def _at_subquery(self) -> bool:
        following = self.tokens[self.position + 1 : self.position + 2]
        return self.at_sign("(") and bool(following) and following[0].text.lower() == "select"

    def _among(self, path: Path, operator: str) -> Comparison:
        self.expect_sign("(")
        inner = self.query()
        self.expect_sign(")")
        return Comparison(path, operator, (), inner)

    def _list(self) -> tuple[Literal, ...]:
        self.expect_sign("(")
        values = [self._literal()]
        while self.take_sign(","):
            values.append(self._literal())
        self.expect_sign(")")
        return tuple(values)

    def _literal(self) -> Literal:
        token = self.token
        self.position += 1
        if token.kind == "text":
            raw = unescaped(self.statement, token, pattern=True)
            return Literal("text", unescaped(self.statement, token), token.place, raw)
        if token.kind in {"moment", "date", "number"}:
            return Literal(token.kind, token.text, token.place)
        if token.kind == "word":
            return self._keyword(token)
        raise self.unexpected(token)

    def _keyword(self, token: Token) -> Literal:
        word = token.text.lower()
        if word in {"true", "false"}:
            return Literal("boolean", word, token.place)
        if word == "null":
            return Literal("null", word, token.place)
        if word in RANGES:
            return Literal("range", word, token.place)
        if word in COUNTED_RANGES:
            self.expect_sign(":")
            return Literal("range", f"{word}:{self.next('number').text}", token.place)
        raise self.unexpected(token)
