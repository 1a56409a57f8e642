"""`memsync sandbox`: the local memory service, for trying maps with no account."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from sync.demo.folder import is_demo, port_of
from sync.sandbox import Sandbox, SandboxOptions
from sync.sandbox.database import DatabaseUnusable
from sync.sandbox.server import AddressUnusable

EXAMPLE = """
\b
Example:
  memsync sandbox --per-minute 60 --delay 5
  # in another terminal
  export PERSONIZE_BASE_URL=http://127.0.0.1:8765
  export PERSONIZE_SECRET_KEY=sk_test_sandbox
  memsync run
"""


class _AddressRefused(click.ClickException):
    exit_code = 2


class _DatabaseRefused(click.ClickException):
    exit_code = 8


@click.command(name="sandbox", epilog=EXAMPLE)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; keep it to this machine.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes any free port.")
@click.option(
    "--database",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("sandbox.db"),
    show_default=True,
    help="SQLite file that holds everything; made when missing.",
)
@click.option("--per-minute", type=click.IntRange(1), help="Calls a minute before 429; no limit when left out.")
@click.option("--per-month", type=click.IntRange(1), help="Calls a month before 429; no limit when left out.")
@click.option(
    "--delay", type=click.FloatRange(0), default=0.0, show_default=True, help="Seconds until an event is completed."
)
@click.option(
    "--latency", type=click.FloatRange(0), default=0.0, show_default=True, help="Seconds that each call takes at least."
)
@click.option(
    "--plan",
    type=click.Choice(["pro", "enterprise"]),
    default="pro",
    show_default=True,
    help="Whose limits on rows, bytes and calls at once hold.",
)
@click.option("--sink", is_flag=True, help="Count calls, rows and bytes and store nothing, as fast as possible.")
@click.option("--collection", "collections", multiple=True, metavar="NAME", help="One more collection; repeatable.")
def command(**given: Any) -> None:
    """Serve the memory API on this machine, with a page that shows what arrived.

    It takes any key of the form sk_test_..., keeps everything in one file, and runs no AI:
    text marked extractMemories is stored as its sentences.
    """
    if is_demo(Path()) and click.get_current_context().get_parameter_source("port") == ParameterSource.DEFAULT:
        given["port"] = port_of(Path()) or given["port"]
    options = SandboxOptions(**{**given, "database": None if given["sink"] else given["database"]})
    try:
        with Sandbox(options) as sandbox, _postgres_of_a_demo() as demo:
            _announce(sandbox, demo=demo)
            _wait_for_signal()
    except AddressUnusable as error:
        raise _AddressRefused(str(error)) from None
    except DatabaseUnusable as error:
        raise _DatabaseRefused(str(error)) from None
    click.echo("Sandbox stopped.", err=True)


@contextmanager
def _postgres_of_a_demo() -> Iterator[bool]:
    """In the folder of a demo its Postgres runs as long as the sandbox does; yields whether this is one."""
    if not is_demo(Path()):
        yield False
        return
    from sync.demo.postgres import embedded_postgres  # only the demo's folder needs it

    with embedded_postgres(Path("postgres")):
        yield True


def _announce(sandbox: Sandbox, *, demo: bool) -> None:
    if demo:
        click.echo(
            f"Sandbox at {sandbox.url}, and the demo's Postgres: both as .env says. In another terminal, in this "
            "folder: memsync run\nStop with Ctrl-C.",
            err=True,
        )
        return
    where = "nothing is stored (sink)" if sandbox.options.sink else f"stored in {sandbox.options.database}"
    click.echo(
        f"Sandbox at {sandbox.url} ({where}); open it in a browser to see what arrives.\n\n"
        f"  export PERSONIZE_BASE_URL={sandbox.url}\n"
        "  export PERSONIZE_SECRET_KEY=sk_test_sandbox\n"
        "  export PERSONIZE_API_VERSION=v1.1\n\n"
        "Stop it with Ctrl-C.",
        err=True,
    )


def _wait_for_signal() -> None:
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        stop.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
