"""The sources that the conformance tests try: one class each, over a real or stand-in server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, Protocol

from doubles.hubspot import HubSpot
from fixtures_postgres import Database
from pydantic import SecretStr

from connectors.base import Connector

EARLY = datetime(2024, 3, 1, 12, 0, 0, tzinfo=UTC)
NOBODY = "http://127.0.0.1:1"
"""Where nothing listens."""


@dataclass(frozen=True)
class Person:
    """What every subject can hold, whatever it calls the fields."""

    email: str
    first_name: str
    notes: str = ""


class Subject(Protocol):
    """A source with people in it."""

    object: str
    email: str
    """The field that holds the address."""
    first_name: str
    sees_removals: bool
    """Whether a reading names records that were removed."""

    def add(self, people: Sequence[Person], at: datetime) -> list[str]:
        """Add people with one modification stamp; returns their keys."""

    def change(self, key: str, first_name: str, at: datetime) -> None: ...
    def remove(self, key: str) -> None: ...
    def connect(
        self,
        object: str | None = None,
        fields: Sequence[str] | None = None,
        pause: Callable[[float], None] = lambda _: None,
        **keys: Any,
    ) -> Connector: ...
    def connect_badly(self, *, away: bool, pause: Callable[[float], None] = lambda _: None) -> Connector:
        """With credentials that are refused, or to an address where nothing listens."""


def opened(
    connector: str, variables: Any, fields: Sequence[str] | None, pause: Callable[[float], None], **keys: Any
) -> Connector:
    """The connector of that name over a source with these keys."""
    module: Any = import_module(f"connectors.{connector}")
    source = module.Source.model_validate({"connector": connector, **keys})
    return module.connect(source, variables, fields, pause)


class PostgresSubject:
    """A table in the embedded Postgres."""

    object, email, first_name, sees_removals = "public.people", "email", "first_name", False

    def __init__(self, database: Database) -> None:
        self._database = database
        database.do(
            "CREATE TABLE people (id serial PRIMARY KEY, email text, first_name text, notes text, "
            "updated_at timestamptz NOT NULL)"
        )
        database.do("CREATE INDEX ON people (updated_at, id)")

    def add(self, people: Sequence[Person], at: datetime) -> list[str]:
        statement = "INSERT INTO people (email, first_name, notes, updated_at) VALUES (%s, %s, %s, %s) RETURNING id"
        return [str(self._database.do(statement, p.email, p.first_name, p.notes, at)[0][0]) for p in people]

    def change(self, key: str, first_name: str, at: datetime) -> None:
        self._database.do("UPDATE people SET first_name = %s, updated_at = %s WHERE id = %s", first_name, at, int(key))

    def remove(self, key: str) -> None:
        self._database.do("DELETE FROM people WHERE id = %s", int(key))

    def connect(
        self,
        object: str | None = None,
        fields: Sequence[str] | None = None,
        pause: Callable[[float], None] = lambda _: None,
        **keys: Any,
    ) -> Connector:
        return self._opened(self._database.url, fields, pause, object=object or self.object, **keys)

    def connect_badly(self, *, away: bool, pause: Callable[[float], None] = lambda _: None) -> Connector:
        change = " port=1 host=127.0.0.1" if away else " user=nobody_there"
        return self._opened(self._database.url + change, None, pause, object=self.object)

    def _opened(self, url: str, fields: Sequence[str] | None, pause: Callable[[float], None], **keys: Any) -> Connector:
        from connectors.postgres import Variables

        variables = Variables.model_construct(database_url=SecretStr(url))
        return opened("postgres", variables, fields, pause, **keys)


class HubSpotSubject:
    """Contacts in the stand-in HubSpot."""

    object, email, first_name, sees_removals = "contacts", "email", "firstname", True

    def __init__(self) -> None:
        self._crm = HubSpot().start()

    def close(self) -> None:
        self._crm.close()

    def add(self, people: Sequence[Person], at: datetime) -> list[str]:
        rows = [{"email": p.email, "firstname": p.first_name, "message": p.notes} for p in people]
        return list(self._crm.add("contacts", rows, at=at))

    def change(self, key: str, first_name: str, at: datetime) -> None:
        self._crm.change("contacts", key, {"firstname": first_name}, at=at)

    def remove(self, key: str) -> None:
        self._crm.archive("contacts", key)

    def connect(
        self,
        object: str | None = None,
        fields: Sequence[str] | None = None,
        pause: Callable[[float], None] = lambda _: None,
        **keys: Any,
    ) -> Connector:
        wanted = fields or ["email", "firstname", "message"]
        return self._opened(self._crm.token, self._crm.url, wanted, pause, object=object or self.object, **keys)

    def connect_badly(self, *, away: bool, pause: Callable[[float], None] = lambda _: None) -> Connector:
        token = self._crm.token if away else "pat-na1-s3cret-0000"
        return self._opened(token, NOBODY if away else self._crm.url, None, pause, object=self.object)

    def _opened(
        self, token: str, url: str, fields: Sequence[str] | None, pause: Callable[[float], None], **keys: Any
    ) -> Connector:
        from connectors.hubspot import Variables

        variables = Variables.model_construct(hubspot_access_token=SecretStr(token), hubspot_base_url=url)
        return opened("hubspot", variables, fields, pause, **{"settle": "0s", "archived": "0s"} | keys)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
