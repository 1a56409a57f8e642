"""`memsync init` without arguments: from an empty folder to a map and a dry run's table, each step checked at once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import structlog
from pydantic import SecretStr

from connectors.base import ConnectorError
from connectors.variables import VariablesInvalid
from sync.commands import asking, screen
from sync.commands.asking import tell
from sync.discover import env_file
from sync.discover.env_file import EnvFileUnusable
from sync.discover.looking import objects_of
from sync.discover.opening import Place, readiness
from sync.exits import KNOWN_ERRORS
from sync.maps.sources import connector_names
from sync.settings import Settings

ENV_FILE = Path(".env")
SANDBOX = {
    "PERSONIZE_BASE_URL": "http://127.0.0.1:8765",
    "PERSONIZE_SECRET_KEY": "sk_test_sandbox",
    "PERSONIZE_API_VERSION": "v1.1",
}
_SANDBOX_WORD = "sandbox"
_ABOUT = {"postgres": "a database", "hubspot": "a HubSpot account", "salesforce": "a Salesforce org"}


def walk(settings: Settings, given: dict[str, Any]) -> int:
    """Ask step by step; the exit code is that of the dry run at the end."""
    tell("memsync copies records into Personize memory. Four steps: source, memory, map, dry run. Ctrl-C ends this;")
    tell("what was checked by then is kept in .env.")
    connector = _source(given)
    settings = _memory(settings)
    return _map_and_dry_run(connector, settings, given)


# 1. The source


def _source(given: dict[str, Any]) -> str:
    tell("1. Where are the records?")
    names = connector_names()
    options = [(name, _ABOUT.get(name, "")) for name in names]
    ready = [name for name in names if _is_ready(name, given["connection"])]
    connector = asking.choose("Source", options, ready[0] if ready else names[0])
    if connector in ready and _proven(connector, given["connection"]):
        return connector
    while not _asked(connector, given["connection"]):
        tell("Another try:")
    return connector


def _is_ready(connector: str, connection: str | None) -> bool:
    with suppress(VariablesInvalid):
        return not readiness(connector, connection).problem
    return False


def _proven(connector: str, connection: str | None) -> bool:
    """Whether the source answers with what is set; says why not."""
    try:
        found = objects_of(Place(connector, None, connection))
    except (ConnectorError, VariablesInvalid) as problem:
        tell(f"  That does not work: {problem}")
        return False
    tell(f"  {connector} answers; {screen.count(len(found), 'object')} to choose from.")
    return True


def _asked(connector: str, connection: str | None) -> bool:
    """Ask for the variables of one way to log in, try them, and keep them in .env where they work."""
    module: Any = import_module(f"connectors.{connector}")
    ways: Mapping[str, tuple[str, ...]] = module.Variables.ways
    way = (
        next(iter(ways))
        if len(ways) == 1
        else asking.choose("Log in with", [(one, "") for one in ways], next(iter(ways)))
    )
    prefix = f"{connection}_" if connection else ""
    values = {f"{prefix}{name}": _answer(module.Variables, name, prefix) for name in ways[way]}
    with _tried(values) as tried:
        tried.keep = _proven(connector, connection)
    if tried.keep:
        _keep(values)
    return tried.keep


def _answer(model: Any, name: str, prefix: str) -> str:
    """Ask for one variable in the words of its description; hidden where it is a secret."""
    field = model.model_fields.get(name.lower()) or model.model_fields.get(name.lower().removesuffix("_file"))
    about = (field.description or "").rstrip(".")
    if name.endswith("_FILE"):
        return asking.ask_text(f"{prefix}{name} (path of the file: {about})")
    secret = SecretStr in getattr(field.annotation, "__args__", (field.annotation,))
    return (asking.ask_secret if secret else asking.ask_text)(f"{prefix}{name} ({about})")


class _Trial:
    """Variables that are set to be tried."""

    keep = False


@contextmanager
def _tried(values: Mapping[str, str]) -> Iterator[_Trial]:
    """Set variables in this process; they stay set where the trial says so."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    trial = _Trial()
    try:
        yield trial
    finally:
        if not trial.keep:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _keep(values: Mapping[str, str]) -> None:
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


# 2. Memory


def _memory(settings: Settings) -> Settings:
    tell("2. Whose memory do they go to?")
    if settings.personize_secret_key is not None and _reached(settings):
        return settings
    while True:
        key = asking.ask_secret(
            f"The organisation's key, sk_..., or the word {_SANDBOX_WORD} for a service of your own"
        )
        # A sandbox on another port is one that was said so.
        local = SANDBOX | {name: os.environ[name] for name in ("PERSONIZE_BASE_URL",) if os.environ.get(name)}
        values = local if key == _SANDBOX_WORD else {"PERSONIZE_SECRET_KEY": key}
        if key == _SANDBOX_WORD:
            tell("  In another terminal, in a folder of its own: memsync sandbox")
            asking.ask_text("  Press Enter when it runs", default="")
        with _tried(values) as tried:
            try:
                settings = Settings.load()
                tried.keep = _reached(settings)
            except VariablesInvalid as problem:
                tell(f"  That does not work: {problem}")
        if tried.keep:
            _keep(values)
            return settings


def _reached(settings: Settings) -> bool:
    """Whether the memory service knows the key; says why not."""
    from sync.destination import open_destination

    try:
        destination = open_destination(settings, time.sleep, structlog.get_logger().warning)
    except KNOWN_ERRORS as problem:
        tell(f"  That does not work: {problem}")
        return False
    tell(f"  Memory answers: {destination.name}, {destination.plan.per_minute:,} calls a minute.")
    destination.close()
    return True


# 3. and 4.


def _map_and_dry_run(connector: str, settings: Settings, given: dict[str, Any]) -> int:
    from sync.commands.init import known_collections, make_map, summary, wishes_of
    from sync.commands.making import choose_object

    tell("3. The map")
    place = Place(connector, None, given["connection"])
    known = known_collections(settings)
    while True:
        try:
            file, made, loaded = make_map(choose_object(place), wishes_of(given), settings, given, known)
            break
        except ConnectorError as problem:
            tell(f"  That does not work: {problem}")
            if not asking.confirm("Another object?", default=True):
                raise
    screen.say(summary(file, made))
    for note in (*made.remarks, *made.look.notes):
        screen.say(screen.one_line(f"note: {note}"))
    tell("4. A dry run: everything is read and mapped, nothing is stored")
    code = _dry_run(loaded, settings)
    folder = "" if file.parent == Path(settings.memsync_mappings) else f" --mappings {file.parent}"
    screen.say(f"\nNext: look through {file}, then\n  memsync run {loaded.stream}{folder}")
    screen.say(f"  memsync verify {loaded.stream}{folder}")
    return code


def _dry_run(loaded: Any, settings: Settings) -> int:
    from sync.commands.run import run_all
    from sync.request import Request

    return run_all([loaded], Request(command="run", dry_run=True), settings, as_json=False, debug=False)
