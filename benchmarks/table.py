"""The table that is measured: a million customers of ten columns, with notes of 400 characters."""

from __future__ import annotations

import psycopg

FILL = """
CREATE UNLOGGED TABLE customers AS
SELECT n AS id, 'user' || n || '@example.com' AS email, 'First' || n % 1000 AS first_name,
       'Last' || n % 5000 AS last_name, 'Company ' || n % 20000 AS company, '+49 30 ' || n AS phone,
       (ARRAY['free', 'team', 'business', 'enterprise'])[1 + n % 4] AS plan,
       round((n % 10000) / 100.0, 2)::numeric(6, 2) AS score,
       timestamptz '2026-01-01' + n * interval '1 second' AS updated_at, repeat(md5(n::text), 13) AS notes
FROM generate_series(1, {rows}) AS n
"""
INDEXES = (
    "ALTER TABLE customers ALTER id SET NOT NULL, ALTER updated_at SET NOT NULL, ADD PRIMARY KEY (id)",
    "CREATE INDEX customers_updated_at ON customers (updated_at, id)",
    "ANALYZE customers",
)


def fill(url: str, rows: int) -> None:
    """Make the table afresh with so many rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS customers")
        connection.execute(FILL.format(rows=rows).encode())
        for statement in INDEXES:
            connection.execute(statement.encode())


def touch(url: str, rows: int) -> None:
    """Change so many rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        statement = "UPDATE customers SET plan = plan || '!', updated_at = now() WHERE id <= %s"
        connection.execute(statement, (rows,))


def touch_only(url: str, rows: int) -> None:
    """Give so many rows another stamp, and nothing else."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE customers SET updated_at = now() WHERE id <= %s", (rows,))
