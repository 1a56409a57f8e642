"""What reading Salesforce costs in calls, time and memory, against the stand-in server.

    python -m benchmarks.salesforce [ROWS]

100,000 changed records by REST: at most 60 calls, with long texts at most 520. By Bulk: beside a hand-written loop over
the same job. Memory: the same for ten times as many records.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from benchmarks.measure import Taken, measure
from connectors.salesforce import Source, Variables, connect
from tests.doubles.salesforce import Salesforce

OLD = datetime(2024, 3, 4, 5, 6, 7, tzinfo=UTC)
FIELDS = ["Email", "FirstName", "LastName", "Title", "MailingCity", "Description"]
LONG = ["Email", "One__c", "Two__c"]
CALLS, CALLS_WITH_TEXTS, GROWTH = 60, 520, 16.0
"""Most calls for 100,000 changed records, most with two custom long texts, most megabytes between small and large."""


def main(rows: int = 1_000_000) -> bool:
    """Print the figures; returns whether none is above its bound."""
    with tempfile.TemporaryDirectory(prefix="memsync-salesforce-") as name:
        folder = Path(name)
        sound = [changes(folder), bulk(folder, rows)]
    if not all(sound):
        print("missed: a figure of Salesforce is above its bound")
    return all(sound)


def changes(folder: Path) -> bool:
    """A later run over 100,000 changed records, by REST, without and with long texts."""
    with Salesforce(database=str(folder / "org.db")) as org:
        org.define("Contact", "One__c textarea 32768", "Two__c textarea 32768")
        cursor = json.loads(_read(folder, org, {"api": "rest"}).output)["cursor"]
        org.add("Contact", _rows(100_000))
        plain = json.loads(_read(folder, org, {"api": "rest"}, cursor=cursor).output)
        texts = json.loads(_read(folder, org, {"api": "rest"}, cursor=cursor, fields=LONG).output)
    few, many = (sum(found["calls"].values()) for found in (plain, texts))
    print(
        f"100,000 changed by REST: {plain['rows']:,} read by {few} calls (bound {CALLS}), with two long texts by "
        f"{many} (bound {CALLS_WITH_TEXTS})"
    )
    (folder / "org.db").unlink()
    return bool(plain["rows"] == texts["rows"] == 100_000 and few <= CALLS and many <= CALLS_WITH_TEXTS)


def bulk(folder: Path, rows: int) -> bool:
    """First runs by Bulk over few and many records, beside a loop by hand."""
    with Salesforce(database=str(folder / "org.db")) as org:
        org.add("Contact", _rows(rows // 10), OLD)
        small = _read(folder, org, {"api": "bulk"})
        for start in range(rows // 10, rows, 100_000):
            org.add("Contact", _rows(min(100_000, rows - start), start), OLD)
        large = _read(folder, org, {"api": "bulk"})
        loop = _read(folder, org, {}, by_hand=True)
    little, found, hand = (json.loads(one.output) for one in (small, large, loop))
    print(
        f"{rows:,} by Bulk: {found['rows'] / large.wall:,.0f} rows/s in {sum(found['calls'].values())} calls; by hand "
        f"{hand['rows'] / loop.wall:,.0f} rows/s; CPU {large.cpu:.1f} s against {loop.cpu:.1f} s\n"
        f"memory: {rows // 10:,} records {little['memory']:.0f} MB, {rows:,} records {found['memory']:.0f} MB, by hand "
        f"{hand['memory']:.0f} MB"
    )
    return bool(found["rows"] == hand["rows"] == rows and found["memory"] - little["memory"] <= GROWTH)


def _rows(number: int, first: int = 0) -> list[dict[str, str]]:
    said = "Prefers a call in the morning, before the team meets.\n" * 4
    return [
        {"LastName": f"Last{n}", "FirstName": "Ana", "Email": f"person{n}@example.com", "Description": said}
        for n in range(first, first + number)
    ]


def _read(
    folder: Path,
    org: Salesforce,
    source: dict[str, str],
    *,
    cursor: object = None,
    fields: list[str] | None = None,
    by_hand: bool = False,
) -> Taken:
    """Read in a process of its own."""
    login = {"url": org.url, "token": org.access_token}
    task = login | {"source": source, "cursor": cursor, "fields": fields or FIELDS, "by_hand": by_hand}
    return measure(
        [sys.executable, "-m", "benchmarks.salesforce", json.dumps(task)], folder, {"PYTHONPATH": str(Path.cwd())}
    )


def read(task: dict[str, Any]) -> None:
    """Read everything that is due and print how many records came, by how many calls."""
    source = Source.model_validate({"connector": "salesforce", "object": "Contact", **task["source"]})
    variables = Variables(sf_access_token=task["token"], sf_instance_url=task["url"])
    connector = connect(source, variables, task["fields"], lambda _: None)
    number, cursor = 0, None
    for page in connector.read(task["cursor"]):
        number += len(page.records)
        cursor = page.cursor
    connector.close()
    calls: Counter[str] = connector.calls  # type: ignore[attr-defined]
    print(json.dumps({"rows": number, "calls": calls, "cursor": cursor, "memory": _most_memory()}))


def read_by_hand(task: dict[str, Any]) -> None:
    """What one writes in an hour: a job, its pages as text, rows as dictionaries; nothing is kept or checked."""
    jobs = f"{task['url']}/services/data/v62.0/jobs/query"
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {task['token']}"
        statement = f"SELECT Id, SystemModstamp, IsDeleted, {', '.join(task['fields'])} FROM Contact"
        job = session.post(jobs, json={"operation": "queryAll", "query": statement}, timeout=60).json()["id"]
        while session.get(f"{jobs}/{job}", timeout=60).json()["state"] != "JobComplete":
            continue
        number, locator = 0, ""
        while locator != "null":
            query = {"maxRecords": "50000"} | ({"locator": locator} if locator else {})
            page = session.get(f"{jobs}/{job}/results", params=query, timeout=600)
            page.encoding = "utf-8"
            number += sum(1 for _ in csv.DictReader(io.StringIO(page.text)))
            locator = page.headers["Sforce-Locator"]
    print(json.dumps({"rows": number, "memory": _most_memory()}))


def _most_memory() -> float:
    """Megabytes at most; the operating system's other figure counts what the parent had when it started this."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _start(given: str) -> None:
    if given.isdecimal():
        sys.exit(0 if main(int(given)) else 1)
    task = json.loads(given)
    (read_by_hand if task["by_hand"] else read)(task)


if __name__ == "__main__":
    _start(sys.argv[1]) if len(sys.argv) > 1 else sys.exit(0 if main() else 1)
