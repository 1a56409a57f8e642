"""MEMSYNC_STATE_URL: which store it names."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from state.errors import StateUrlInvalid

_LONGEST_SCHEME = 20
_NAME = "MEMSYNC_STATE_URL"


def state_url(text: str) -> URL:
    """Turn MEMSYNC_STATE_URL into an engine URL; raises StateUrlInvalid on anything but SQLite or Postgres."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise StateUrlInvalid(f"{_NAME}: not a database URL; expected sqlite:///FILE or postgresql://...") from None
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        if "@" in (url.host or ""):  # the rest of a password, which would be shown as part of the host
            raise StateUrlInvalid(f"{_NAME}: has more than one @; write an @ in the password as %40")
        return url.set(drivername="postgresql+psycopg")
    if url.drivername != "sqlite":
        raise StateUrlInvalid(
            f"{_NAME}: {_scheme_shown(url.drivername)} is not supported; use sqlite:///FILE or postgresql://"
        )
    if url.host or not url.database:
        raise StateUrlInvalid(f"{_NAME}: names no file; expected sqlite:///FILE (three slashes; four before /FILE)")
    if "?" in text or "\0" in text:
        raise StateUrlInvalid(f"{_NAME}: options behind the file are not supported; expected sqlite:///FILE")
    return url


def sqlite_file(url: URL) -> Path | None:
    """The file of a SQLite URL, its links followed; None when the store is in memory or in Postgres."""
    if url.get_backend_name() != "sqlite" or url.database == ":memory:":
        return None
    return Path(str(url.database)).resolve()


def shown(url: URL) -> str:
    """The address for people: neither user nor password nor options, which may hold one."""
    path = sqlite_file(url)
    if path is not None:
        return str(url.database)
    if url.get_backend_name() == "sqlite":
        return "sqlite:///:memory:"
    host = url.host or url.query.get("host", "localhost")
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{host if isinstance(host, str) else ','.join(host)}{port}/{url.database or ''}"


def _scheme_shown(scheme: str) -> str:
    """What stands before `://`, unless it may be a secret that somebody put in the wrong place."""
    return (
        f"{scheme}://"
        if len(scheme) <= _LONGEST_SCHEME and scheme.replace("+", "").isalpha()
        else "what it begins with"
    )
