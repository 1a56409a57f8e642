"""What is refused though it was asked for rightly: one line, without the help on usage."""

from __future__ import annotations

from typing import IO, Any

import click

from sync.codes import MISCONFIGURED


class Refused(click.ClickException):
    """The command cannot do it as things are; the message says why, and what to do."""

    exit_code = MISCONFIGURED

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"memsync: {self.message}", file=file, err=file is None)
