"""`memsync discover`: what a source holds, and what of it would be worth having in memory."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from connectors.base import SourceMisconfigured
from sync.commands import options, screen
from sync.commands.session import load_settings

SAMPLE = 200
"""Records that are looked at, unless told otherwise."""
connection = click.option("--connection", metavar="NAME", help="A second account: EU reads EU_DATABASE_URL and so on.")
sample = click.option(
    "--sample", type=click.IntRange(0, 1000), default=SAMPLE, show_default=True, metavar="N",
    help="Records to look at for statistics; 0: metadata only.",
)  # fmt: skip


@click.command(epilog="Example: memsync discover hubspot contacts")
@click.argument("connector", required=False)
@click.argument("object_", metavar="[OBJECT]", required=False)
@connection
@sample
@options.as_json
@options.debug
def command(
    connector: str | None, object_: str | None, connection: str | None, sample: int, as_json: bool, debug: bool
) -> int:
    """The connectors; the objects of one; or the fields of an object, and what a map would make of each.

    Values of records are never shown, only numbers about them.
    """
    load_settings()
    if connector is None:
        return _connectors(connection, as_json=as_json)
    if object_ is None:
        return _objects(connector, connection, as_json=as_json)
    return _fields(connector, object_, connection, sample, as_json=as_json)


def _connectors(connection: str | None, *, as_json: bool) -> int:
    from sync.discover.opening import readiness
    from sync.maps.sources import connector_names

    found = [readiness(name, connection) for name in connector_names()]
    if as_json:
        listed = [asdict(one) | {"ready": not one.problem} for one in found]
        screen.show_json({"ok": True, "command": "discover", "exit": 0, "connectors": listed})
        return 0
    rows = [
        (
            one.connector,
            "no" if one.problem else "yes",
            ", ".join(name for name, is_set in one.variables.items() if is_set),
        )
        for one in found
    ]
    screen.table(["connector", "ready", "variables that are set"], rows)
    screen.say()
    for one in found:
        if one.problem:
            screen.say(f"{one.connector}: {one.problem}")
    screen.say("Next: memsync discover CONNECTOR, or memsync init, which asks for what is missing")
    return 0


def _objects(connector: str, connection: str | None, *, as_json: bool) -> int:
    from sync.discover.looking import objects_of
    from sync.discover.opening import Place

    found = objects_of(Place(connector, None, connection))
    if as_json:
        objects = [asdict(one) for one in found]
        screen.show_json({"ok": True, "command": "discover", "exit": 0, "connector": connector, "objects": objects})
        return 0
    counted = any(one.rows is not None for one in found)
    rows = [(one.name, one.label, *((one.rows,) if counted else ())) for one in found]
    screen.table(["object", "label", *(["about rows"] if counted else [])], rows, (2,))
    screen.say(f"\n{screen.count(len(found), 'object')}. Next: memsync discover {connector} OBJECT")
    return 0


def _fields(connector: str, object_: str, connection: str | None, sample: int, *, as_json: bool) -> int:
    from sync.discover.judgement import judge
    from sync.discover.looking import look_at, nearest_object
    from sync.discover.opening import Place

    place = nearest_object(Place(connector, object_, connection))
    look = look_at(place, sample)
    judged = judge(look.fields, look.records, look.cursor)
    identity, fates = _planned(look, judged)
    if as_json:
        screen.show_json(
            {"ok": True, "command": "discover", "exit": 0, "connector": connector, "object": place.object}
            | {"records": look.count, "sampled": len(look.records), "identity": identity, "notes": look.notes}
            | {"key": look.reading.primary_key if look.reading else None, "cursor": look.cursor}
            | {"fields": [_as_dict(one, fates[one.field.name]) for one in judged]}
        )
        return 0
    from sync.discover.showing import rows_of

    screen.table(
        ["field", "label", "type", "filled", "length", "words", "becomes", "why"],
        rows_of(judged, identity, fates),
        (3, 4, 5),
    )
    screen.say()
    _say_more(look, identity, len(judged))
    return 0


def _planned(look: Any, judged: Any) -> tuple[str | None, dict[str, Any]]:
    """The identity and what becomes of each field, as `memsync init` would propose it."""
    from sync.discover.fates import fates, fates_without_a_map
    from sync.discover.fitting import shelf_for_facts, shelf_for_words
    from sync.discover.identity import identity_of
    from sync.discover.whole import whole_map

    try:
        identity = identity_of(look, judged)
    except SourceMisconfigured:
        return None, fates_without_a_map(judged)
    facts = shelf_for_facts(identity.entity, None)
    made = whole_map(look, judged, identity, facts, shelf_for_words(identity.entity, None, facts), "discover")
    return identity.path, fates(made)


def _say_more(look: Any, identity: str | None, fields: int) -> None:
    about = f", about {screen.count(look.count, 'record')}" if look.count is not None else ""
    seen = f"{len(look.records):,} of them looked at" if look.records else "none looked at"
    screen.say(f"{screen.count(fields, 'field')}{about}, {seen}")
    if look.reading is not None:
        from sync.check import describe

        screen.say(describe(look.reading))
    screen.say(f"identity: {identity or 'none found'}")
    for note in look.notes:
        screen.say(screen.one_line(f"note: {note}"))
    screen.say(f"Next: memsync init {look.place.connector} {look.place.object}")


def _as_dict(one: Any, fate: Any) -> dict[str, Any]:
    field, profile, verdict = one.field, one.profile, one.verdict
    facts = {
        name: getattr(field, name) for name in ("name", "label", "type", "comment", "nullable", "is_key", "values")
    }
    numbers = {name: round(value, 3) for name, value in asdict(profile).items()} | {"share": round(profile.share, 3)}
    becomes = {"becomes": fate.kind, "reason": fate.why, "doubtful": verdict.doubtful and fate.kind == verdict.kind}
    return facts | becomes | {"sample": numbers if profile.records else None}
