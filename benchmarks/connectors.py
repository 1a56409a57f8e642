"""What it costs to turn answers of HubSpot and Salesforce into mapped rows, beside a loop by hand.

    python -m benchmarks.connectors

A page of 100 contacts as HubSpot lists them, a page of 2,000 as Salesforce answers a query, and 50,000 rows of a Bulk
job's CSV, recorded from the stand-in servers, are read again and again: by the connector's own code, with all that it
checks and converts, and by a loop that decodes the same bytes (orjson, or the csv module) and takes the fields as they
come. Both map each record with the same compiled map. CPU of this process, in rounds that take turns: the
best of each, and the median of their ratios, which is to be at most 1.5x. Ends with 1 where a ratio is above that.
"""

from __future__ import annotations

import csv
import gc
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import process_time
from typing import Any

import httpx
import orjson
import requests
import urllib3

from connectors import hubspot, salesforce
from connectors.base import Record
from connectors.hubspot.pace import Budget, Pace
from connectors.hubspot.transport import Answer
from connectors.salesforce.bulk import Bulk
from connectors.salesforce.http import Adapter
from connectors.salesforce.parts import Parts
from connectors.salesforce.records import Records
from connectors.salesforce.results import Seen, followed, result_of
from sync.maps.compile import CompiledMap, compile_map
from sync.maps.load import load_text
from sync.maps.row import Reject, Row
from tests.doubles.hubspot import HubSpot
from tests.doubles.salesforce import Salesforce

MOST = 1.5
COLLECTED = (100_000, 20, 50)
"""How often `memsync run` looks for cycles."""
ROUNDS, RECORDS_A_ROUND = 15, 20_000
SAID = "Prefers a call in the morning, before the team meets. Asked for the price of ten more seats.\n" * 4
MAP = """\
stream: bench
source: {{connector: {connector}, object: {object}}}
mapping:
  entityType: contact
  email: {email}
  properties:
    first_name: {{sourceField: {first}, collectionName: Contacts, transform: [strip]}}
    last_name: {{sourceField: {last}, collectionName: Contacts}}
    job_title: {{sourceField: {title}, collectionName: Contacts}}
    city: {{sourceField: {city}, collectionName: Contacts}}
    score: {{sourceField: {score}, collectionName: Contacts}}
    created: {{sourceField: {created}, collectionName: Contacts}}
    notes: {{sourceField: {notes}, collectionName: Notes, extractMemories: true}}
"""
NAMES = ("connector", "object", "email", "first", "last", "title", "city", "score", "created", "notes")
HUBSPOT = "hubspot contacts email firstname lastname jobtitle city hubspotscore createdate message"
SALESFORCE = "salesforce Contact Email FirstName LastName Title MailingCity Score__c CreatedDate Description"
Make = Callable[[Record], Row | Reject]


@dataclass(frozen=True, slots=True)
class Race:
    """Two ways to do the same; each returns how many records it mapped."""

    name: str
    records: int
    ours: Callable[[], int]
    by_hand: Callable[[], int]


def main() -> None:
    """Print the ratios."""
    gc.freeze()
    gc.set_threshold(*COLLECTED)
    print(f"{'microseconds CPU a record':44}{'connector':>10}{'by hand':>9}{'ratio':>8}   (at most {MOST}x)")
    with _hubspot() as first, _salesforce() as (second, third):
        sound = [_run(race) for race in (first, second, third)]
    sys.exit(0 if all(sound) else 1)


