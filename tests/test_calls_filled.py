"""Calls carry as many rows as they may, whatever the pages of the source: calls are what the plan counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles.hubspot import HubSpot
from doubles.salesforce import Salesforce
from fixtures_postgres import Database
from hubspot_streams import OLD
from workplace import TABLE, Workplace, at

from benchmarks.watched import Watched
from connectors.postgres.connector import PostgresConnector
from sync.chunks import Chunker, Outgoing
from sync.sandbox import SandboxOptions

ROWS = 230
MAP = """\
stream: filled
source: {{{source}}}
destination: {{rowsPerCall: {rows}}}
mapping:
  entityType: contact
  email: {email}
  properties: {{name: {{sourceField: {name}, collectionName: Contacts}}}}
"""


@pytest.fixture
def memory() -> Iterator[Watched]:
    with Watched(SandboxOptions(sink=True)) as one:
        yield one


@pytest.fixture
def place(tmp_path: Path, memory: Watched) -> Workplace:
    return Workplace(tmp_path, at(memory))


def sizes(memory: Watched) -> list[int]:
    """The rows of each call, the largest first: they are under way together."""
    return sorted((call.rows for call in memory.batches), reverse=True)


def filled(rows: int, per_call: int) -> list[int]:
    return [per_call] * (rows // per_call) + [rows % per_call] * (rows % per_call > 0)


def ready(place: Workplace, source: str, per_call: int, email: str, name: str, **variables: str) -> None:
    place.variables |= variables
    place.write_map(MAP.format(source=source, rows=per_call, email=email, name=name))


@pytest.fixture
def customers(place: Workplace, database: Database) -> Database:
    database.do(TABLE)
    database.do(
        "INSERT INTO customers (id, email, name) SELECT n, 'p' || n || '@x.example', 'N' || n "
        "FROM generate_series(1, %s) n",
        ROWS,
    )
    place.variables["DATABASE_URL"] = database.url
    return database


def read_customers(place: Workplace, per_call: int, page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = PostgresConnector.__init__.__kwdefaults__
    assert usual is not None
    monkeypatch.setitem(usual, "page_rows", page)
    ready(place, "connector: postgres, object: public.customers", per_call, "email", "name")
    ended = place.run("--yes")
    assert (ended.code, ended.stream["sent"]) == (0, ROWS), ended.err


@pytest.mark.parametrize(("per_call", "page"), [(50, 33), (7, 100), (100, 1), (230, 64), (229, 230)])
def test_pages_of_a_table_do_not_show_in_its_calls(place, customers, memory, monkeypatch, per_call, page):
    read_customers(place, per_call, page, monkeypatch)
    assert sizes(memory) == filled(ROWS, per_call)


@pytest.mark.parametrize("address", ["id / 3", "id % 100", "0"])
def test_addresses_that_come_again_leave_no_call_half_empty(place, customers, memory, monkeypatch, address):
    customers.do(f"UPDATE customers SET email = 'p' || {address} || '@x.example'")
    read_customers(place, 50, 33, monkeypatch)
    assert sizes(memory) == filled(ROWS, 50)


@pytest.mark.parametrize("per_call", [70, 7])
def test_pages_of_hubspot_do_not_show_in_the_calls(place, crm: HubSpot, memory, per_call):
    where = {"HUBSPOT_BASE_URL": crm.url, "HUBSPOT_ACCESS_TOKEN": crm.token}
    ready(place, "connector: hubspot, object: contacts", per_call, "email", "firstname", **where)
    for name, stamp in (("list", OLD), ("search", None)):
        memory.log.clear()
        crm.add("contacts", [{"email": f"{name}{n}@x.example", "firstname": "A"} for n in range(ROWS)], at=stamp)
        ended = place.run("--yes")
        assert (ended.code, ended.stream["sent"]) == (0, ROWS), ended.err
        assert sizes(memory) == filled(ROWS, per_call), name


@pytest.mark.parametrize(("per_call", "page", "api"), [(70, 200, "rest"), (7, 100, "rest"), (70, 200, "bulk")])
def test_pages_of_salesforce_do_not_show_in_the_calls(place, memory, per_call, page, api):
    with Salesforce(page_size=page) as org:
        login = {"SF_LOGIN_URL": org.url, "SF_CLIENT_ID": org.client_id, "SF_CLIENT_SECRET": org.client_secret}
        ready(place, f"connector: salesforce, object: Contact, api: {api}", per_call, "Email", "FirstName", **login)
        people = [{"LastName": "L", "FirstName": "A", "Email": f"p{n}@x.example"} for n in range(ROWS)]
        org.add("Contact", people)
        ended = place.run("--yes")
        assert (ended.code, ended.stream["sent"]) == (0, ROWS), ended.err
    assert sizes(memory) == filled(ROWS, per_call)


def test_rows_of_one_identity_stand_in_one_call_in_the_order_they_were_read(tmp_path: Path) -> None:
    chunker = Chunker(4, 10**6)
    made = chunker.fill([Outgoing(str(n), "same@x", b"{}", b"", 1) for n in range(8)])
    assert [[row.key for row in chunk.rows] for chunk in made] == [["0", "1", "2", "3"], ["4", "5", "6", "7"]]


def test_a_call_takes_texts_until_the_next_one_would_be_too_many_bytes() -> None:
    room = 10_000
    chunker = Chunker(500, room)
    texts = [b"x" * (900 + n % 7) for n in range(100)]
    chunks = chunker.fill([Outgoing(str(n), str(n), text, b"", 1) for n, text in enumerate(texts)])
    bodies = [sum(len(row.body) + 1 for row in chunk.rows) for chunk in chunks]
    assert bodies
    assert all(room - 907 < size <= room for size in bodies)


def test_few_rows_at_a_time_wait_for_each_other_not_for_the_end_of_the_source(place, customers, memory, monkeypatch):
    """A page that fills no call sends nothing; the one that fills it sends it while the source is still being read."""
    seen: list[int] = []
    real = PostgresConnector.stream

    def watched(*arguments):
        for page, rows in real(*arguments):
            if rows:
                seen.append(len(memory.batches))
            yield page, rows

    monkeypatch.setattr(PostgresConnector, "stream", watched)
    read_customers(place, 20, 5, monkeypatch)
    assert sizes(memory) == filled(ROWS, 20)
    assert seen[:4] == [0, 0, 0, 0]
    assert 0 < seen[-1] < len(memory.batches)
