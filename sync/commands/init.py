"""`memsync init`: a property map from what a source holds; with no arguments, everything that a first run needs."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sync.commands import asking, options, screen
from sync.commands.discover import connection, sample
from sync.commands.refusal import Refused
from sync.commands.session import load_settings

if TYPE_CHECKING:
    from sync.commands.making import Wishes
    from sync.discover.fitting import Known
    from sync.discover.opening import Place
    from sync.discover.proposal import Proposal
    from sync.settings import Settings

_NOBODY = (
    "there is no terminal to ask on: say what to make a map of, as in `memsync init hubspot contacts --yes` "
    "(memsync discover lists connectors and objects)"
)


@click.command(epilog="Example: memsync init hubspot contacts")
@click.argument("connector", required=False)
@click.argument("object_", metavar="[OBJECT]", required=False)
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to write.  [default: STREAM.yaml]"
)
@click.option("--stream", metavar="NAME", help="The stream's name.  [default: CONNECTOR-OBJECT]")
@click.option("--identity", metavar="FIELD", help="The field by which a record is known in memory.")
@click.option("--key", multiple=True, metavar="FIELD", help="The key of a view or table without one; repeatable.")
@connection
@sample
@options.yes
@click.option("--force", is_flag=True, help="Replace a map that exists.")
@options.common
def command(connector: str | None, object_: str | None, **given: Any) -> int:
    """Write a commented property map for an object, from its metadata and a few records.

    With no arguments it asks, step by step, for all that a first run needs: credentials, which are checked at once and
    kept in .env, and a map. It asks on a terminal only; --yes takes the proposals.
    """
    given["interactive"] = asking.can_ask() and not given["yes"] and not given["as_json"]
    settings = load_settings()
    if connector is None:
        if not given["interactive"]:
            raise click.UsageError(_NOBODY)
        from sync.commands.first_steps import walk

        return walk(settings, given)
    return _make(connector, object_, settings, given)


def _make(connector: str, object_: str | None, settings: Settings, given: dict[str, Any]) -> int:
    from sync.discover.opening import Place, require_connector

    require_connector(connector)
    wishes = wishes_of(given)
    place = Place(connector, object_, given["connection"])
    _see_to_credentials(place, interactive=wishes.interactive)
    if object_ is None:
        if not wishes.interactive:
            raise click.UsageError(f"say which object: memsync init {connector} OBJECT (memsync discover {connector})")
        from sync.commands.making import choose_object

        place = choose_object(place)
    file, made, loaded = make_map(place, wishes, settings, given, known_collections(settings))
    _tell(file, made, loaded.stream, given, settings)
    return 0


def _see_to_credentials(place: Place, *, interactive: bool) -> None:
    """Ask for the source's variables where they are missing and somebody is there to answer; else say who asks."""
    from connectors.base import SourceMisconfigured
    from sync.commands.credentials import ask_for
    from sync.discover.opening import opened, readiness

    try:
        with opened(place):
            return
    except SourceMisconfigured as error:
        problem = readiness(place.connector, place.connection).problem
        if problem != str(error):  # the place itself is at fault
            raise
    if not interactive:
        raise SourceMisconfigured(
            f"{problem}; on a terminal, `memsync init {place.connector}` asks for what is missing"
        )
    asking.tell(problem)
    if asking.confirm("Give it now? What works is kept in .env.", default=True):
        ask_for(place.connector, place.connection)


def wishes_of(given: dict[str, Any]) -> Wishes:
    """What the options say."""
    from sync.commands.making import Wishes

    return Wishes(given["identity"], given["key"], given["stream"], given["sample"], given["interactive"])


