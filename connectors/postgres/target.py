"""Where DATABASE_URL points, and with which options a connection is opened."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo, pq
from pydantic import SecretStr

from connectors.base import SourceMisconfigured

CONNECT_SECONDS = 10
_EXPECTED = "expected postgresql://user:password@host:5432/database"
_ESCAPE = "percent-encode special characters in the password (@ is %40, / is %2F, : is %3A, # is %23)"
_LOCAL = re.compile(r"(/.*|@.*|localhost|127\.\d+\.\d+\.\d+|::1|)$")
_SYSTEM_ROOTS_SINCE = 160000


@dataclass(frozen=True, slots=True)
class Target:
    """Everything a connection needs; `place` is what may be shown."""

    variable: str
    place: str
    options: dict[str, Any] = field(repr=False)


def target_of(url: SecretStr | None, variable: str) -> Target:
    """Understand a URL or keyword form; raises SourceMisconfigured and never shows what was given."""
    if url is None:
        raise SourceMisconfigured(f"{variable} is not set: set it in the environment or in .env; {_EXPECTED}")
    given = _parse(url.get_secret_value().strip(), variable)
    options: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "application_name": "memsync",
        **_tls(given),
        **given,
        "client_encoding": "UTF8",
    }
    return Target(variable, _place(given), options)


def _parse(text: str, variable: str) -> dict[str, Any]:
    if not text.startswith(("postgres://", "postgresql://")) and ("://" in text or "=" not in text):
        raise SourceMisconfigured(f"{variable} is not a Postgres URL: {_EXPECTED}")
    try:
        given = conninfo.conninfo_to_dict(text)
    except (psycopg.Error, UnicodeError):
        raise SourceMisconfigured(f"{variable} cannot be understood: {_EXPECTED}; {_ESCAPE}") from None
    if not re.fullmatch(r"[\d,]*", str(given.get("port", ""))):
        raise SourceMisconfigured(f"{variable} has a port that is no number: {_EXPECTED}; {_ESCAPE}")
    if any("@" in str(given.get(name, "")).lstrip("@") for name in ("host", "dbname")):
        raise SourceMisconfigured(f"{variable} has more than one @: {_EXPECTED}; {_ESCAPE}")
    return given


def _tls(given: dict[str, Any]) -> dict[str, Any]:
    """Remote servers must prove who they are, unless the URL or PGSSLMODE says otherwise."""
    says_otherwise = "sslmode" in given or "service" in given or os.environ.get("PGSSLMODE")
    if says_otherwise or is_local(given):
        return {}
    roots = given.get("sslrootcert") or os.environ.get("PGSSLROOTCERT")
    if roots or (Path.home() / ".postgresql" / "root.crt").exists() or pq.version() < _SYSTEM_ROOTS_SINCE:
        return {"sslmode": "verify-full"}
    return {"sslmode": "verify-full", "sslrootcert": "system"}


def is_local(given: dict[str, Any]) -> bool:
    """Whether every host is this machine: a socket or a loopback address."""
    hosts = given.get("hostaddr") or given.get("host") or os.environ.get("PGHOST") or ""
    return all(_LOCAL.match(host) for host in str(hosts).split(","))


def _place(given: dict[str, Any]) -> str:
    host = given.get("host") or given.get("hostaddr") or os.environ.get("PGHOST") or "the local socket"
    port = f":{given['port']}" if given.get("port") and not str(host).startswith("/") else ""
    database = f", database {given['dbname']}" if given.get("dbname") else ""
    return f"{host}{port}{database}"
