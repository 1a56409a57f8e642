"""What reading HubSpot costs in calls and memory, against the stand-in server.

    python -m benchmarks.hubspot

50,400 records, 25,400 of them on one millisecond, found by search alone: at most 450 calls (252 hold them all).
1,000 changed of 100,000: at most 25 calls in all. Memory: the same for 100,000 records as for 10,000.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.measure import Taken, measure
from connectors.hubspot import Source, Variables, connect
from tests.doubles.hubspot import HubSpot

LONG_AGO = 1_700_000_000_000
SEARCHES, CALLS, GROWTH = 450, 25, 8.0
"""Most search calls, most calls of a small run, most megabytes between a small and a large first run."""


def main() -> bool:
    """Print the figures; returns whether none is above its bound."""
    with tempfile.TemporaryDirectory(prefix="memsync-hubspot-") as name:
        sound = [one(Path(name)) for one in (ties, few_changes, memory)]
    if not all(sound):
        print("missed: a figure of HubSpot is above its bound")
    return all(sound)


def ties(folder: Path) -> bool:
    """Many records on one millisecond, beside others spread over ten minutes."""
    with HubSpot() as crm:
        crm.add("contacts", _rows(25_000), at=lambda n: LONG_AGO + n * 24)
        crm.add("contacts", _rows(25_400), at=LONG_AGO + 300_000)
        found = json.loads(_read(folder, crm, {"start": "2023-01-01T00:00:00Z"}).output)
    searches = found["calls"]["search"]
    print(
        f"50,400 records, 25,400 of one millisecond: {found['ids']:,} found by {searches} searches (bound {SEARCHES})"
    )
    return bool(found["ids"] == 50_400 and searches <= SEARCHES)


def few_changes(folder: Path) -> bool:
    """A first run over many records, then a run over the few that changed."""
    with HubSpot() as crm:
        ids = crm.add("contacts", _rows(100_000), at=lambda n: LONG_AGO + n)
        cursor = json.loads(_read(folder, crm, {}).output)["cursor"]
        for one in ids[::100]:
            crm.change("contacts", one, {"firstname": "Changed"})
        found = json.loads(_read(folder, crm, {}, cursor).output)
    calls = sum(found["calls"].values())
    print(f"1,000 changed of 100,000: {found['ids']:,} read by {calls} calls (bound {CALLS}): {found['calls']}")
    return bool(found["ids"] == 1_000 and calls <= CALLS)


def memory(folder: Path) -> bool:
    """The memory of a first run over ten times as many records."""
    with HubSpot() as crm:
        crm.add("contacts", _rows(10_000), at=LONG_AGO)
        small = _read(folder, crm, {})
        crm.add("contacts", _rows(90_000), at=LONG_AGO)
        large = _read(folder, crm, {})
    little, much = (json.loads(one.output)["memory"] for one in (small, large))
    print(
        f"first run: 10,000 records {little:.0f} MB, 100,000 records {much:.0f} MB in {large.wall:.1f} s "
        f"({large.cpu / 100_000 * 1e6:.0f} us CPU a record)"
    )
    return bool(much - little <= GROWTH)


def _rows(number: int) -> list[dict[str, str]]:
    return [{"email": f"person{n}@example.com", "firstname": f"First{n}", "jobtitle": "CTO"} for n in range(number)]


def _read(folder: Path, crm: HubSpot, source: dict[str, str], cursor: object = None) -> Taken:
    """Read in a process of its own, without waiting for limits."""
    task = {"url": crm.url, "token": crm.token, "source": source, "cursor": cursor}
    here = {"PYTHONPATH": str(Path.cwd())}
    return measure([sys.executable, "-m", "benchmarks.hubspot", json.dumps(task)], folder, here)


def read(task: dict[str, Any]) -> None:
    """Read everything that is due and print how many ids came, by how many calls."""
    source = Source.model_validate({"connector": "hubspot", "object": "contacts", **task["source"]})
    variables = Variables(hubspot_access_token=task["token"], hubspot_base_url=task["url"])
    connector = connect(source, variables, ["email", "firstname", "jobtitle"], lambda _: None)
    number, cursor, seen = 0, None, set[str]()
    for page in connector.read(task["cursor"]):
        number += len(page.records)
        cursor = page.cursor
        if task["source"]:  # only then a record may come twice
            seen.update(record.key for record in page.records)
    connector.close()
    calls: Counter[str] = connector.calls  # type: ignore[attr-defined]
    print(json.dumps({"ids": len(seen) or number, "calls": calls, "cursor": cursor, "memory": _most_memory()}))


def _most_memory() -> float:
    """Megabytes at most; the operating system's other figure counts what the parent had when it started this."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    read(json.loads(sys.argv[1])) if len(sys.argv) > 1 else sys.exit(0 if main() else 1)
