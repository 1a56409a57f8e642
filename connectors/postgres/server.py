"""Which server answers, and whether what was saved about it still holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import psycopg

from connectors.base import SourceMisconfigured, SourceUnreachable
from connectors.postgres import statements
from connectors.postgres.cursor import Progress, Server
from connectors.postgres.plan import Plan
from connectors.postgres.session import Connection, Session

OLDEST = 130000
_HALF_OF_ALL_IDS = 2**31
_NOT_OFFERED = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.FeatureNotSupported,
)


def meet(session: Session, connection: Connection, plan: Plan, until: datetime | None) -> Server:
    """Ask the server who it is and how far its transactions have come, before anything is read from it."""
    if connection.info.server_version < OLDEST:
        version = connection.info.server_version // 10000
        raise SourceMisconfigured(f"{session.target.place} runs PostgreSQL {version}: expected 13 or newer")
    try:
        return _ask(session, connection, plan, until, control=True)
    except _NOT_OFFERED:
        # Some hosted servers keep the control file to themselves.
        return _ask(session, connection, plan, until, control=False)


def _ask(session: Session, connection: Connection, plan: Plan, until: datetime | None, *, control: bool) -> Server:
    statement = statements.horizon(plan, until, control=control)
    with session.transaction(connection):
        row = connection.execute(statement.text, statement.values).fetchone()
    assert row is not None, "a SELECT without FROM has one row"  # noqa: S101
    return Server(*row)


def still_holds(progress: Progress, server: Server, plan: Plan) -> bool:
    """Whether a saved position means the same on this server, table and map; if not, all is read again."""
    before = progress.server
    if progress.definition != plan.definition or progress.table != plan.table:
        return False
    if _differ(before.system, server.system) or _differ(before.timeline, server.timeline):
        return False
    oldest = min(known for known in (before.horizon, progress.horizon, progress.swept) if known is not None)
    if server.next - oldest >= _HALF_OF_ALL_IDS:
        return False
    # A primary that is behind was restored from a backup; a standby is just behind.
    return server.standby or server.next >= before.horizon


def joined(run: Server, now: Server) -> Server:
    """The same run on a new connection: the older horizon counts; raises SourceUnreachable on another server."""
    if _differ(run.system, now.system) or _differ(run.timeline, now.timeline):
        raise SourceUnreachable("another Postgres server took over while reading; nothing was lost: run again")
    return replace(run, horizon=min(run.horizon, now.horizon))


def _differ(before: str | int | None, now: str | int | None) -> bool:
    return before is not None and now is not None and before != now
