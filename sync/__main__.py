"""The `memsync` command: finds the command, and turns every error into one line and an exit code."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from difflib import get_close_matches
from importlib import import_module

import click

from sync import __version__
from sync.commands import output

COMMANDS = {
    "demo": "the whole job on embedded parts, to look at",
    "init": "ask for what is needed and write a property map from what the source holds",
    "discover": "what a source holds: objects, fields, and what a map would make of them",
    "validate": "check maps, credentials, fields, collections and limits; writes nothing",
    "run": "one incremental run of the named streams, or of all",
    "backfill": "read a range of a stream once, apart from its cursor",
    "serve": "the scheduler: each stream on its cron; health, metrics and status page",
    "status": "cursors, last runs, what is not settled, rejects",
    "health": "for container health checks: non-zero when a stream has not succeeded lately",
    "rejects": "rows that could not be delivered",
    "verify": "read delivered records back from memory and compare",
    "trace": "one record end to end: read, mapped, sent, stored",
    "export": "records out of memory again, filtered and paged, as JSONL or CSV",
    "state": "explicit changes of a stream's state",
    "sandbox": "the local memory service, for trying maps with no account",
    "schema": "the JSON Schema of property maps",
}

_MANY_OBJECTS = 500_000
_UNDISTURBED = 0.02
"""Seconds that a thread may work while others wait for their turn."""


class _Commands(click.Group):
    """The commands by name; each lives in `sync.commands.<name>` as `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"sync.commands.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"there is no command {args[0]!r}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # The short texts stand here, so that `--help` need not import every command.
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=_Commands,
    name="memsync",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: memsync demo",
)
@click.version_option(__version__, prog_name="memsync")
def memsync() -> None:
    """Copy records into Personize memory, and never lose one. Sources are Salesforce, HubSpot and Postgres."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the code that `docs/commands.md` explains."""
    is_process = arguments is None
    if arguments is None:
        arguments = sys.argv[1:]
        output.take_over()
        # What is imported is no garbage: looking for some in it took an eighth of the time of a short command.
        gc.set_threshold(_MANY_OBJECTS, 20, 50)
        # A thread that is taken from its core finds its values gone from there: at 5 ms, a run took 8 % longer.
        sys.setswitchinterval(_UNDISTURBED)
        # Until a command listens for it itself: the first process of a container would not be ended by it at all.
        signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
    try:
        code = memsync.main(args=arguments, prog_name="memsync", standalone_mode=False)
        code = code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        code = error.exit_code
        if "--json" in arguments:
            click.echo(json.dumps({"ok": False, "exit": code, "error": error.format_message()}, indent=2))
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except Exception as error:
        code = _explain(error, arguments)
    sys.stdout.flush()
    if problem := output.unwritten():
        click.echo(f"memsync: standard output cannot be written ({problem}); what the command did is kept", err=True)
        code = code or 1
    if is_process:
        gc.freeze()  # the process ends: nothing is worth being looked through once more
        gc.disable()
    sys.exit(code)


def _explain(error: Exception, arguments: list[str]) -> int:
    from sync.commands.trouble import tell  # knows every error of every layer

    return tell(error, arguments)


if __name__ == "__main__":
    main()
