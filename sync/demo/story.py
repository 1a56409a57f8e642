"""What the demo does and says, step by step."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from sync.commands import screen
from sync.commands.session import chosen_maps, load_settings, surroundings
from sync.commands.verifying import Wanted, verify_sample
from sync.demo.folder import STREAM, make_folder, write_variables
from sync.demo.postgres import ADDED, change, embedded_postgres, fill
from sync.exits import INTERRUPTED, TERMINATED
from sync.maps.model import PropertyMap
from sync.request import Request, Surroundings
from sync.run import run_stream
from sync.sandbox import Sandbox, SandboxOptions
from sync.sandbox.server import AddressUnusable
from sync.summary import Summary

PORT = 8765
PER_MINUTE = 600
SETTLING = 1.0
"""Seconds that the sandbox takes to complete a batch, so that there is something to wait for."""
SHOWN = "ada.keller@quarrysoftware.example"


class DemoFailed(click.ClickException):
    """A step of the demo did not end as it must."""

    exit_code = 1


def run_demo(folder: Path, rows: int) -> None:
    """The whole job in a folder; raises DemoFailed, click.UsageError. Every process that it starts ends with it."""
    began = time.monotonic()
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):  # so that Postgres is stopped on the way out
        signal.signal(number, lambda number, _: _leave(asked, number))
    make_folder(folder)
    with _inside(folder), ExitStack() as parts:
        _step(1, f"A real Postgres with {rows:,} customers, and a local memory service")
        database = parts.enter_context(embedded_postgres(Path("postgres")))
        fill(database, rows)
        memory = parts.enter_context(_sandbox())
        write_variables(Path(), database, memory.url)
        click.echo(f"   Postgres with the table public.customers; memory at {memory.url} (no account, no cost)\n")
        _runs(database, rows)
    if asked:  # the exception was raised where Python could not pass it on
        raise SystemExit(128 + asked[0])
    _farewell(folder, time.monotonic() - began, memory.url)


def _leave(asked: list[int], number: int) -> None:
    asked.append(number)
    raise SystemExit(128 + number)


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Work in the folder as if its variables were the only ones: nobody's real account is touched."""
    before, here = dict(os.environ), Path.cwd()
    for name in list(os.environ):
        if name.startswith(("MEMSYNC_", "PERSONIZE_", "DATABASE_URL", "PG")):
            del os.environ[name]
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _sandbox() -> Iterator[Sandbox]:
    options = SandboxOptions(database=Path("sandbox.db"), port=PORT, delay=SETTLING, per_minute=PER_MINUTE)
    with ExitStack() as parts:
        try:
            sandbox = parts.enter_context(Sandbox(options))
        except AddressUnusable:  # something else has the port: any other will do
            free = SandboxOptions(database=Path("sandbox.db"), delay=SETTLING, per_minute=PER_MINUTE)
            sandbox = parts.enter_context(Sandbox(free))
        yield sandbox


def _runs(database: str, rows: int) -> None:
    settings = load_settings()
    property_map = chosen_maps(None, settings, [STREAM])[0]
    shown = screen.Progress()
    with surroundings(settings, dry_run=False, debug=False, progress=shown.show) as around:
        _step(2, "First sync: every customer, through the property map mappings/customers.yaml")
        first = _run(property_map, around, shown)
        _expect(first, sent=rows, rejected=0)
        click.echo()
        _step(3, "The source changes: 3 customers change, 2 are new, 1 new one has no e-mail address")
        change(database)
        click.echo()
        _step(
            4, "Second sync: only what changed; the row that cannot be delivered is kept as a reject, with its reason"
        )
        second = _run(property_map, around, shown)
        _expect(second, sent=5, rejected=1)
        for line in screen.remarks(second):
            screen.say(f"   {line}")
        click.echo()
        _step(5, "Reading back from memory")
        _read_back(property_map, around)
        if around.stop.is_set:
            raise SystemExit(128 + (around.stop.signal or signal.SIGINT))


def _run(property_map: PropertyMap, around: Surroundings, shown: screen.Progress) -> Summary:
    summary = run_stream(property_map, Request(wait=30.0), around)
    shown.clear()
    click.echo(
        f"   read {summary.read:,} = sent {summary.sent:,} + unchanged {summary.unchanged:,} + rejected "
        f"{summary.rejected:,} + filtered {summary.filtered:,}"
    )
    click.echo(
        f"   {summary.settled:,} rows confirmed as stored, in {summary.calls} calls and {summary.seconds:.1f} seconds"
    )
    return summary


def _expect(summary: Summary, *, sent: int, rejected: int) -> None:
    if summary.exit in (INTERRUPTED, TERMINATED):
        raise SystemExit(summary.exit)
    if (summary.sent, summary.settled, summary.rejected) != (sent, sent, rejected):
        why = summary.message or f"sent {summary.sent}, settled {summary.settled}, rejected {summary.rejected}"
        raise DemoFailed(f"expected {sent} rows sent and {rejected} rejected: {why}")


def _read_back(property_map: PropertyMap, around: Surroundings) -> None:
    found = verify_sample(property_map, around, Wanted())
    click.echo(
        f"   {found.sampled} delivered customers compared with the source: {found.equal} equal, "
        f"{found.different} different, {found.missing} missing"
    )
    if not found.is_well or not found.equal:
        raise DemoFailed("memory does not hold what was sent")
    digest = around.destination.client.digest({"email": SHOWN, "type": "contact", "token_budget": 500})  # nosec B105
    click.echo(f"   What memory knows about {ADDED[0][2]} {ADDED[0][3]}, who is new:")
    for name, value in (digest.get("properties") or {}).items():
        click.echo(f"     {name}: {value}")
    for memory in digest.get("memories") or []:
        click.echo(f"     remembered: {memory.get('text')}")
    click.echo("   (the sandbox stores sentences; the real service extracts facts with AI)\n")


def _step(number: int, text: str) -> None:
    click.secho(f"{number}. {text}", bold=True)


def _farewell(folder: Path, seconds: float, url: str) -> None:
    path = "" if shutil.which("memsync") else f"\n   export PATH={Path(sys.argv[0]).resolve().parent}:$PATH"
    click.secho(f"Done in {seconds:.0f} seconds. {folder}/ goes on working:", bold=True)
    click.echo(f"""
   cd {folder}{path}
   memsync sandbox         # in one terminal: memory and Postgres again; open {url}
   memsync run             # in another: nothing changed, so nothing is sent
   memsync rejects list    # the row that could not be delivered
   memsync status          # cursor, last runs

   mappings/customers.yaml is the property map: change it and look with `run --dry-run`.
   Your own Postgres next: see "Your first real sync" in README.md.""")
