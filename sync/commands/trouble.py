"""The last line of a command that failed: what, where, remedy; a traceback only for those who ask for one."""

from __future__ import annotations

import traceback

import click
import orjson

from sync import exits
from sync.commands import github
from sync.log import mask
from sync.maps.problem import MapsInvalid

LONGEST_CHAIN = 10
"""Errors behind each other that a traceback shows."""


def tell(error: Exception, arguments: list[str]) -> int:
    """Print an error, as JSON too where that was asked for, and return its exit code."""
    code = exits.exit_of(error)
    if "--debug" in arguments:
        click.echo(frames_of(error), err=True, nl=False)
    if isinstance(error, MapsInvalid):
        lines = [str(problem) for problem in error.problems]
    elif code == exits.UNEXPECTED:
        # Nobody knows what such a message holds, so only --debug shows it.
        lines = [f"unexpected {type(error).__name__}; run again with --debug to see where"]
    else:
        lines = [str(error) or exits.MEANINGS[code]]
    lines = [" ".join(mask(line).splitlines()) for line in lines]
    for line in lines:
        click.echo(f"memsync: {line}" if len(lines) == 1 else line, err=True)
    if len(lines) > 1:
        click.echo(f"memsync: {len(lines)} problems", err=True)
    found = error.problems if isinstance(error, MapsInvalid) else lines
    github.problems(found, title=f"memsync failed, exit code {code}")
    if "--json" in arguments:
        document = {"ok": False, "exit": code, "error": lines[0] if len(lines) == 1 else lines}
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    return code


def frames_of(error: BaseException) -> str:
    """Where an error came from, and behind what others: lines of code and types, never a message, which may quote."""
    lines: list[str] = []
    step: BaseException | None = error
    while step is not None and len(lines) < LONGEST_CHAIN:
        lines.append(f"{type(step).__name__}, raised here:\n" + "".join(traceback.format_tb(step.__traceback__)))
        step = step.__cause__ or (None if step.__suppress_context__ else step.__context__)
    return "behind it: ".join(lines)
