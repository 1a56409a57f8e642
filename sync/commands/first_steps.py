"""`memsync init` without arguments: from an empty folder to a map and a dry run's table, each step checked at once."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from connectors.base import ConnectorError
from connectors.variables import VariablesInvalid
from sync.commands import asking, screen
from sync.commands.asking import tell
from sync.commands.credentials import answers, ask_for, is_address, keep, tried, used_from_environment
from sync.discover.opening import Place, readiness
from sync.exits import KNOWN_ERRORS
from sync.maps.sources import connector_names
from sync.settings import Settings

SANDBOX = {
    "PERSONIZE_BASE_URL": "http://127.0.0.1:8765",
    "PERSONIZE_SECRET_KEY": "sk_test_sandbox",  # nosec B105 - the sandbox takes any
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
    if connector not in ready or answers(connector, given["connection"]):
        ask_for(connector, given["connection"])
    return connector


def _is_ready(connector: str, connection: str | None) -> bool:
    with suppress(VariablesInvalid):
        return not readiness(connector, connection).problem
    return False


# 2. Memory


def _memory(settings: Settings) -> Settings:
    tell("2. Whose memory do they go to?")
    if settings.personize_secret_key is not None and _reached(settings):
        return settings
    while True:
        key = asking.ask_secret(
            f"The organisation's key, sk_..., or the word {_SANDBOX_WORD} for a service of your own"
        )
        values = _sandbox() if key == _SANDBOX_WORD else {"PERSONIZE_SECRET_KEY": key}
        with tried(values) as trial:
            try:
                settings = Settings.load()
                trial.keep = _reached(settings)
            except VariablesInvalid as problem:
                tell(f"  That does not work: {problem}")
        if trial.keep:
            keep(values | {name: value for name, value in _memory_variables(values).items() if name not in values})
            return settings


def _sandbox() -> dict[str, str]:
    """The variables of a sandbox, whose address is asked for."""
    tell("  In another terminal, in a folder of its own: memsync sandbox")
    before = os.environ.get("PERSONIZE_BASE_URL", "")
    usual = before if is_address(before) else SANDBOX["PERSONIZE_BASE_URL"]
    while not is_address(url := asking.ask_text("  Its address, when it runs", usual)):
        tell(f"  expected an address such as {SANDBOX['PERSONIZE_BASE_URL']}")
    return SANDBOX | {"PERSONIZE_BASE_URL": url}


def _memory_variables(besides: Collection[str]) -> dict[str, str]:
    """What else the shell says of the memory service."""
    found = used_from_environment(Settings, "", besides)
    return {name: value for name, value in found.items() if name in SANDBOX}


def _reached(settings: Settings) -> bool:
    """Whether the memory service knows the key; says why not."""
    from sync.destination import open_destination

    try:
        destination = open_destination(settings, time.sleep, structlog.get_logger().warning)
    except KNOWN_ERRORS as problem:
        tell(f"  That does not work (at {settings.personize_base_url}): {problem}")
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
    from sync.commands.running import run_all
    from sync.request import Request

    return run_all([loaded], Request(command="run", dry_run=True), settings, as_json=False, debug=False)
