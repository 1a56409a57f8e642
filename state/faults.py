"""Database errors as one line each, with the remedy; never a parameter, which may be a record's key."""

from __future__ import annotations

import errno

from sqlalchemy.exc import DataError, DBAPIError

from state.errors import StoreUnreachable, StoreUnusable

REMEDY = (
    "restore a copy, or move the file away to start over (everything is then read again); "
    "in both cases take the -wal file beside it away too, where there is one"
)
_URL = "change MEMSYNC_STATE_URL"

_SQLITE = {
    "SQLITE_FULL": "the disk is full; free space and run again, nothing is lost",
    "SQLITE_READONLY_DBMOVED": "was moved or replaced while in use; put it back and run again",
    "SQLITE_READONLY": f"is read-only; make the file and its folder writable or {_URL}",
    "SQLITE_IOERR": "the disk cannot be read or written (full or failing); free space or check it, and run again",
    "SQLITE_NOTADB": f"is not a SQLite database; {REMEDY}",
    "SQLITE_CORRUPT": f"is damaged; {REMEDY}",
    "SQLITE_CANTOPEN": "cannot be opened; check that it is still there, its folder and its permissions",
}
_SQLITE_PASSING = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")

_POSTGRES = {
    "53100": "its disk is full; free space there and run again, nothing is lost",
    "25006": f"is read-only (a standby, perhaps); {_URL} to the primary",
    "28": f"refused the user or password; {_URL}",
    "3D000": f"the database does not exist; create it or {_URL}",
    "42501": "this user may not create or change its tables; GRANT it CREATE on the schema, or use the tables' owner",
    "42P01": "its tables are gone; restore a copy, or drop the memsync_ tables that are left to start over",
    "42703": "its tables are not those of this version; restore a copy, or drop the memsync_ tables to start over",
    "XX": "is damaged; restore a copy",
}
_POSTGRES_PASSING = {
    "55P03": "another session holds a lock on it; end that session and run again",
    "53300": "its server has no free connection; raise max_connections, or run again later",
    "57P": "its server is stopping or starting; run again when it is up",
    "25P03": "this process stood still for too long in a transaction, which was undone; run again",
    "40": "two sessions got in each other's way and this one was undone; run again",
    "08": "its server cannot be reached; check that it is up, and the host and port in MEMSYNC_STATE_URL",
}

_SILENT = "its server does not answer; check that it is up, and the network and poolers between"
_VALUE = "does not take a value: Postgres keeps no NUL characters and no text that is not UTF-8; nothing was changed"

_SYSTEM = {
    errno.ENOSPC: _SQLITE["SQLITE_FULL"],
    errno.EDQUOT: _SQLITE["SQLITE_FULL"],
    errno.EROFS: f"the folder is on a read-only file system; mount it writable or {_URL}",
    errno.EACCES: f"the folder or the file is not open to this user; change its permissions or {_URL}",
    errno.EPERM: f"the folder or the file is not open to this user; change its permissions or {_URL}",
    errno.ENAMETOOLONG: f"the name is too long; {_URL}",
}


def explain(error: DBAPIError, where: str) -> StoreUnusable:
    """What a database error means."""
    name: str = getattr(error.orig, "sqlite_errorname", "")
    if name:
        return _explain_sqlite(name, where)
    if error.orig.__class__.__module__.startswith("sqlite3"):
        return StoreUnusable(f"{where}: {type(error.orig).__name__} in the database driver; {REMEDY}")
    return _explain_postgres(error, where)


def _explain_sqlite(name: str, where: str) -> StoreUnusable:
    if name.startswith(_SQLITE_PASSING):
        return StoreUnreachable(f"{where}: is locked by another program; end that program and run again")
    for prefix, text in _SQLITE.items():
        if name.startswith(prefix):
            return StoreUnusable(f"{where}: {text}")
    return StoreUnusable(f"{where}: {name}; {REMEDY}")


def _explain_postgres(error: DBAPIError, where: str) -> StoreUnusable:
    code = getattr(error.orig, "sqlstate", None)
    if isinstance(error, DataError) and code in (None, "22021"):
        return StoreUnusable(f"{where}: {_VALUE}")
    if code is None:  # no answer of a server: it is not there, hung up, or said so in words only
        return _without_code(str(error.orig), where)
    for prefix, text in _POSTGRES.items():
        if code.startswith(prefix):
            return StoreUnusable(f"{where}: {text}")
    for prefix, text in _POSTGRES_PASSING.items():
        if code.startswith(prefix):
            return StoreUnreachable(f"{where}: {text}")
    return StoreUnusable(f"{where}: {type(error.orig).__name__} (SQLSTATE {code}); see the server's log")


def _without_code(message: str, where: str) -> StoreUnusable:
    words = {"authentication failed": "28", "no pg_hba.conf entry": "28", "does not exist": "3D000"}
    for phrase, code in words.items():
        if phrase in message:
            return StoreUnusable(f"{where}: {_POSTGRES[code]}")
    if "does not answer" in message or "timeout" in message:
        return StoreUnreachable(f"{where}: {_SILENT}")
    return StoreUnreachable(f"{where}: {_POSTGRES_PASSING['08']}")


def explain_system(error: OSError, where: str) -> StoreUnusable:
    """What an error of the operating system means."""
    text = _SYSTEM.get(error.errno or 0, f"cannot be opened ({error.strerror}); {_URL}")
    return StoreUnusable(f"{where}: {text}")
