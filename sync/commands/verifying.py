"""What `memsync verify` does: a sample is read back and compared, and the outcome is shown."""

from __future__ import annotations

from contextlib import closing
from dataclasses import fields
from typing import Any, NamedTuple

from sync.codes import OK, REJECTS
from sync.commands import screen
from sync.commands.refusal import Refused
from sync.lookup import by_digest, by_search
from sync.maps.compile import compile_map
from sync.maps.model import PropertyMap
from sync.memory.records import USUAL_BUDGET
from sync.request import Surroundings, open_source
from sync.settle import settle_first
from sync.verify import Verification, verify

_ALWAYS = ("sampled", "equal", "different", "missing", "changed")
_AT_TIMES = ("gone", "waiting", "failed", "present", "overwritten")
"""Numbers that most maps do not have: shown where they are not 0."""
LONGEST = 80
"""Characters of a value that --show-values shows on a line."""


class Wanted(NamedTuple):
    """Which rows are compared, and how."""

    size: int = 20
    seed: int = 1
    wait: float = 0.0
    """Seconds to wait for events first."""
    by: str = "search"
    token_budget: int = USUAL_BUDGET
    """Tokens of one digest."""


def verify_sample(property_map: PropertyMap, around: Surroundings, wanted: Wanted) -> Verification:
    """Compare so many delivered records with memory; raises Refused when nothing was delivered."""
    stream, store = property_map.stream, around.store
    first = settle_first(stream, around, wanted.wait)
    delivered = store.sample(stream, wanted.size, wanted.seed) if store else {}
    if store is None or not (delivered or first.failed):
        raise Refused(f"nothing of {stream!r} was delivered yet; run it first: memsync run {stream}")
    compiled = compile_map(property_map, store.salt(stream) or b"")
    if wanted.by == "digest":
        look = by_digest(around.destination, around.pacer, compiled, wanted.token_budget)
    else:
        look = by_search(around.destination, around.pacer, compiled)
    with closing(open_source(property_map, None, compiled.source_fields, around.stop.pause)) as connector:
        records = connector.fetch(list(delivered))
        found = verify(stream, delivered, records, compiled, look, store.unsettled_among(stream, delivered))
    found.failed = first.failed
    found.notes = [*first.notes, *found.notes, *_remarks(found)]
    return found


def _remarks(found: Verification) -> list[str]:
    remarks = []
    if found.failed:
        rows, them = screen.rows_that(found.failed, "was", "were"), screen.them(found.failed)
        remarks.append(f"{rows} taken and then failed by the server; the next run sends {them} again")
    if found.waiting:
        remarks.append(f"{found.waiting:,} not settled yet: nothing can be said of them; wait longer with --wait")
    if found.changed:
        remarks.append(
            f"{found.changed:,} changed in the source since; the next run brings {screen.them(found.changed)}"
        )
    if found.gone:
        them = screen.them(found.gone)
        remarks.append(f"{found.gone:,} not in the source any more, or outside `where`; memory may still have {them}")
    return remarks


def show(found: Verification, *, as_json: bool, show_values: bool) -> int:
    """Show the outcome, and return its exit code."""
    code = OK if found.is_well else REJECTS
    if as_json:
        screen.show_json(_document(found, code, show_values=show_values))
        return code
    names = [name for name in _ALWAYS + _AT_TIMES if name in _ALWAYS or getattr(found, name)]
    share = "-" if found.share is None else f"{found.share:g} %"
    cells = [found.stream, share, *(getattr(found, name) for name in names)]
    screen.table(["stream", "as delivered", *names], [cells], range(1, len(cells)))
    for example in found.examples:
        screen.say(screen.one_line(f"  {example}"))
        for one in example.differences if show_values else ():
            sent, stored = screen.value(one.sent, LONGEST), screen.value(one.stored, LONGEST)
            screen.say(f"    {screen.one_line(one.name)}: sent {sent}, memory has {stored}")
    for line in found.notes:
        screen.say(f"  {line}")
    return code


def _document(found: Verification, code: int, *, show_values: bool) -> dict[str, Any]:
    numbers: dict[str, Any] = {one.name: getattr(found, one.name) for one in fields(found)}
    numbers["examples"] = [str(example) for example in found.examples]
    if show_values:
        values = {example.key: [one._asdict() for one in example.differences] for example in found.examples}
        numbers["differences"] = {key: wrong for key, wrong in values.items() if wrong}
    return {"ok": found.is_well, "command": "verify", "exit": code, "share": found.share, **numbers}