def _run(race: Race) -> bool:
    times = max(1, RECORDS_A_ROUND // race.records)
    found = [(_timed(race.ours, race, times), _timed(race.by_hand, race, times)) for _ in range(ROUNDS)]
    ours, by_hand = min(one for one, _ in found), min(other for _, other in found)
    usual = median(one / other for one, other in found)
    print(
        f"{race.name:44}{ours:10.2f}{by_hand:9.2f}{usual:7.2f}x   (of the best rounds {ours / by_hand:.2f}x)"
        f"{'' if usual <= MOST else '  missed'}",
        flush=True,
    )
    return usual <= MOST


def _timed(work: Callable[[], int], race: Race, times: int) -> float:
    began = process_time()
    for _ in range(times):
        if work() != race.records:
            sys.exit(f"{race.name}: expected {race.records} records")
    return (process_time() - began) / (times * race.records) * 1e6


def _compiled(names: str) -> CompiledMap:
    return compile_map(load_text(MAP.format(**dict(zip(NAMES, names.split(), strict=True)))), b"salt")


def _mapped(records: list[Record], make: Make) -> int:
    """Map records; a reject would make the comparison worthless."""
    return sum(make(one).__class__ is Row for one in records)


# HubSpot


@contextmanager
def _hubspot() -> Iterator[Race]:
    """One page of the list, answered again and again by a transport that holds it."""
    compiled = _compiled(HUBSPOT)
    with HubSpot() as crm:
        crm.define("contacts", {"name": "hubspotscore", "type": "number", "fieldType": "number"})
        crm.add("contacts", [_lead(number) for number in range(100)])
        source = hubspot.Source.model_validate({"connector": "hubspot", "object": "contacts"})
        variables = hubspot.Variables(hubspot_access_token=crm.token, hubspot_base_url=crm.url)
        connector: Any = hubspot.connect(source, variables, compiled.source_fields, lambda _: None)
        plan = connector._planned()
        records, caller = connector._records(plan), connector._api.caller
        query = {"limit": "100", "properties": ",".join(plan.requested)}
        head = {"Authorization": f"Bearer {crm.token}"}
        body = httpx.get(f"{crm.url}/crm/v3/objects/contacts", params=query, headers=head).content
        transport, caller._transport = caller._transport, _Recorded(body)
        caller._pace = Pace(Budget(10**6, 1.0), Budget(10**6, 10.0))

        def ours() -> int:
            batch = records.of_results(connector._api.page(plan.type, plan.requested, None).results)
            return _mapped(batch.records, compiled.row)

        def by_hand() -> int:
            found = orjson.loads(body)["results"]
            return sum(compiled.row(Record(one["id"], one["properties"])).__class__ is Row for one in found)

        yield Race("HubSpot, a page of 100 contacts", 100, ours, by_hand)
        transport.close()


class _Recorded:
    """A transport that gives one answer for ever."""

    def __init__(self, body: bytes) -> None:
        self._answer = Answer(200, {}, body)

    def send(self, *_: Any) -> Answer:
        return self._answer


def _lead(number: int) -> dict[str, str]:
    return {
        "email": f"person{number}@example.com",
        "firstname": "Ana",
        "lastname": f"Last{number}",
        "jobtitle": "Head of Sales",
        "city": "Berlin",
        "hubspotscore": str(number),
        "message": f"{SAID}{number}",
    }


# Salesforce


@contextmanager
def _salesforce() -> Iterator[tuple[Race, Race]]:
    compiled = _compiled(SALESFORCE)
    with Salesforce() as org:
        org.define("Contact", "Score__c double")
        org.add("Contact", [_person(number) for number in range(2_000)])
        source = salesforce.Source.model_validate({"connector": "salesforce", "object": "Contact"})
        variables = salesforce.Variables(sf_access_token=org.access_token, sf_instance_url=org.url)
        connector: Any = salesforce.connect(source, variables, compiled.source_fields, lambda _: None)
        plan = connector._planned()
        records = Records(connector._caller, plan)
        wanted = ", ".join(column.name for column in plan.shape.columns)
        query = {"q": f"SELECT {wanted} FROM Contact ORDER BY Id"}
        head = {"Authorization": f"Bearer {org.access_token}"}
        body = httpx.get(f"{org.url}/services/data/v62.0/queryAll", params=query, headers=head).content
        parts = Parts(connector._caller, plan, records, connector._way, connector._spent)
        yield _page(body, records, compiled.row), _file(body, plan, parts, records, compiled.row)
        connector.close()


def _page(body: bytes, records: Records, make: Make) -> Race:
    answer = _arrived(body)

    def ours() -> int:
        found, page = 0, answer.json(object_pairs_hook=None, parse_float=None)
        for sheet in followed(result_of(page, "Contact"), _no_more, "Contact"):
            found += _mapped(records.of_rest(sheet.rows).records, make)
        return found

    def by_hand() -> int:
        found = orjson.loads(body)["records"]
        return sum(make(Record(one["Id"], one)).__class__ is Row for one in found)

    return Race("Salesforce, a page of 2,000 contacts", 2_000, ours, by_hand)


def _arrived(body: bytes) -> requests.Response:
    """An answer as the library gets it, read to its end."""
    adapter, request = Adapter(None, (1.0, 1.0, 1.0), lambda: 0.0), requests.Request("GET", "https://x.example/query")
    raw = urllib3.HTTPResponse(io.BytesIO(body), status=200, preload_content=False)
    response = adapter.build_response(request.prepare(), raw)
    adapter.finish(response)
    return response


def _no_more(path: str, _: str) -> Any:
    raise AssertionError(path)


def _file(body: bytes, plan: Any, parts: Parts, records: Records, make: Make) -> Race:
    """The same contacts 25 times, with ids of their own, as a Bulk job writes them."""
    names = [column.name for column in plan.shape.columns]
    rows = [[_text(one.get(name)) for name in names] for one in orjson.loads(body)["records"]]
    text, place, number = io.StringIO(), names.index("Id"), 0
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(names)
    for _ in range(25):
        for row in rows:
            number += 1
            writer.writerow([*row[:place], f"003xx{number:010d}AAA", *row[place + 1 :]])
    data = text.getvalue().encode()

    def ours() -> int:
        found, bulk, ids = 0, Bulk(parts._caller, "Contact"), Seen()
        for piece in bulk._pieces(io.BytesIO(data), plan.shape, number):
            parts._check(piece, ids, found, number)
            found += _mapped(records.of_rows([(fields, None) for fields in piece]).records, make)
        return found

    def by_hand() -> int:
        reader = csv.reader(io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline=""))
        header = next(reader)
        return sum(make(Record(row[place], dict(zip(header, row, strict=False)))).__class__ is Row for row in reader)

    return Race("Salesforce, 50,000 rows of CSV", number, ours, by_hand)


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _person(number: int) -> dict[str, Any]:
    return {
        "Email": f"person{number}@example.com",
        "FirstName": "Ana",
        "LastName": f"Last{number}",
        "Title": "Head of Sales",
        "MailingCity": "Berlin",
        "Score__c": number,
        "Description": f"{SAID}{number}",
    }


if __name__ == "__main__":
    main()
