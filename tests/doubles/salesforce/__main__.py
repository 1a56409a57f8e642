"""The stand-in Salesforce from a terminal: `python -m tests.doubles.salesforce --contacts 25000`."""

import argparse
import signal
import sqlite3
import sys
import threading
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

from .org import Salesforce
from .sample import Amounts, Sample

_ABOUT = """\
Serves a small Salesforce org with sample data on 127.0.0.1 until it is stopped (Ctrl-C).
Its address and credentials are printed as variables to copy. Records are changed while it runs
by the ordinary REST calls, for example with the token from $SF_ACCESS_TOKEN:

  curl -X PATCH $SF_INSTANCE_URL/services/data/v62.0/sobjects/Contact/003xx0000000001AAA \\
       -H "Authorization: Bearer $SF_ACCESS_TOKEN" -H "Content-Type: application/json" -d '{"Title": "Director"}'
  (POST to .../sobjects/Contact adds one, DELETE of its address deletes it)
"""


def arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.doubles.salesforce", description=_ABOUT, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--contacts", type=int, default=1000, help="how many contacts (the rest in proportion)")
    for each in fields(Amounts)[1:]:
        parser.add_argument(f"--{each.name}", type=int, help=f"how many {each.name}, instead")
    parser.add_argument("--seed", type=int, default=1, help="another seed gives other sample data")
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--database", default=":memory:", metavar="FILE", help="keep the records in this SQLite file")
    parser.add_argument("--daily-calls", type=int, default=100_000, help="the org's limit in 24 hours")
    parser.add_argument("--session-minutes", type=float, default=120, help="how long a login lasts")
    parser.add_argument("--private-key", metavar="FILE", help="private key for JWT logins; made if there is none")
    return parser.parse_args(given)


def variables(org: Salesforce, private_key: str | None) -> str:
    """The lines to copy: client credentials, and a session for calls by hand."""
    lines = {
        "SF_LOGIN_URL": org.url,
        "SF_CLIENT_ID": org.client_id,
        "SF_CLIENT_SECRET": org.client_secret,
    }
    by_hand = {"SF_INSTANCE_URL": org.url, "SF_ACCESS_TOKEN": org.access_token}
    soap = {"SF_USERNAME": org.username, "SF_PASSWORD": org.password, "SF_SECURITY_TOKEN": org.security_token}
    jwt = {"SF_USERNAME": org.username, "SF_PRIVATE_KEY_FILE": private_key} if private_key else {}
    parts = [
        _exports(lines),
        "# Instead of the client's id and secret, a session (also for calls by hand):",
        *(f"# {line}" for line in _exports(by_hand).splitlines()),
        "# Or the legacy login with password and token:",
        *(f"# {line}" for line in _exports(soap).splitlines()),
        *(["# Or JWT bearer, with the client's id but without its secret:"] if jwt else []),
        *(f"# {line}" for line in _exports(jwt).splitlines()),
    ]
    return "\n".join(parts)


def _exports(values: dict[str, str]) -> str:
    return "\n".join(f"export {name}='{value}'" for name, value in values.items())


def main(given: list[str]) -> int:
    """Serve until SIGINT or SIGTERM; 2 where the port or the file cannot be used."""
    wanted = arguments(given)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        with _org(wanted) as org:
            _serve(org, wanted, stopped)
    except (OSError, sqlite3.Error) as refused:
        print(f"the stand-in server cannot start: {refused}", file=sys.stderr)
        return 2
    print("Stopped.", flush=True)
    return 0


def _org(wanted: argparse.Namespace) -> Salesforce:
    return Salesforce(
        port=wanted.port,
        database=wanted.database,
        daily_calls=wanted.daily_calls,
        session_life=timedelta(minutes=wanted.session_minutes),
    )


def _serve(org: Salesforce, wanted: argparse.Namespace, stopped: threading.Event) -> None:
    _fill(org, wanted)
    if wanted.private_key:
        _keep_key(org, Path(wanted.private_key))
    print(
        f"A stand-in Salesforce serves {_contents(org)} at {org.url}\n\n{variables(org, wanted.private_key)}\n",
        flush=True,
    )
    while not stopped.wait(1):
        pass


def _fill(org: Salesforce, wanted: argparse.Namespace) -> None:
    if org.rows("Contact", "Id"):
        return
    amounts = Amounts.around(wanted.contacts, {each.name: getattr(wanted, each.name) for each in fields(Amounts)})
    Sample(org, wanted.seed).fill(amounts)


def _keep_key(org: Salesforce, file: Path) -> None:
    """Trust the key in the file, or write a new one into it."""
    if file.exists():
        org.account.trust(file.read_text())
    else:
        file.write_text(org.private_key)
        file.chmod(0o600)


def _contents(org: Salesforce) -> str:
    counts = ((name, len(org.rows(name, "Id"))) for name in ("Account", "Contact", "Lead", "Case", "Task"))
    return ", ".join(f"{count} {name}" for name, count in counts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
