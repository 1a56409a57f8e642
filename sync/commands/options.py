"""Options that commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from sync.commands.refusal import Refused
from sync.shards import Shard, parse_shard

_F = TypeVar("_F", bound=Callable[..., Any])


class Duration(click.ParamType[float]):
    """A span such as 90s, 2m or 1h, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from connectors.source import parse_duration

        try:
            return float(parse_duration(value).total_seconds())
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


class Instant(click.ParamType[datetime]):
    """A point in time with its zone; a bare date is its first moment in UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        from connectors.source import parse_instant

        text = f"{value}T00:00:00Z" if isinstance(value, str) and len(value) == len("2024-01-01") else value
        try:
            return parse_instant(text)
        except ValueError as error:
            self.fail(f"{value!r}: {error}, or a day such as 2024-01-01", param, ctx)


class ShardOf(click.ParamType[Shard]):
    """One of several parts, such as 0/4."""

    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shard:
        try:
            return parse_shard(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


mappings = click.option(
    "--mappings",
    type=click.Path(path_type=Path),
    default=None,
    metavar="DIR",
    help="The folder of property maps.  [default: MEMSYNC_MAPPINGS, else mappings]",
)
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
debug = click.option("--debug", is_flag=True, help="Show where a fault came from (may show values of records).")
yes = click.option("--yes", "-y", is_flag=True, help="Do not ask back.")
resend = click.option("--resend", is_flag=True, help="Send also what was delivered before as it is now.")
dry_run = click.option("--dry-run", is_flag=True, help="Read and map, store nothing, change no state.")
wait = click.option(
    "--wait", type=Duration(), default="2m", show_default=True, help="How long to follow events of accepted rows."
)


def spending(function: _F) -> _F:
    """--max-rows, --max-calls, --max-credits and --yes."""
    number = click.IntRange(min=1)
    rows = click.option("--max-rows", type=number, metavar="N", help="Stop with exit 6 after N rows of a stream.")
    calls = click.option("--max-calls", type=number, metavar="N", help="Stop with exit 6 after N calls of a stream.")
    cost = click.option("--max-credits", type=number, metavar="N", help="Stop with exit 6 before N credits are passed.")
    agree = click.option("--yes", "-y", is_flag=True, help="Agree to much text, and to unusually many rows.")
    return rows(calls(cost(agree(function))))


class Declined(click.ClickException):
    """The person said no."""

    exit_code = 2

    def __init__(self) -> None:
        super().__init__("nothing was changed")


def ask(question: str, *, yes: bool) -> None:
    """Go on when `yes` or the person agrees; raises Declined, or Refused where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(f"{question} There is no terminal to ask on: --yes agrees")
    if not click.confirm(question, err=True):
        raise Declined


def common(function: _F) -> _F:
    """--mappings, --json and --debug."""
    return mappings(as_json(debug(function)))
