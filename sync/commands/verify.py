"""`memsync verify`: does memory hold what was delivered?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from sync.commands import options, screen
from sync.commands.session import chosen_maps, load_settings, surroundings
from sync.exits import OK, REJECTS
from sync.maps.compile import compile_map
from sync.maps.model import PropertyMap
from sync.request import Surroundings, open_source
from sync.verify import Verification, sample, verify

_ALWAYS = ("sampled", "equal", "different", "missing", "changed")
_AT_TIMES = ("present", "overwritten")
"""Numbers that most maps do not have: shown where they are not 0."""


@click.command(epilog="Example: memsync verify customers --sample 50")
@click.argument("stream")
@click.option("--sample", "size", type=click.IntRange(min=1), default=20, show_default=True, metavar="N")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed compares other records.")
@options.common
def command(stream: str, size: int, seed: int, mappings: Path | None, as_json: bool, debug: bool) -> int:
    """Read a sample of delivered records back from memory and compare every plain property with the source."""
    settings = load_settings()
    property_map = chosen_maps(mappings, settings, [stream])[0]
    with surroundings(settings, dry_run=True, debug=debug) as around:
        found = verify_sample(property_map, around, size, seed)
    return _show(found, as_json=as_json)


def verify_sample(property_map: PropertyMap, around: Surroundings, size: int, seed: int) -> Verification:
    """Compare so many delivered records with memory; raises click.UsageError when nothing was delivered."""
    stream, store = property_map.stream, around.store
    keys = store.sample_keys(stream) if store else []
    if store is None or not keys:
        raise click.UsageError(f"nothing of {stream!r} was delivered yet; run it first")
    delivered = store.fingerprints(stream, sample(keys, size, seed))
    compiled = compile_map(property_map, store.salt(stream) or b"")
    connector = open_source(property_map, None, compiled.source_fields)
    try:
        return verify(stream, delivered, connector, compiled, around.destination.client, around.pacer)
    finally:
        connector.close()


def _show(found: Verification, *, as_json: bool) -> int:
    code = OK if found.is_well else REJECTS
    if as_json:
        screen.show_json({"ok": found.is_well, "command": "verify", "exit": code, **asdict(found)})
        return code
    names = [name for name in _ALWAYS + _AT_TIMES if name in _ALWAYS or getattr(found, name)]
    screen.table(
        ["stream", *names], [[found.stream, *(getattr(found, name) for name in names)]], range(1, len(names) + 1)
    )
    for line in [*found.examples, *found.notes]:
        screen.say(f"  {line}")
    if found.changed:
        screen.say(f"  {found.changed} changed in the source since; the next run brings them")
    return code
