"""`memsync export`: records out of memory again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sync.commands import options, screen
from sync.commands.refusal import Refused
from sync.commands.session import load_settings, saying_when_stopped, shared_pace, surroundings
from sync.export.file import FileUnusable, place_of
from sync.export.query import Query, parse_condition, parse_key, parse_names
from sync.memory.records import PAGE_SIZE

if TYPE_CHECKING:
    from sync.commands.exporting import Exported, Wanted
    from sync.request import Surroundings


class Parsed(click.ParamType[Any]):
    """What a function reads from a text; its ValueError is a problem of usage."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name, self._read = name, read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self._read(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command(epilog="Example: memsync export --type contact --where 'plan=pro' --output contacts.jsonl")
@click.option("--type", "entity_type", metavar="TYPE", help="Records of this type, such as contact.")
@click.option("--key", type=Parsed("key", parse_key), metavar="NAME=VALUE", help="The record with this key.")
@click.option(
    "--where",
    "conditions",
    type=Parsed("condition", parse_condition),
    multiple=True,
    metavar="CONDITION",
    help="Such as 'job_title=CEO', 'seats>50', 'plan IN team,pro' or 'phone IS_SET'; may be repeated.",
)
@click.option("--any", "is_any", is_flag=True, help="One of the conditions is enough.")
@click.option(
    "--properties", type=Parsed("names", parse_names), default=(), metavar="A,B", help="Only these, in this order."
)
@click.option("--memories", is_flag=True, help="Memories that were drawn from texts, too.")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.option("--spreadsheet", is_flag=True, help="CSV that starts no formula in a spreadsheet.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="[default: the screen]")
@click.option("--page-size", type=click.IntRange(1, PAGE_SIZE), default=PAGE_SIZE, show_default=True, metavar="N")
@click.option("--count", "only_count", is_flag=True, help="Only say how many records there are.")
@options.yes
@options.as_json
@options.debug
def command(
    entity_type: str | None,
    key: tuple[str, str] | None,
    conditions: Sequence[Any],
    is_any: bool,
    properties: Sequence[str],
    memories: bool,
    form: str,
    spreadsheet: bool,
    output: Path | None,
    page_size: int,
    only_count: bool,
    yes: bool,
    as_json: bool,
    debug: bool,
) -> int:
    """Write records as memory holds them, as JSON Lines or CSV, to a file or to the screen."""
    from sync.commands.exporting import Wanted, count_matches, hints_of

    query = Query(entity_type, key, tuple(conditions), is_any, tuple(properties), memories)
    if entity_type is None and key is None:
        raise click.UsageError("say which records: --type TYPE, or --key NAME=VALUE")
    if spreadsheet and form != "csv":
        raise click.UsageError("--spreadsheet is for --format csv")
    if as_json and output is None and not only_count:
        raise click.UsageError("--json needs --output FILE: the records themselves go to standard output")
    place = None if output is None or only_count else _place(output, yes=yes)
    settings = load_settings()
    with surroundings(settings, dry_run=True, debug=debug) as bare:
        around = shared_pace(bare)
        if only_count:
            total = count_matches(query, around)
            return _show_count(total, hints_of(query, around, records=total), as_json=as_json)
        done = _export(Wanted(query, form, page_size, spreadsheet), place, around)
    _show(done, output, as_json=as_json)
    return 0


def _place(output: Path, *, yes: bool) -> Path:
    """Where to write, once it may be; raises Refused, Declined."""
    try:
        place = place_of(output)
    except FileUnusable as problem:
        raise Refused(str(problem)) from None
    if place.exists():
        options.ask(f"{output} exists already: replace it?", yes=yes)
    return place


def _export(wanted: Wanted, output: Path | None, around: Surroundings) -> Exported:
    """Export, and say how long it took."""
    from sync.commands.exporting import to_file, to_screen

    began, calls = time.monotonic(), around.destination.client.calls
    onward = "; the same command goes on from here" if output else ""
    try:
        with saying_when_stopped(around.stop, f"stopped{onward}"):
            done = to_screen(wanted, around) if output is None else to_file(wanted, output, around)
    except FileUnusable as problem:
        raise Refused(str(problem)) from None
    return done._replace(calls=around.destination.client.calls - calls, seconds=round(time.monotonic() - began, 3))


def _show_count(total: int, hints: Sequence[str], *, as_json: bool) -> int:
    if as_json:
        screen.show_json({"ok": True, "command": "export", "exit": 0, "records": total, "hints": hints})
    else:
        screen.say(screen.count(total, "record"))
    _hint(hints)
    return 0


def _hint(hints: Sequence[str]) -> None:
    for line in hints:
        click.echo(screen.one_line(f"memsync: {line}"), err=True)


def _show(done: Exported, output: Path | None, *, as_json: bool) -> None:
    where = f" to {output}" if output else ""
    if as_json:
        document = done._asdict() | {"output": str(output)}
        screen.show_json({"ok": True, "command": "export", "exit": 0, **document})
    before = f", {done.resumed:,} of them by an earlier start" if done.resumed else ""
    told = f"{screen.count(done.records, 'record')} exported{where}{before}"
    click.echo(f"memsync: {told}; {screen.count(done.calls, 'call')}, {done.seconds:.1f} s", err=True)
    if done.others:
        names = screen.one_line(", ".join(done.others[:10])) + (", ..." if len(done.others) > 10 else "")
        click.echo(f"memsync: without a column, in other_properties: {names}; --properties gives them one", err=True)
    _hint(done.hints)
