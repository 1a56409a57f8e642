"""What GitHub shows of a run inside a workflow: a table on the run's page, and notes at lines of property maps."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import click

from sync.commands.screen import NUMBERS, count, one_line, remarks
from sync.log import mask
from sync.maps.problem import Problem
from sync.summary import Summary

MOST_NOTES = 10
"""Notes of one kind that GitHub shows of a step; every problem is in the log anyway."""
LARGEST_SUMMARY = 900_000
"""Bytes that are written to the run's page; GitHub refuses a step's whole text beyond 1 MiB."""
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&])")

Level = Literal["error", "warning"]


def on_github() -> bool:
    """Whether this process is a step of a GitHub workflow."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def report(command: str, summaries: Sequence[Summary], *, dry_run: bool) -> None:
    """Put the numbers of a command on the run's page, and a note for every stream that did not end well."""
    if not on_github():
        return
    failed = [one for one in summaries if one.message]
    notes = [_note("error", one.message, title=f"{one.stream} {one.status}, exit code {one.exit}") for one in failed]
    _show(notes)
    rejected = [one for one in summaries if one.rejected and not one.message]
    _show([_note("warning", _rejects(one, dry_run=dry_run), title=f"{one.stream} has rejects") for one in rejected])
    _append(page(command, summaries, dry_run=dry_run))


def problems(found: Iterable[Problem | str], title: str = "memsync") -> None:
    """Put a note at the line of each problem of a map; a plain text has no line, but a title."""
    if on_github():
        _show([_of_problem(one) if isinstance(one, Problem) else _note("error", one, title=title) for one in found])


def page(command: str, summaries: Sequence[Summary], *, dry_run: bool) -> str:
    """The numbers of a command as Markdown: a row for each stream, then what a person should know. No cursors: they
    may hold keys, and the page of a public repository is open to all."""
    heads = ["stream", "status", *NUMBERS, "seconds", "exit"]
    lines = [f"### memsync {command}{' (dry run)' if dry_run else ''}", "", _row(heads)]
    lines.append(_row(["---", "---", *("---:" for _ in heads[2:])]))
    for one in summaries:
        numbers = [f"{getattr(one, name):,}" for name in NUMBERS]
        lines.append(_row([_text(one.stream), _text(one.status), *numbers, f"{one.seconds:.1f}", str(one.exit)]))
    lines.append("")
    for one in summaries:
        told = [one.message] if one.message else []
        lines += [f"- {_text(f'{one.stream}: {text}')}" for text in told + remarks(one, dry_run=dry_run)]
    return "\n".join(lines) + "\n\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """Somebody's words as Markdown shows them literally, on one line."""
    return _MARKUP.sub(r"\\\1", one_line(text))


def _rejects(summary: Summary, *, dry_run: bool) -> str:
    reasons = ", ".join(f"{rows:,} {reason}" for reason, rows in sorted(summary.reasons.items()))
    remedy = "" if dry_run else f"; see: memsync rejects list {summary.stream}"
    return f"{count(summary.rejected, 'row')} rejected ({reasons}){remedy}"


def _of_problem(problem: Problem) -> str:
    place = {"line": str(problem.line), "col": str(problem.column)} if problem.line else {}
    told = ": ".join(part for part in (problem.path, problem.message) if part)
    return _note("error", told, title="property map", file=_in_repository(problem.file), **place)


def _note(level: Level, message: str, **properties: str) -> str:
    """One workflow command; properties in the order in which they are given."""
    given = ",".join(f"{name}={_escaped(mask(value), ':,')}" for name, value in properties.items())
    return f"::{level} {given}::{_escaped(mask(message))}" if given else f"::{level}::{_escaped(mask(message))}"


def _escaped(text: str, also: str = "") -> str:
    """A masked text with the characters that end a workflow command, or a property of it, written as %XX."""
    for char in f"%\n{also}":
        text = text.replace(char, f"%{ord(char):02X}")
    return text


def _in_repository(file: str) -> str:
    """The file as the repository names it, whatever folder memsync runs in."""
    root = os.environ.get("GITHUB_WORKSPACE")
    path = Path(file).resolve()
    inside = bool(root) and path.is_relative_to(Path(str(root)).resolve())
    return path.relative_to(Path(str(root)).resolve()).as_posix() if inside else file


def _show(notes: Sequence[str]) -> None:
    # On standard error, which the runner reads too: standard output belongs to --json.
    for note in notes[:MOST_NOTES]:
        click.echo(note, err=True)


def _append(text: str) -> None:
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        with Path(path).open("ab") as file:
            room = max(0, LARGEST_SUMMARY - file.tell())
            file.write(text.encode()[:room])
    except OSError as error:
        click.echo(f"memsync: the table for the run's page cannot be written ({error.strerror})", err=True)
