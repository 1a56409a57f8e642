"""Credentials that are asked for, tried at once, and kept in `.env` where they work."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from pydantic import SecretStr

from connectors.base import ConnectorError
from connectors.variables import VariablesInvalid
from sync.commands import asking, screen
from sync.commands.asking import tell
from sync.discover import env_file
from sync.discover.env_file import EnvFileUnusable
from sync.discover.looking import objects_of
from sync.discover.opening import Place

ENV_FILE = Path(".env")


def ask_for(connector: str, connection: str | None) -> None:
    """Ask for a connector's variables until they work; what was given before stands there as the default."""
    model: Any = import_module(f"connectors.{connector}").Variables
    prefix = f"{connection}_" if connection else ""
    way = _way(model.ways, next(iter(model.ways)))
    values: dict[str, str] = {}
    again: set[str] = set()
    while True:
        names = [f"{prefix}{name}" for name in model.ways[way]]
        for name in names:
            if name not in values or name in again:
                values[name] = _answer(model, name, prefix, values.get(name) if len(names) > 1 else None)
        given = {name: values[name] for name in names}
        with tried(given) as trial:
            problem = answers(connector, connection)
            trial.keep = not problem
        if trial.keep:
            keep(given | used_from_environment(model, prefix, given))
            return
        named = {name for name in names if name in problem}
        partly = bool(named) and named != again and len(named) < len(names)
        again = named if partly else set(names)
        if not partly:
            way = _way(model.ways, way)
        tell(f"Another try, {' and '.join(sorted(named))} alone:" if partly else "Another try:")


def answers(connector: str, connection: str | None) -> str:
    """Say whether the source answers with what is set; the problem, or nothing."""
    try:
        found = objects_of(Place(connector, None, connection))
    except (ConnectorError, VariablesInvalid) as problem:
        tell(f"  That does not work: {problem}")
        return str(problem)
    tell(f"  {connector} answers; {screen.count(len(found), 'object')} to choose from.")
    return ""


def used_from_environment(model: Any, prefix: str, besides: Collection[str]) -> dict[str, str]:
    """The further variables of a model, no secrets, that are set in this shell and not in `.env`.

    A check that they made succeed would fail in the next shell without them.
    """
    there = env_file.names_in(ENV_FILE) | set(besides)
    found = {}
    for name, field in model.model_fields.items():
        full = str(field.validation_alias or f"{prefix}{name.upper()}")
        value = os.environ.get(full, "")
        if value.strip() and full not in there and f"{full}_FILE" not in there and not _is_secret(field):
            found[full] = value
    return found


def _way(ways: Mapping[str, tuple[str, ...]], usual: str) -> str:
    return usual if len(ways) == 1 else asking.choose("Log in with", [(one, "") for one in ways], usual)


def _answer(model: Any, name: str, prefix: str, before: str | None) -> str:
    """Ask for one variable in the words of its description; hidden where it is a secret."""
    plain = name.removeprefix(prefix).lower()
    field = model.model_fields.get(plain) or model.model_fields.get(plain.removesuffix("_file"))
    about = (field.description or "").rstrip(".")
    if name.endswith("_FILE"):
        return asking.ask_text(f"{name} (path of the file: {about})", before)
    if _is_secret(field):
        return asking.ask_secret(f"{name} ({about})", before)
    while True:
        found = asking.ask_text(f"{name} ({about})", before or os.environ.get(name))
        if not name.endswith("_URL") or is_address(found):
            return found
        host = "mycompany.my.salesforce.com" if plain.startswith("sf_") else "api.example.com"
        tell(f"  expected an address such as https://{host}")


def is_address(text: str) -> bool:
    """Whether a text has the shape of a web address."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not any(sign.isspace() for sign in text)


def _is_secret(field: Any) -> bool:
    return SecretStr in getattr(field.annotation, "__args__", (field.annotation,))


class Trial:
    """Variables that are set to be tried."""

    keep = False


@contextmanager
def tried(values: Mapping[str, str]) -> Iterator[Trial]:
    """Set variables in this process; they stay set where the trial says so."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    trial = Trial()
    try:
        yield trial
    finally:
        if not trial.keep:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def keep(values: Mapping[str, str]) -> None:
    """Put variables into .env; asks before a line is changed."""
    there = sorted(env_file.names_in(ENV_FILE) & set(values))
    if there and not asking.confirm(f"  .env sets {', '.join(there)} already. Change that?", default=True):
        tell("  .env is as it was; the new values hold until this command ends.")
        return
    is_new = not ENV_FILE.exists()
    try:
        env_file.write(ENV_FILE, values)
    except EnvFileUnusable as problem:
        raise click.UsageError(str(problem)) from None
    tell(f"  {'Wrote' if is_new else 'Added to'} .env: {', '.join(values)} (readable by you alone).")
    if env_file.is_exposed(ENV_FILE):
        tell("  Careful: this folder is a git work tree, and .env is not ignored. Add a line `.env` to .gitignore.")
