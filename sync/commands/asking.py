"""Questions on a terminal: they go to standard error, so that standard output holds results alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from sync.commands.screen import one_line


def can_ask() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def tell(text: str = "") -> None:
    """A line between questions."""
    click.echo(one_line(text), err=True)


def ask_text(question: str, default: str | None = None) -> str:
    """A line of text."""
    return str(click.prompt(question, default=default, show_default=bool(default), err=True)).strip()


def ask_secret(question: str, default: str | None = None) -> str:
    """A line that is not shown while it is typed; an empty one keeps what was given before, which is not shown."""
    hint = "" if default is None else ", Enter keeps what you gave"
    question = f"{question} (not shown){hint}"
    return str(click.prompt(question, default=default, show_default=False, hide_input=True, err=True)).strip()


def confirm(question: str, *, default: bool = False) -> bool:
    """Yes or no."""
    return click.confirm(question, default=default, err=True)


def choose(question: str, options: Sequence[tuple[str, str]], default: str | None = None) -> str:
    """One of several, by its number or its name; `options` are names with a remark."""
    names = [name for name, _ in options]
    for number, (name, remark) in enumerate(options, 1):
        tell(f"  {number:>2}  {name}{f'  {remark}' if remark else ''}")
    usual = str(names.index(default) + 1) if default in names else None
    while True:
        found = ask_text(question, usual)
        if found in names:
            return found
        if found.isdecimal() and 1 <= int(found) <= len(names):
            return names[int(found) - 1]
        alike = [name for name in names if name.lower() == found.lower()]
        if alike:
            return alike[0]
        tell(f"expected a number from 1 to {len(names)}, or one of the names")
