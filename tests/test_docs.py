"""The documentation leaves out no command, option, variable or exit code."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

from sync.__main__ import COMMANDS
from sync.exits import MEANINGS
from sync.maps.sources import connector_names
from sync.settings import Settings

ROOT = Path(__file__).parent.parent
COMMANDS_PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
SETTINGS_PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
UNDER_THEIR_OWN_NAME = {"--json", "--mappings", "--debug", "--yes", "--help"}


def leaves() -> Iterator[tuple[str, click.Command]]:
    for name in COMMANDS:
        command = import_module(f"sync.commands.{name}").command
        if isinstance(command, click.Group):
            yield from ((f"{name} {sub}", found) for sub, found in command.commands.items())
        else:
            yield name, command


def section(name: str) -> str:
    """The text of the command's own section, and of the heading above it."""
    _, heading, rest = COMMANDS_PAGE.partition(f"## memsync {name}")
    assert heading, f"docs/commands.md has no section for memsync {name}"
    return rest.partition("\n## ")[0]


@pytest.mark.parametrize(("name", "command"), list(leaves()), ids=lambda found: found if isinstance(found, str) else "")
def test_every_command_and_option_is_documented(name: str, command: click.Command) -> None:
    text = section(name)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            option = max(parameter.opts, key=len)
            assert option in (COMMANDS_PAGE if option in UNDER_THEIR_OWN_NAME else text), f"{option} of {name}"


@pytest.mark.parametrize(("name", "command"), list(leaves()), ids=lambda found: found if isinstance(found, str) else "")
def test_every_command_has_help_with_an_example(name: str, command: click.Command) -> None:
    assert command.help
    assert "memsync " + name.split()[0] in (command.epilog or ""), f"no example in the help of {name}"


def test_every_variable_is_documented() -> None:
    variables = [field.upper() for field in Settings.model_fields]
    for connector in connector_names():
        variables += [field.upper() for field in import_module(f"connectors.{connector}").Variables.model_fields]
    missing = [name for name in variables if f"`{name}`" not in SETTINGS_PAGE]
    assert not missing


def test_every_exit_code_is_documented_with_its_meaning() -> None:
    for code, meaning in MEANINGS.items():
        assert str(code) in COMMANDS_PAGE
        assert meaning.split(",")[0].split(":")[0] in COMMANDS_PAGE


def test_every_page_that_the_readme_names_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = [part.split(")")[0] for part in text.split("](")[1:]]
    missing = [
        name for name in named if not name.startswith(("http", "#")) and not (ROOT / name.split("#")[0]).exists()
    ]
    assert not missing
