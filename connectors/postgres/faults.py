"""What an error of the server means: try again, read less at once, or tell the person what to do."""

from __future__ import annotations

import re
from typing import Literal

import psycopg

from connectors.base import ConnectorError, SourceMisconfigured, SourceRefused, SourceUnreachable
from connectors.postgres.target import Target

Meaning = Literal["again", "less", "final"]

_AGAIN = {"57P01", "57P02", "57P03", "57P05", "25P03", "25P04", "40001", "40P01", "55P03", "53300"}
_TIMED_OUT = "57014"
# These classes quote values of rows in their messages: conversion, constraints, RAISE in a function.
_QUOTES_DATA = ("22", "23", "P0")
# A cast such as `tag::regclass` looks a value up among the names of the server.
_UNKNOWN_NAMES = {"3D000", "3F000", "42602", "42704", "42883", "42P01", "42P02", "42703"}
_BUSY = re.compile(r"starting up|shutting down|too many (clients|connections)|connection slots|recovery mode", re.I)
_TLS = re.compile(r"\bSSL\b|certificate|\bTLS\b", re.I)
_NO_DATABASE = re.compile(r'database ".*" does not exist')


class ServerBusy(SourceUnreachable):
    """The server takes no connection just now but soon may."""


def meaning_of(error: psycopg.Error) -> Meaning:
    """Whether the same statement may be tried again, on a new connection if this one is gone."""
    state = error.sqlstate
    if state == _TIMED_OUT:
        return "less"
    if state in _AGAIN or (state or "").startswith("08"):
        return "again"
    lost = state is None and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
    return "again" if lost else "final"


def explain_connect(error: psycopg.Error, target: Target) -> ConnectorError:
    """Name what keeps a connection from opening; libpq gives no code here, so its words are read."""
    reason = _reason(error, target)
    if _TLS.search(reason):
        return SourceRefused(
            f"{target.variable}: no trusted TLS connection to {target.place}: {reason}. For a private certificate add "
            "sslrootcert=/path/ca.pem; inside a private network add sslmode=require (encrypted, server not verified) "
            "or sslmode=disable to the URL, as in ...?sslmode=require"
        )
    if _BUSY.search(reason):
        return ServerBusy(f"{target.place} takes no connections just now: {reason}. Nothing was lost: run again later")
    if _NO_DATABASE.search(reason):
        return SourceMisconfigured(f"{target.variable}: {reason} (at {target.place}): correct the database name")
    if "FATAL" in reason or "password" in reason or "authentication" in reason:
        return SourceRefused(f"{target.variable}: {target.place} refuses the login: {reason}. Check user and password")
    return SourceUnreachable(
        f"{target.variable}: cannot reach {target.place}: {reason}. Check host, port and firewall; nothing was lost"
    )


def _reason(error: psycopg.Error, target: Target) -> str:
    """The last cause in libpq's words, on one line, without the password."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = next((line for line in lines if "failed:" in line or "error" in line.lower()), lines[0] if lines else "")
    text = text.rpartition("failed: ")[2] or text
    password = str(target.options.get("password") or "")
    if not password:
        return text.rstrip(".")
    # A word of its own: a password of one letter stands inside every other word, and says nothing there.
    return re.sub(rf"(?<![A-Za-z0-9]){re.escape(password)}(?![A-Za-z0-9])", "***", text).rstrip(".")


def _is_about_a_value(error: psycopg.Error) -> bool:
    """Whether a name that is unknown may be a value of a row: one in the statement itself comes with its place."""
    return (error.sqlstate or "") in _UNKNOWN_NAMES and error.diag.statement_position is None


def explain(error: psycopg.Error, target: Target, what: str) -> ConnectorError:
    """Name what went wrong with a statement about `what` (a table, or the query)."""
    state = error.sqlstate or ""
    said = f"{state} {error.diag.message_primary or ''}".strip()
    if state == "22023" and said.startswith('22023 time zone "'):
        # Its name may be the value of a column that `where` or `query` takes for one.
        return SourceMisconfigured(f"{what}: `timezone`: the server does not know one: expected such as Europe/Berlin")
    if state.startswith(_QUOTES_DATA) or error.diag.context or _is_about_a_value(error):
        return SourceMisconfigured(
            f"{what}: the server could not compute a value ({type(error).__name__}, {state}): "
            "look for casts and arithmetic in `where`, in `query` or in the view"
        )
    if state == "42501":
        return SourceRefused(f"{what}: {said}: GRANT SELECT on it, and USAGE on its schema, to the role")
    if state == "25006":
        return SourceMisconfigured(f"{what}: {said}: sessions are read-only; `where` and `query` may only read")
    if state.startswith("28"):
        return SourceRefused(f"{target.variable}: {said}")
    if state.startswith(("42", "0A", "3D", "3F")):
        return SourceMisconfigured(f"{what}: the server says: {said}")
    if not state and not isinstance(error, psycopg.OperationalError):
        return SourceMisconfigured(f"{what}: the driver refuses the statement ({type(error).__name__})")
    if state == _TIMED_OUT:
        return SourceUnreachable(f"{what}: the server stopped a statement that took too long ({said})")
    reason = said or "connection lost"
    return SourceUnreachable(f"{what}: {target.place} gave up: {reason}. Nothing was lost: run again later")
