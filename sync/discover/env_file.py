"""`.env`: read line by line, changed without touching what else is in it, and never readable by others."""

from __future__ import annotations

import io
import os
import re
import subprocess  # nosec B404
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

_BARE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_NOTHING = "MEMSYNC_NO_SUCH_VARIABLE"
"""Never set: `${NAME:-$}` is how a dollar sign before a brace is written."""


class EnvFileUnusable(Exception):
    """The file, or a value for it, cannot be written so that it is read back as it was given."""


def names_in(path: Path) -> frozenset[str]:
    """The variables that a file sets; nothing where there is no file."""
    return frozenset(dotenv_values(path)) if path.is_file() else frozenset()


def with_variables(text: str, changes: Mapping[str, str]) -> str:
    """The file's text with these variables: a line that sets one is replaced where it stands, others are added.

    Raises EnvFileUnusable where a value cannot be written.
    """
    for name, value in changes.items():
        if "\r" in value:  # whoever reads the file takes it for an end of a line
            raise EnvFileUnusable(
                f".env: the value of {name} holds a carriage return, which would come back as a line feed; give it "
                f"with line feeds only, or name a file that holds it in {name}_FILE"
            )
    lines, left = [], dict(changes)
    for line in parse_stream(io.StringIO(text)):
        if line.key in changes:
            said = line.original.string
            lines.append(said[: len(said) - len(said.lstrip())])  # empty lines above it
            if line.key in left:
                lines.append(f"{line.key}={quoted(left.pop(line.key))}\n")
            continue
        lines.append(line.original.string)
    made = "".join(lines)
    made += "\n" if made and not made.endswith("\n") else ""
    made += "".join(f"{name}={quoted(value)}\n" for name, value in left.items())
    read = dotenv_values(stream=io.StringIO(made))
    wrong = [name for name, value in changes.items() if read.get(name) != value]
    if wrong:
        raise EnvFileUnusable(f".env: the value of {wrong[0]} cannot be written so that it is read back as it is")
    return made


def quoted(value: str) -> str:
    """A value as a line of `.env` says it: bare where nothing in it means anything, else in single quotes."""
    if _BARE.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + escaped.replace("${", f"${{{_NOTHING}:-$}}{{") + "'"


def write(path: Path, changes: Mapping[str, str]) -> None:
    """Put variables into a file, which only its owner may read afterwards; raises EnvFileUnusable.

    The file is replaced in one step: who reads it meanwhile sees the old one or the new one.
    """
    new = path.with_name(f"{path.name}.new-{os.getpid()}")
    try:
        before = path.read_text(encoding="utf-8-sig") if path.exists() else ""
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(with_variables(before, changes))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path.resolve() if path.is_symlink() else path)
    except (OSError, UnicodeDecodeError) as error:
        raise EnvFileUnusable(f"{path}: cannot be written ({type(error).__name__}); is the folder yours?") from None
    finally:
        new.unlink(missing_ok=True)


def is_exposed(path: Path) -> bool:
    """Whether the file lies in a git work tree that would take it up; False where git cannot say."""
    try:
        inside = _git(path.parent, "rev-parse", "--is-inside-work-tree")
        return inside == 0 and _git(path.parent, "check-ignore", "-q", path.name) == 1
    except (OSError, subprocess.SubprocessError):
        return False


def _git(folder: Path, *arguments: str) -> int:
    command = ["git", "-C", str(folder.resolve()), *arguments]
    return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode  # noqa: S603  # nosec B603
