"""Salesforce for the conformance tests: contacts in the stand-in org."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from doubles.salesforce import Salesforce
from pydantic import SecretStr
from subjects import NOBODY, Person, opened

from connectors.base import Connector


class SalesforceSubject:
    """Contacts in the stand-in Salesforce."""

    object, email, first_name, sees_removals = "Contact", "Email", "FirstName", True

    def __init__(self) -> None:
        self._org = Salesforce().__enter__()

    def close(self) -> None:
        self._org.__exit__()

    def add(self, people: Sequence[Person], at: datetime) -> list[str]:
        rows = [
            {"Email": p.email, "FirstName": p.first_name, "LastName": "Roe", "Description": p.notes} for p in people
        ]
        return self._org.add("Contact", rows, at)

    def change(self, key: str, first_name: str, at: datetime) -> None:
        self._org.change("Contact", key, {"FirstName": first_name}, at)

    def remove(self, key: str) -> None:
        self._org.delete("Contact", key)

    def connect(
        self,
        object: str | None = None,
        fields: Sequence[str] | None = None,
        pause: Callable[[float], None] = lambda _: None,
        **keys: Any,
    ) -> Connector:
        wanted = fields or ["Email", "FirstName", "Description"]
        return self._opened(self._org.client_secret, self._org.url, wanted, pause, object=object or self.object, **keys)

    def connect_badly(self, *, away: bool, pause: Callable[[float], None] = lambda _: None) -> Connector:
        secret = self._org.client_secret if away else "s3cret-0000"
        return self._opened(secret, NOBODY if away else self._org.url, None, pause, object=self.object)

    def _opened(
        self, secret: str, url: str, fields: Sequence[str] | None, pause: Callable[[float], None], **keys: Any
    ) -> Connector:
        from connectors.salesforce import Variables

        variables = Variables(
            _env_file=None,
            sf_login_url=url,
            sf_client_id=self._org.client_id,
            sf_client_secret=SecretStr(secret),
        )
        return opened("salesforce", variables, fields, pause, **keys)
