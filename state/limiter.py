"""The limiter's one row: when the next call may start, for all processes that share the store."""

from __future__ import annotations

from sqlalchemy import Connection, TextClause, text

FARTHEST = 3600.0
"""Seconds ahead that can still be a booking; what is farther was written before a clock was set back."""

_NOW = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS double precision)"
_NAMES = {
    "sqlite": {"max": "MAX", "min": "MIN", "now": ":now"},
    # One clock for all machines: the server's, unless a clock was handed in.
    "postgresql": {"max": "GREATEST", "min": "LEAST", "now": f"COALESCE(CAST(:now AS double precision), {_NOW})"},
}
_RESERVE = """
    INSERT INTO memsync_limiter (name, free_at) VALUES (:name, {now} + :span)
    ON CONFLICT (name) DO UPDATE SET free_at = :span + CASE
        WHEN memsync_limiter.free_at > {now} + :farthest THEN {now}
        ELSE {max}(memsync_limiter.free_at, {now}) END
    RETURNING free_at - :span - {now}
"""
_POSTPONE = """
    INSERT INTO memsync_limiter (name, free_at) VALUES (:name, {now} + :seconds)
    ON CONFLICT (name) DO UPDATE SET free_at =
        {max}({min}(memsync_limiter.free_at, {now} + :farthest), {now} + :seconds)
"""


def reserve(connection: Connection, name: str, span: float, burst: float, now: float | None) -> float:
    """Book `span` seconds of the allowance and return the seconds to wait before using them.

    Calls may run ahead of the even pace by `burst` seconds' worth. Without `now`, the server's clock is asked.
    """
    values = {"name": name, "span": span, "farthest": FARTHEST, "now": now}
    ahead = connection.execute(_statement(connection, _RESERVE), values).scalar_one()
    return max(0.0, float(ahead) - burst)


def postpone(connection: Connection, name: str, seconds: float, now: float | None) -> None:
    """Let no call start for so many seconds: the server said so."""
    values = {"name": name, "seconds": seconds, "farthest": FARTHEST, "now": now}
    connection.execute(_statement(connection, _POSTPONE), values)


def _statement(connection: Connection, pattern: str) -> TextClause:
    return text(pattern.format(**_NAMES[connection.dialect.name]))