def make_map(
    place: Place, wishes: Wishes, settings: Settings, given: dict[str, Any], known: list[Known] | None
) -> tuple[Path, Proposal, Any]:
    """Propose a map, write it, and load it again; raises ConnectorError, click.ClickException, MapsInvalid."""
    from sync.commands.making import propose_map, stream_name
    from sync.commands.placing import ask_where, read_already, refuse_taken, require_suffix, write_map

    folder = given["mappings"] or Path(settings.memsync_mappings)
    if not wishes.interactive and given["output"] is None and wishes.stream is None and place.object is not None:
        # Before the source is asked for anything.
        stream = stream_name(place)
        if (folder / f"{stream}.yaml").exists() and not given["force"]:
            refuse_taken(folder / f"{stream}.yaml", stream, force=False, interactive=False)
    if given["output"] is not None:
        require_suffix(given["output"])
    made = propose_map(place, wishes, known)
    file = given["output"] or folder / f"{made.stream}.yaml"
    if wishes.interactive and given["output"] is None:
        file = ask_where(file)
    if twice := read_already(made.look.place, file):
        made = replace(made, remarks=(*made.remarks, twice))
    refuse_taken(file, made.stream, force=given["force"], interactive=wishes.interactive)
    try:
        return file, made, write_map(made, file)
    except OSError as error:
        raise Refused(f"{file}: cannot be written ({type(error).__name__}); choose another --output") from None


def known_collections(settings: Settings) -> list[Known] | None:
    """The organisation's collections; None where no key is set, or where they cannot be had, which is said."""
    if settings.personize_secret_key is None:
        return None
    import structlog

    from sync.destination import open_destination
    from sync.discover.fitting import known_from
    from sync.exits import KNOWN_ERRORS

    try:
        destination = open_destination(settings, time.sleep, structlog.get_logger().warning)
        try:
            return known_from(destination.client.collections())
        finally:
            destination.close()
    except KNOWN_ERRORS as problem:
        asking.tell(f"memsync: the collections could not be asked for, so their names are guessed: {problem}")
        return None


def _tell(file: Path, made: Proposal, stream: str, given: dict[str, Any], settings: Settings) -> None:
    """What was made, and what to do next."""
    texts = [line.name for line in made.texts]
    left = {reason: list(names) for reason, names in made.left_out.items()}
    if given["as_json"]:
        document = {"ok": True, "command": "init", "exit": 0, "file": str(file), "stream": stream}
        document |= {"identity": {made.identity.kind: made.identity.path}, "plain": [line.name for line in made.facts]}
        screen.show_json(document | {"texts": texts, "left_out": left, "notes": [*made.remarks, *made.look.notes]})
        return
    folder = "" if given["mappings"] is None else f" --mappings {given['mappings']}"
    screen.say(summary(file, made))
    for note in (*made.remarks, *made.look.notes):
        screen.say(screen.one_line(f"note: {note}"))
    elsewhere = file.parent.resolve() != (given["mappings"] or Path(settings.memsync_mappings)).resolve()
    if elsewhere:
        folder = f" --mappings {file.parent}"
    screen.say("The file is valid. Look through it, then:")
    if settings.personize_secret_key is None:
        screen.say("  set PERSONIZE_SECRET_KEY (or start `memsync sandbox`)")
    screen.say(f"  memsync validate {stream}{folder}")
    screen.say(f"  memsync run {stream} --dry-run{folder}")


def summary(file: Path, made: Proposal) -> str:
    """What a map holds, in one line; the fields add up."""
    from sync.discover.fates import used_fields

    fields, used = len(made.look.fields), len(used_fields(made))
    facts = "1 plain property" if len(made.facts) == 1 else f"{len(made.facts)} plain properties"
    texts = screen.count(len(made.texts), "free text")
    others = sum(1 for line in made.facts if line.source in made.look.model.parents.values())
    besides = f" besides {others} of other records" if others else ""
    of_fields = f"of {screen.count(fields, 'field')} {used:,} are used{besides} and {fields - used:,} left out"
    return f"{file}: known by {made.identity.path}; {facts}, {texts}; {of_fields}"
