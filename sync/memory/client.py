"""The calls of the memory API that memsync makes, in both dialects."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, Protocol
from urllib.parse import quote

import orjson

from sync.memory.answers import Answer, data_of, redact
from sync.memory.errors import CallsSpent, DestinationMisconfigured, DestinationUnavailable, NotFound, QuotaExhausted
from sync.memory.words import without_values

Dialect = Literal["v1", "v1.1"]

_PATHS: Mapping[Dialect, Mapping[str, str]] = {
    "v1": {"batch": "/batch-memorize", "search": "/search", "digest": "/smart-memory-digest"},
    "v1.1": {"batch": "/memory/import", "search": "/memory/search", "digest": "/memory/digest"},
}
_ABOUT_NOBODY = ("/me", "/collections")
_ENDS = tuple(paths["batch"] for paths in _PATHS.values())
_PAGES = 1000
_EVENT_ID = re.compile(r"(?!\.+\Z)[!-~]{1,200}")


class Transport(Protocol):
    """How requests travel; `sync.memory.http.Http` in life."""

    def call(
        self, method: str, path: str, body: bytes | None = None, params: dict[str, Any] | None = None
    ) -> Answer: ...


class MemoryClient:
    """One method per call. Each raises the DestinationError that says what to do, and counts in `calls`."""

    def __init__(
        self,
        http: Transport,
        dialect: Dialect | Literal["auto"] = "auto",
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._http, self._warn = http, warn
        self.dialect: Dialect = "v1" if dialect == "auto" else dialect
        self._undecided = dialect == "auto"
        self._warned = False
        self._lock = threading.Lock()
        self._alone = threading.Lock()
        self.calls = 0
        self.most: int | None = None
        """How many calls there may be, where somebody set a limit."""
        self.doubtful = False
        """Whether batches go one at a time until one is taken: the quota was used up when it was last tried."""
        self.exhausted: str | None = None
        """The server's word that the quota is used up, once it gave it: no further call is made."""

    @property
    def extract_word(self) -> str:
        """What this dialect calls `extractMemories`."""
        return "extractMemories" if self.dialect == "v1" else "extract"

    def me(self) -> dict[str, Any]:
        """The key's organisation, plan and limits; settles the dialect when it is `auto`."""
        if not self._undecided:
            return self._call("GET", "/me")
        self.dialect = "v1"
        try:
            found = self._call("GET", "/me")
        except NotFound:
            self.dialect = "v1.1"
            found = self._me_of_the_newer()
        self._undecided = False
        return found

    def _me_of_the_newer(self) -> dict[str, Any]:
        try:
            return self._call("GET", "/me")
        except NotFound as problem:
            raise DestinationMisconfigured(f"neither /api/v1/me nor /api/v1.1/me is there; {problem}") from None

    def collections(self) -> Iterator[dict[str, Any]]:
        """Every collection of the organisation, as the server describes it."""
        token: str | None = None
        seen: set[str] = set()
        for _ in range(_PAGES):
            params = {"limit": 100} | ({"nextToken": token} if token else {})
            data = self._call("GET", "/collections", params=params)
            actions = data.get("actions")
            if not isinstance(actions, list):
                raise DestinationUnavailable("GET /collections: expected a list under data.actions", ambiguous=False)
            yield from (action for action in actions if isinstance(action, dict))
            following = data.get("nextToken")
            if not following:
                return
            token = str(following)
            if token in seen:
                raise DestinationUnavailable("GET /collections: the same nextToken came twice", ambiguous=False)
            seen.add(token)
        raise DestinationUnavailable(f"GET /collections: no end after {_PAGES} pages", ambiguous=False)

    def batch(self, body: bytes) -> dict[str, Any]:
        """Hand over a chunk; the answer always holds a non-empty `eventId`."""
        with self._in_doubt_alone():
            data = self._call("POST", _PATHS[self.dialect]["batch"], body)
        event = data.get("eventId")
        if isinstance(event, int) and not isinstance(event, bool):
            event = str(event)
        if not isinstance(event, str) or not _EVENT_ID.fullmatch(event):
            shown = without_values(redact(", ".join(sorted(str(key)[:40] for key in data)) or "none"), body)
            raise DestinationUnavailable(
                f"POST {_PATHS[self.dialect]['batch']}: expected data.eventId, found the names: {shown}",
                ambiguous=True,
            )
        return data | {"eventId": event}

    @contextmanager
    def _in_doubt_alone(self) -> Iterator[None]:
        if not self.doubtful:
            yield
            return
        with self._alone:
            yield
            self.doubtful = False

    def check_batch(self, body: bytes) -> dict[str, Any]:
        """Have the server check a chunk whose body says `dryRun: true`; it need not name an event."""
        return self._call("POST", _PATHS[self.dialect]["batch"], body)

    def event(self, event_id: str) -> dict[str, Any] | None:
        """What is known of an accepted chunk; None when the server does not know the event (any more)."""
        try:
            return self._call("GET", f"/events/{quote(event_id, safe='')}")
        except NotFound:
            return None

    def search(self, query: Mapping[str, Any]) -> dict[str, Any]:
        """One page of records; `query` must hold `page` and `pageSize`."""
        return self._call("POST", _PATHS[self.dialect]["search"], orjson.dumps(dict(query)))

    def digest(self, query: Mapping[str, Any]) -> dict[str, Any]:
        """Everything about one record, nothing where there is none; `query` must hold `token_budget`."""
        try:
            return self._call("POST", _PATHS[self.dialect]["digest"], orjson.dumps(dict(query)))
        except NotFound as problem:
            if problem.code != "RECORD_NOT_FOUND":
                raise
            return {}

    def update_keys(self, record_id: str, entity_type: str, keys: Mapping[str, str]) -> dict[str, Any]:
        """Add keys to a record, so that it is found, and written to, by them as well; the old ones stay.

        The answer may hold `conflicts`: keys that another record has. Path and shape are those of the public list of
        endpoints.
        """
        body = {"recordId": record_id, "type": entity_type, "keys": dict(keys)}
        return self._call("POST", "/memory/update-keys", orjson.dumps(body))

    def _call(
        self, method: str, path: str, body: bytes | None = None, params: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        with self._lock:
            if self.exhausted is not None:
                raise QuotaExhausted(self.exhausted)
            if self.most is not None and self.calls >= self.most:
                raise CallsSpent(
                    "all calls of this run are made (--max-calls or limits.maxCalls); the next run goes on"
                )
            self.calls += 1
        answer = self._http.call(method, f"/api/{self.dialect}{path}", body, params)
        self._mention_sunset(answer)
        answer = answer._replace(sent=b"" if path in _ABOUT_NOBODY else body if path.endswith(_ENDS) else None)
        try:
            return data_of(answer, f"{method} {path}")
        except QuotaExhausted as problem:
            self.exhausted = str(problem)
            raise

    def _mention_sunset(self, answer: Answer) -> None:
        sunset = answer.headers.get("sunset")
        with self._lock:
            news = bool(sunset) and not self._warned
            self._warned = self._warned or news
        if news and sunset:
            self._warn(about_sunset(self.dialect, sunset, datetime.now(UTC)))


def about_sunset(dialect: Dialect, sunset: str, now: datetime) -> str:
    """What the announced end of a dialect (a date as HTTP or ISO 8601 write it) means, and what to set."""
    hint = ": set PERSONIZE_API_VERSION=v1.1 to use the newer one" if dialect == "v1" else ""
    ends = _date(sunset)
    if ends is None:
        return f"the server announces an end of its API {dialect}{hint}"
    if ends < now.date():
        return f"the server's API {dialect} was announced to end on {ends}, and still answers{hint}"
    return f"the server's API {dialect} is announced to end on {ends}{hint}"


def _date(text: str) -> date | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        with suppress(ValueError, OverflowError):
            return read(text).date()
    return None
