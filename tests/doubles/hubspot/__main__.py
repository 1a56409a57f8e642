"""The stand-in from a terminal: `python -m tests.doubles.hubspot --contacts 25000`."""

from __future__ import annotations

import argparse
import signal
import sqlite3
import sys
import threading
import time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .hints import hints
from .options import PLANS
from .sample import CARS, OBJECTS, fill
from .server import HubSpot

_ABOUT = "A stand-in for HubSpot on this machine, with sample records, to try the connector on. Ctrl-C ends it."
_TEXT = """HubSpot stand-in at {url}, portal {portal}: {counts}

For the terminal that runs memsync:
  export HUBSPOT_BASE_URL={url}
  export HUBSPOT_ACCESS_TOKEN={token}
{change}
Ctrl-C ends it.
"""


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.doubles.hubspot", description=_ABOUT)
    for name in OBJECTS:
        parser.add_argument(f"--{name}", type=_count, default=0, metavar="N", help=_made_up(name))
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--database", default=":memory:", metavar="FILE", help="keep the records in a SQLite file")
    parser.add_argument("--api-limits", choices=PLANS, default="professional", help="default: %(default)s")
    parser.add_argument("--index-lag", type=float, default=0.0, metavar="SECONDS", help="until search sees a change")
    parser.add_argument("--scopes", help="what the token was granted, with commas; default: everything")
    parser.add_argument(
        "--time-zone", type=_zone, default="America/New_York", help="of the account; default: %(default)s"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the sample records; default: %(default)s")
    parser.add_argument("--verbose", action="store_true", help="print a line per request")
    return parser.parse_args(given)


def _made_up(name: str) -> str:
    return f"{name} to make up" + (f", a custom object with the type id {CARS}" if name == "cars" else "")


def _count(text: str) -> int:
    if (number := int(text)) < 0:
        raise ValueError
    return number


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError):
        raise argparse.ArgumentTypeError(f"{text!r} is no time zone; one is Europe/Berlin") from None


def main() -> int:
    """Serve until told to stop; exit code 2 when it cannot listen, or not use the file."""
    chosen = arguments()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with HubSpot(**_options(chosen)) as crm:
            _fill(crm, chosen)
            print(_announcement(crm), flush=True)
            stop.wait()
            print(f"\nRequests: {_listed(crm.calls) or 'none'}")
    except (OSError, sqlite3.Error, OverflowError) as error:
        print(f"The stand-in cannot start on port {chosen.port} with {chosen.database}: {error}", file=sys.stderr)
        return 2
    return 0


def _options(chosen: argparse.Namespace) -> dict:
    return {
        "port": chosen.port,
        "database": chosen.database,
        "limits": PLANS[chosen.api_limits],
        "index_lag": chosen.index_lag,
        "scopes": chosen.scopes.split(",") if chosen.scopes else None,
        "time_zone": chosen.time_zone,
        "log": (lambda line: print(line, flush=True)) if chosen.verbose else None,
    }


def _fill(crm: HubSpot, chosen: argparse.Namespace) -> None:
    """A file that holds records already is served as it is."""
    if crm.counts():
        return
    counts = {name: getattr(chosen, name) for name in OBJECTS}
    with crm.transaction():
        fill(crm, counts, now=int(time.time() * 1000), seed=chosen.seed)
    crm.index()


def _announcement(crm: HubSpot) -> str:
    counts = _listed(crm.counts()) or "no records (say --contacts 25000)"
    if CARS in crm.account.catalog.types:
        counts += f" (in a map, object: {CARS})"
    return _TEXT.format(url=crm.url, portal=crm.options.portal, token=crm.token, counts=counts, change=hints(crm))


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


if __name__ == "__main__":
    sys.exit(main())
