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
Its address and credentials are printed as variables to copy. Records are changed while it runs by the
ordinary REST calls; T and S are printed with the variables:

  curl -X PATCH $S/Contact/003xx0000000001AAA -H "$T" -H 'Content-Type: application/json' -d '{"Title": "Director"}'
  (POST to $S/Contact adds one, DELETE of its address deletes it, GET shows it)
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
    """The lines to copy: client credentials, a session for calls by hand, and other logins as comments."""
    lines = {
        "SF_LOGIN_URL": org.url,
        "SF_CLIENT_ID": org.client_id,
        "SF_CLIENT_SECRET": org.client_secret,
    }
    token = org.access_token
    session = {"SF_INSTANCE_URL": org.url, "SF_ACCESS_TOKEN": token}
    by_hand = {"T": f"Authorization: Bearer {token}", "S": f"{org.url}/services/data/v62.0/sobjects"}
    soap = {"SF_USERNAME": org.username, "SF_PASSWORD": org.password, "SF_SECURITY_TOKEN": org.security_token}
    file = str(Path(private_key).absolute()) if private_key else ""
    jwt = {"SF_USERNAME": org.username, "SF_PRIVATE_KEY_FILE": file} if private_key else {}
    parts = [
        _exports(lines),
        "",
        "# For calls by hand (see --help):",
        "\n".join(f"{name}='{value}'" for name, value in by_hand.items()),
        "",
        "# Instead of the client's id and secret, a session:",
        *(f"# {line}" for line in _exports(session).splitlines()),
        "# Or the legacy login with password and token, with SF_LOGIN_URL as above:",
        *(f"# {line}" for line in _exports(soap).splitlines()),
        *(["# Or JWT bearer, with SF_LOGIN_URL and SF_CLIENT_ID as above, without SF_CLIENT_SECRET:"] if jwt else []),
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
    org.become(int(org.url.rpartition(":")[2]))
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
    names = ("Account", "Contact", "Lead", "Opportunity", "Case", "Task", "Event", "EmailMessage", "Note")
    counts = ((name, len(org.rows(name, "Id"))) for name in names)
    return ", ".join(f"{count} {name}" for name, count in counts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
