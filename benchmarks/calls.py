"""How full calls are, whatever the pages of the source.

    python -m benchmarks.calls

`memsync run` over tables and stand-in servers whose pages do not fit the calls; what counts is what the server got. At
least 99 % of the calls of a run carry `rowsPerCall` rows: all but the last one. Where texts are so long that so many
rows are more bytes than a call may have, bytes are counted: at least 99 % of those that fit, likewise. Ends with 1
where a figure misses its bound.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.table import fill
from benchmarks.watched import Call, Place, Watched, ended
from sync.demo.postgres import embedded_postgres
from sync.memory.envelope import LARGEST_BODY
from sync.sandbox import SandboxOptions
from tests.doubles.hubspot import HubSpot
from tests.doubles.salesforce import Salesforce

FILLED = 0.99
CALLS, CALLS_BY_STAND_INS = 200, 120
"""Full calls of a run; a last one, half full, comes behind them."""
PAGED = (sys.executable, "-m", "benchmarks.calls")
LONG_AGO = 1_700_000_000_000
MAP = """\
stream: calls
source: {{{source}}}
destination: {{rowsPerCall: {rows}}}
mapping:
  entityType: contact
  email: {email}
  properties:
    first_name: {{sourceField: {name}, collectionName: Contacts}}
    notes: {{sourceField: {text}, collectionName: Notes, extractMemories: true}}
"""
TABLE = {"source": "connector: postgres, object: public.customers", "email": "email", "name": "first_name"}
CONTACTS = {"source": "connector: hubspot, object: contacts", "email": "email", "name": "firstname"}
PERSONS = {"source": "connector: salesforce, object: Contact, api: rest", "email": "Email", "name": "FirstName"}


@dataclass(frozen=True, slots=True)
class Table:
    """A reading of the table: rows per call and per page, and what is special about its rows."""

    per_call: int
    page: int
    special: str = ""
    change: str = ""
    rows: int = 0


TABLES = (
    Table(500, 2_500),
    Table(500, 999),
    Table(500, 64),
    Table(100, 2_500),
    Table(100, 333),
    Table(7, 2_500),
    Table(7, 100),
    Table(100, 333, "each address three times", "email = 'user' || id / 3 || '@example.com'"),
    Table(100, 333, "each address twice, far apart", "email = 'user' || id % 10000 || '@example.com'"),
    Table(500, 999, "texts of 60,000 characters", "notes = repeat(md5(id::text), 1875)", rows=3_000),
    Table(500, 999, "texts of 20,400 characters", "notes = left(repeat(md5(id::text), 640), 20400)", rows=3_000),
)


def main() -> None:
    """Print the figures."""
    print(f"{'':82}{'calls':>7}{'full':>7}{'share':>8}   (at least {FILLED:.0%})")
    with tempfile.TemporaryDirectory(prefix="memsync-calls-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        sound = [*_tables(folder), *_hubspot(folder), *_salesforce(folder)]
    print("every figure of calls keeps its bound" if all(sound) else "missed: a figure is beyond its bound")
    sys.exit(0 if all(sound) else 1)


def _tables(folder: Path) -> Iterator[bool]:
    with embedded_postgres(folder / "postgres") as database:
        for number, table in enumerate(TABLES):
            fill(database, table.rows or _rows(table.per_call))
            if table.change:
                with psycopg.connect(database, autocommit=True) as connection:
                    connection.execute(f"UPDATE customers SET {table.change}".encode())
            with Watched(SandboxOptions(sink=True)) as sandbox:
                place = Place.at(folder / f"table-{number}", sandbox, DATABASE_URL=database, PYTHONPATH=str(Path.cwd()))
                place.write_map(MAP.format(rows=table.per_call, text="notes", **TABLE))
                ended(place.start(memsync=(*PAGED, str(table.page))))
                name = f"Postgres, pages of {table.page:,}" + (f", {table.special}" if table.special else "")
                yield _tell(name, sandbox.batches, table.per_call)


def _hubspot(folder: Path) -> Iterator[bool]:
    """A first run through the list, and a later one through searches and batches of 100."""
    for per_call in (70, 500):
        with HubSpot() as crm, Watched(SandboxOptions(sink=True)) as sandbox:
            given = {"HUBSPOT_BASE_URL": crm.url, "HUBSPOT_ACCESS_TOKEN": crm.token}
            place = Place.at(folder / f"hubspot-{per_call}", sandbox, **given)
            place.write_map(MAP.format(rows=per_call, text="message", **CONTACTS))
            rows = _rows(per_call, CALLS_BY_STAND_INS)
            crm.add("contacts", [_contact(f"a{number}") for number in range(rows)], at=LONG_AGO)
            ended(place.start())
            yield _tell("HubSpot, list in pages of 100", sandbox.batches, per_call)
            sandbox.log.clear()
            crm.add("contacts", [_contact(f"b{number}") for number in range(rows)])
            ended(place.start())
            yield _tell("HubSpot, search and batches of 100", sandbox.batches, per_call)


def _contact(name: str) -> dict[str, str]:
    return {"email": f"{name}@x.example", "firstname": name, "message": f"The wish of {name}."}


def _salesforce(folder: Path) -> Iterator[bool]:
    for page, per_call in ((2_000, 300), (2_000, 500), (200, 70)):
        with Salesforce(page_size=page) as org:
            given = {"SF_LOGIN_URL": org.url, "SF_CLIENT_ID": org.client_id, "SF_CLIENT_SECRET": org.client_secret}
            org.add("Contact", [_person(number) for number in range(_rows(per_call, CALLS_BY_STAND_INS))])
            with Watched(SandboxOptions(sink=True)) as sandbox:
                place = Place.at(folder / f"salesforce-{page}-{per_call}", sandbox, **given)
                place.write_map(MAP.format(rows=per_call, text="Description", **PERSONS))
                ended(place.start())
                yield _tell(f"Salesforce, pages of {page:,}", sandbox.batches, per_call)


def _person(number: int) -> dict[str, str]:
    return {"LastName": f"L{number}", "FirstName": "Ana", "Email": f"p{number}@x.example", "Description": "A call."}


def _rows(per_call: int, calls: int = CALLS) -> int:
    return per_call * calls + (per_call + 1) // 2


def _tell(name: str, calls: list[Call], per_call: int) -> bool:
    full = sum(call.rows == per_call for call in calls)
    share = full / len(calls)
    if full == 0:  # not rows are at their limit, but bytes; the smallest call has what was left at the end
        others = sorted(call.size for call in calls)[1:]
        share = sum(others) / (len(others) * LARGEST_BODY)
        name += f" ({max(call.rows for call in calls)} rows: bytes)"
    print(f"{name + f', {per_call} a call':82}{len(calls):7,}{full:7,}{share:8.1%}", flush=True)
    return share >= FILLED


def run_paged(page: str, arguments: list[str]) -> None:
    """`memsync` with another size of pages."""
    from connectors.postgres.connector import PostgresConnector
    from sync.__main__ import main as memsync

    usual = PostgresConnector.__init__.__kwdefaults__
    assert usual is not None
    usual["page_rows"] = int(page)
    memsync(arguments)


if __name__ == "__main__":
    run_paged(sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else main()
