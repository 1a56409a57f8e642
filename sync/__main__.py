"""The `memsync` command: finds the command, and turns every error into one line and an exit code."""

from __future__ import annotations

import json
import sys
from difflib import get_close_matches
from importlib import import_module

import click

from sync import __version__

COMMANDS = {
    "demo": "the whole job on embedded parts, to look at",
    "validate": "check maps, credentials, fields, collections and limits; writes nothing",
    "run": "one incremental run of the named streams, or of all",
    "backfill": "read a range of a stream once, apart from its cursor",
    "status": "cursors, last runs, what is not settled, rejects",
    "rejects": "rows that could not be delivered",
    "verify": "read delivered records back from memory and compare",
    "state": "explicit changes of a stream's state",
    "sandbox": "the local memory service, for trying maps with no account",
    "schema": "the JSON Schema of property maps",
}


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
    """Copy records into Personize memory, and never lose one. This version reads Postgres."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the code that `docs/commands.md` explains."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        code = memsync.main(args=arguments, prog_name="memsync", standalone_mode=False)
        code = code if isinstance(code, int) else 0
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = error.exit_code
        if "--json" in arguments:
            click.echo(json.dumps({"ok": False, "exit": code, "error": error.format_message()}, indent=2))
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        sys.stdout = None  # nobody listens any more, not even to the flush at exit
        code = 0
    except Exception as error:
        code = _explain(error, arguments)
    sys.exit(code)


def _explain(error: Exception, arguments: list[str]) -> int:
    from sync.commands.trouble import tell  # knows every error of every layer

    return tell(error, arguments)


if __name__ == "__main__":
    main()
